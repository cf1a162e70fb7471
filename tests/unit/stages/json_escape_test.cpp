#include "stages/json_escape.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace stages {
namespace {

std::string escaped(escape_function escape, const std::string& text) {
  std::vector<char> exact(text.begin(), text.end());  // of just its size, so that ASan sees a read beyond it
  std::string out(6 * text.size() + escape_slack, '\0');
  out.resize(static_cast<std::size_t>(escape({exact.data(), exact.size()}, out.data()) - out.data()));
  return out;
}

// Slow and obvious, from RFC 8259.
std::string expected(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      const std::string_view shorts = "........btn.fr..";
      if (byte < 16 && shorts[byte] != '.') {
        out += '\\';
        out += shorts[byte];
      } else {
        char code[8];
        std::snprintf(code, sizeof code, "\\u%04x", unsigned{byte});
        out += code;
      }
    } else {
      out += c;
    }
  }
  return out;
}

TEST(json_escape, escapes_quotes_and_backslashes) {
  EXPECT_EQ(escaped(escape_with(best_kernel()), R"({"a":"\n"})"), R"({\"a\":\"\\n\"})");
}

TEST(json_escape, escapes_every_byte_value_as_json_asks_with_every_kernel) {
  std::string all;
  for (int repeat = 0; repeat < 3; ++repeat) {
    for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  }
  for (const kernel kind : kernels_here()) EXPECT_EQ(escaped(escape_with(kind), all), expected(all)) << name_of(kind);
}

TEST(json_escape, of_nothing_is_nothing) { EXPECT_EQ(escaped(escape_with(best_kernel()), ""), ""); }

TEST(json_escape, kernels_agree_on_random_texts_of_all_lengths) {
  constexpr unsigned seed = 20'260'101;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const std::string_view common = "abcdefgh \"\\{}:,0123456789\xe5\xbc\xa0";
  for (std::size_t size = 0; size < 400; ++size) {
    for (unsigned flavour = 0; flavour < 4; ++flavour) {
      std::string text(size, '\0');
      for (char& c : text) {
        const auto r = static_cast<unsigned>(random());
        const bool odd = r % 64 < flavour * 10;
        c = odd ? static_cast<char>(r >> 8) : common[(r >> 8) % common.size()];
      }
      for (const kernel kind : kernels_here()) {
        ASSERT_EQ(escaped(escape_with(kind), text), expected(text))
            << name_of(kind) << ", " << size << " bytes, flavour " << flavour;
      }
    }
  }
}

}  // namespace
}  // namespace stages
