#include "stages/sls/cursor.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace {

using stages::sls::compare_cursors;
using stages::sls::cursor_distance;
using stages::sls::decode_cursor;
using stages::sls::encode_cursor;

TEST(cursor, reads_the_number_with_and_without_padding) {
  EXPECT_EQ(decode_cursor("MTcyOTA3MDYxODQyODA0NDY1NQ=="), 1729070618428044655);
  EXPECT_EQ(decode_cursor("MTcyOTA3MDYxODQyODA0NDY1NQ"), 1729070618428044655);
  EXPECT_EQ(decode_cursor("MA=="), 0);
  EXPECT_EQ(decode_cursor("MA"), 0);
}

TEST(cursor, writes_what_it_reads_over_the_whole_range) {
  for (const std::int64_t value :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{10}, std::int64_t{1729070618428044655},
        std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
    EXPECT_EQ(decode_cursor(encode_cursor(value)), value);
  }
  EXPECT_EQ(encode_cursor(1729070618428044655), "MTcyOTA3MDYxODQyODA0NDY1NQ==");
}

TEST(cursor, tolerates_texts_that_are_no_number) {
  EXPECT_EQ(decode_cursor(""), std::nullopt);
  EXPECT_EQ(decode_cursor("abcd"), std::nullopt);                              // base64, but not of digits
  EXPECT_EQ(decode_cursor("%%%"), std::nullopt);                               // not base64
  EXPECT_EQ(decode_cursor("MTJhYg=="), std::nullopt);                          // "12ab"
  EXPECT_EQ(decode_cursor("OTk5OTk5OTk5OTk5OTk5OTk5OTk5OQ=="), std::nullopt);  // beyond 64 bits
}

TEST(cursor, orders_by_number_and_not_by_text) {
  const auto nine = encode_cursor(9);
  const auto ten = encode_cursor(10);
  EXPECT_TRUE(compare_cursors(nine, ten) < 0);
  EXPECT_TRUE(compare_cursors(ten, nine) > 0);
  EXPECT_TRUE(compare_cursors("MA", "MA==") == 0);
}

TEST(cursor, orders_opaque_texts_with_nothing_but_themselves) {
  EXPECT_TRUE(compare_cursors("opaque!", "opaque!") == 0);
  EXPECT_EQ(compare_cursors("opaque!", encode_cursor(1)), std::partial_ordering::unordered);
}

TEST(cursor, distance_counts_groups_and_never_overflows) {
  EXPECT_EQ(cursor_distance(encode_cursor(100), encode_cursor(1100)), 1000);
  EXPECT_EQ(cursor_distance(encode_cursor(1100), encode_cursor(100)), -1000);
  EXPECT_EQ(cursor_distance("opaque!", "opaque!"), 0);
  EXPECT_EQ(cursor_distance("opaque!", encode_cursor(1)), std::nullopt);
  EXPECT_EQ(cursor_distance(encode_cursor(std::numeric_limits<std::int64_t>::min()), encode_cursor(1)), std::nullopt);
}

}  // namespace
