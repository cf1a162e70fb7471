#include "tools/emulator/sls/cursor.hpp"

#include <gtest/gtest.h>

namespace emulator::sls {
namespace {

TEST(cursor, is_base64_of_the_decimal_number) {
  EXPECT_EQ(cursor_text(1729070618428044655), "MTcyOTA3MDYxODQyODA0NDY1NQ==");
  EXPECT_EQ(cursor_text(0), "MA==");
  EXPECT_EQ(cursor_number("MTcyOTA3MDYxODQyODA0NDY1NQ=="), 1729070618428044655);
}

TEST(cursor, is_read_without_padding_too) {
  EXPECT_EQ(cursor_number("MTcyOTA3MDYxODQyODA0NDY1NQ"), 1729070618428044655);
}

TEST(cursor, anything_else_is_no_cursor) {
  for (const auto* text : {"", "M", "begin", "!!!!", "aGVsbG8=", "MTIzYQ==", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5"}) {
    EXPECT_FALSE(cursor_number(text)) << text;
  }
}

TEST(cursor, base64_reads_back_any_bytes) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) {
    EXPECT_EQ(unbase64(base64(bytes)), bytes);
    bytes += static_cast<char>(i * 7);
  }
  EXPECT_EQ(base64("foob"), "Zm9vYg==");
}

}  // namespace
}  // namespace emulator::sls
