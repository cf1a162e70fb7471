// Every kernel of the escape check says the same of a text, whatever stands behind it.
//
// Input   the text, or the text, a zero byte and what stands behind it in the block
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include "stages/escape_check.hpp"

namespace {

std::pair<bool, bool> judged(stages::kernel kind, engine::byte_view text) {
  bool needs_repair = false;
  const bool sound = stages::escape_check_with(kind)(text, needs_repair);
  return {sound, needs_repair};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const engine::byte_view text = input.substr(0, input.find('\0'));
  std::vector<char> block(input.begin(), input.end());
  block.resize(text.size() + 64);  // of just the promised room, for ASan
  const engine::byte_view in_block(block.data(), text.size());
  const auto expected = judged(stages::kernel::portable, in_block);
  for (const auto kind : stages::kernels_here()) {
    if (judged(kind, in_block) != expected) std::abort();
  }
  return 0;
}
