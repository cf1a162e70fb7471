#include "tools/penstock/small_files.hpp"

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <system_error>

namespace penstock {

std::expected<void, std::string> write_whole_file(const std::string& path, std::string_view text) {
  const std::string beside = path + ".tmp" + std::to_string(getpid());
  {
    std::ofstream out(beside, std::ios::binary | std::ios::trunc);
    out.write(text.data(), static_cast<std::streamsize>(text.size()));
    out.flush();
    if (!out) {
      std::remove(beside.c_str());
      return std::unexpected(path + ": cannot be written: " + std::generic_category().message(errno));
    }
  }
  if (std::rename(beside.c_str(), path.c_str()) != 0) {
    const auto why = std::generic_category().message(errno);
    std::remove(beside.c_str());
    return std::unexpected(path + ": cannot be written: " + why);
  }
  return {};
}

}  // namespace penstock
