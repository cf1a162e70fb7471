#include "renamed_file.hpp"

#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace emulator {

void write_renamed(const std::string& path, std::string_view content) {
  const std::string beside = path + ".part";
  {
    std::ofstream file(beside, std::ios::binary | std::ios::trunc);
    std::error_code ignored;
    std::filesystem::permissions(beside, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write,
                                 ignored);
    file.write(content.data(), static_cast<std::streamsize>(content.size()));
    file.close();
    if (!file) throw std::runtime_error("cannot write " + path);
  }
  std::error_code error;
  std::filesystem::rename(beside, path, error);
  if (error) throw std::runtime_error("cannot write " + path + ": " + error.message());
}

}  // namespace emulator
