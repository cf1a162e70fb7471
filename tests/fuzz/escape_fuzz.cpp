// Every escape kernel gives the same bytes, reads nothing outside its text and keeps within its room.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "stages/json_escape.hpp"

namespace {

std::string escaped(stages::escape_function escape, engine::byte_view text) {
  std::vector<char> out(6 * text.size() + stages::escape_slack);  // of just the promised room, for ASan
  const char* end = escape(text, out.data());
  return {out.data(), static_cast<std::size_t>(end - out.data())};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const engine::byte_view text(reinterpret_cast<const char*>(data), size);
  const std::string expected = escaped(stages::escape_with(stages::kernel::portable), text);
  for (const auto kind : stages::kernels_here()) {
    if (escaped(stages::escape_with(kind), text) != expected) std::abort();
  }
  return 0;
}
