#include "engine/base/utf8.hpp"

#include <gtest/gtest.h>

namespace engine {
namespace {

TEST(utf8, reads_one_code_point_of_each_size) {
  const std::string_view texts[] = {"A", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
  const char32_t values[] = {U'A', U'\u00e9', U'\u20ac', U'\U0001f600'};
  for (std::size_t i = 0; i < 4; ++i) {
    const code_point c = first_code_point(texts[i]);
    EXPECT_TRUE(c.valid);
    EXPECT_EQ(c.value, values[i]);
    EXPECT_EQ(c.size, i + 1);
  }
}

TEST(utf8, takes_one_byte_of_what_is_not_utf8) {
  const std::string_view bad[] = {
      "\x80",         "\xc0\x80",         "\xc1\xbf",         "\xc3",
      "\xc3(",        "\xe0\x80\x80",     "\xed\xa0\x80",     "\xe2\x82",
      "\xff",         "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
      "\xf0\x9f\x98",
  };
  for (const std::string_view text : bad) {
    const code_point c = first_code_point(text);
    EXPECT_FALSE(c.valid);
    EXPECT_EQ(c.size, 1U);
    EXPECT_FALSE(is_utf8(text));
  }
}

TEST(utf8, knows_a_whole_text) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("plain, \xc3\xa9 and \xf0\x9f\x98\x80"));
  EXPECT_FALSE(is_utf8("plain\xff"));
}

}  // namespace
}  // namespace engine
