#include "engine/base/units.hpp"

#include <gtest/gtest.h>

namespace engine {
namespace {

using namespace std::chrono_literals;

TEST(units, reads_sizes_with_each_suffix) {
  EXPECT_EQ(parse_size("512B"), 512U);
  EXPECT_EQ(parse_size("64KiB"), 65'536U);
  EXPECT_EQ(parse_size("256MiB"), 268'435'456U);
  EXPECT_EQ(parse_size("3GiB"), 3'221'225'472U);
  EXPECT_EQ(parse_size("1044480"), 1'044'480U);
  EXPECT_EQ(parse_size("0"), 0U);
}

TEST(units, refuses_what_is_not_a_size) {
  for (const char* text : {"", "B", "1.5MiB", "1MB", "1mib", "-1", "+1", " 1", "1 KiB", "1KiB ", "0x10",
                           "17179869184GiB", "18446744073709551616", "64kiB"}) {
    EXPECT_FALSE(parse_size(text).has_value()) << text;
  }
}

TEST(units, reads_the_largest_size_that_fits) {
  EXPECT_EQ(parse_size("18446744073709551615B"), 18'446'744'073'709'551'615U);
  EXPECT_EQ(parse_size("17179869183GiB"), 17'179'869'183U * gib);
}

TEST(units, reads_durations_with_each_suffix) {
  EXPECT_EQ(parse_duration("1500ms"), 1500ms);
  EXPECT_EQ(parse_duration("25s"), 25s);
  EXPECT_EQ(parse_duration("5m"), 5min);
  EXPECT_EQ(parse_duration("2h"), 2h);
  EXPECT_EQ(parse_duration("0s"), 0s);
}

TEST(units, refuses_what_is_not_a_duration) {
  for (const char* text :
       {"", "5", "s", "1.5s", "-1s", "5 s", "5sec", "1d", "1us", "9223372036854775808h", "2562048h"}) {
    EXPECT_FALSE(parse_duration(text).has_value()) << text;
  }
}

TEST(units, writes_sizes_exactly_in_the_largest_unit_that_divides) {
  EXPECT_EQ(format_size(0), "0B");
  EXPECT_EQ(format_size(1), "1B");
  EXPECT_EQ(format_size(1023), "1023B");
  EXPECT_EQ(format_size(1024), "1KiB");
  EXPECT_EQ(format_size(64 * mib), "64MiB");
  EXPECT_EQ(format_size(1536 * mib), "1536MiB");
  EXPECT_EQ(format_size(2 * gib), "2GiB");
  EXPECT_EQ(format_size(1'000'001), "1000001B");
}

TEST(units, writes_durations_exactly_in_milliseconds) {
  EXPECT_EQ(format_duration(0s), "0s");
  EXPECT_EQ(format_duration(25s), "25s");
  EXPECT_EQ(format_duration(60s), "1m");
  EXPECT_EQ(format_duration(90s), "90s");
  EXPECT_EQ(format_duration(2h), "2h");
  EXPECT_EQ(format_duration(1500ms), "1500ms");
}

TEST(units, reads_back_every_size_and_duration_it_writes) {
  for (std::size_t bytes = 1; bytes < 5 * gib; bytes = bytes * 3 + 7) EXPECT_EQ(parse_size(format_size(bytes)), bytes);
  for (auto d = 1ms; d < 5h; d = d * 3 + 7ms) EXPECT_EQ(parse_duration(format_duration(d)), d);
}

TEST(units, writes_utc_with_all_places) {
  EXPECT_EQ(format_utc(wall_time(0ms)), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_utc_millis(wall_time(1'767'323'045'006ms)), "2026-01-02T03:04:05.006Z");
  EXPECT_EQ(format_utc(wall_time(1'767'323'045'999ms)), "2026-01-02T03:04:05Z");
  EXPECT_EQ(format_utc_millis(wall_time(-1ms)), "1969-12-31T23:59:59.999Z");
}

TEST(units, reads_rfc_3339_in_any_zone) {
  const wall_time expected(1'767'323'045'000ms);
  EXPECT_EQ(parse_rfc3339("2026-01-02T03:04:05Z"), expected);
  EXPECT_EQ(parse_rfc3339("2026-01-02t03:04:05z"), expected);
  EXPECT_EQ(parse_rfc3339("2026-01-02 03:04:05Z"), expected);
  EXPECT_EQ(parse_rfc3339("2026-01-02T11:04:05+08:00"), expected);
  EXPECT_EQ(parse_rfc3339("2026-01-01T23:34:05-03:30"), expected);
}

TEST(units, keeps_fractions_of_a_second_to_milliseconds) {
  const wall_time expected(1'767'323'045'000ms);
  EXPECT_EQ(parse_rfc3339("2026-01-02T03:04:05.1Z"), expected + 100ms);
  EXPECT_EQ(parse_rfc3339("2026-01-02T03:04:05.12Z"), expected + 120ms);
  EXPECT_EQ(parse_rfc3339("2026-01-02T03:04:05.123Z"), expected + 123ms);
  EXPECT_EQ(parse_rfc3339("2026-01-02T03:04:05.123999999Z"), expected + 123ms);
}

TEST(units, counts_a_leap_second_as_the_next_minute) {
  EXPECT_EQ(parse_rfc3339("2016-12-31T23:59:60Z"), parse_rfc3339("2017-01-01T00:00:00Z"));
}

TEST(units, refuses_times_that_do_not_exist_or_have_no_zone) {
  for (const char* text :
       {"", "2026", "2026-01-02", "2026-01-02T03:04:05", "2026-1-2T03:04:05Z", "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z", "2026-01-02T24:00:00Z", "2026-01-02T03:60:00Z", "2026-01-02T03:04:61Z",
        "2026-01-02T03:04:05.Z", "2026-01-02T03:04:05Zx", "2026-01-02T03:04:05+8:00", "2026-01-02T03:04:05+24:00",
        "2026-01-02T03:04:05+08:60", "2026/01/02T03:04:05Z", "1767323045"}) {
    EXPECT_FALSE(parse_rfc3339(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace engine
