// parse against simdjson's DOM parser, in place between two good events.
//
// Input   the text, or the text, a zero byte and what stands behind it in the block
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "tests/support/json_oracle.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static tests::json_oracle oracle;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t zero = input.find('\0');
  const std::string_view text = input.substr(0, zero);
  const std::string_view continuation = zero == std::string_view::npos ? "\"}" : input.substr(zero + 1);
  if (const auto difference = oracle.disagreement(text, continuation, true)) {
    std::fprintf(stderr, "%s\n", difference->c_str());
    std::abort();
  }
  return 0;
}
