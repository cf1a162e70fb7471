#include "stages/event_time.hpp"

#include <gtest/gtest.h>

#include <string>

namespace stages {
namespace {

std::string utc(std::string_view text) {
  time_text scratch;
  const auto time = utc_time(text, scratch);
  return time ? std::string(*time) : "none";
}

std::string log(std::uint32_t time_s, std::uint32_t time_ns) {
  time_text scratch;
  return std::string(log_time(time_s, time_ns, scratch));
}

TEST(event_time, keeps_utc_times_as_they_are) {
  EXPECT_EQ(utc("2022-04-12T10:23:43Z"), "2022-04-12T10:23:43Z");
  EXPECT_EQ(utc("2022-04-12T10:23:43.5Z"), "2022-04-12T10:23:43.5Z");
  EXPECT_EQ(utc("2022-04-12T10:23:43.123456700Z"), "2022-04-12T10:23:43.123456700Z");
  EXPECT_EQ(utc("2024-02-29T00:00:00Z"), "2024-02-29T00:00:00Z");
}

TEST(event_time, brings_numeric_offsets_to_utc) {
  EXPECT_EQ(utc("2020-12-01T11:54:59.366+0000"), "2020-12-01T11:54:59.366Z");
  EXPECT_EQ(utc("2020-12-01T11:54:59+08:00"), "2020-12-01T03:54:59Z");
  EXPECT_EQ(utc("2020-12-01T03:54:59.25+0800"), "2020-11-30T19:54:59.25Z");
  EXPECT_EQ(utc("2020-12-31T20:00:00-05:30"), "2021-01-01T01:30:00Z");
  EXPECT_EQ(utc("2020-02-28T23:59:59-0001"), "2020-02-29T00:00:59Z");
}

TEST(event_time, refuses_what_is_no_time) {
  for (const std::string_view text : {"",
                                      "Z",
                                      "2022-04-12",
                                      "2022-04-12T10:23:43",
                                      "2022-04-12 10:23:43Z",
                                      "2022-04-12T10:23:43z",
                                      "2022-04-12T10:23Z",
                                      "2022-04-12T10:23:43.Z",
                                      "2022-04-12T10:23:43.1",
                                      "2022-04-12T10:23:43.1234567890Z",
                                      "2022-04-12T10:23:43Z ",
                                      "2022-13-12T10:23:43Z",
                                      "2022-00-12T10:23:43Z",
                                      "2022-04-31T10:23:43Z",
                                      "2023-02-29T10:23:43Z",
                                      "1900-02-29T10:23:43Z",
                                      "2022-04-00T10:23:43Z",
                                      "2022-04-12T24:00:00Z",
                                      "2022-04-12T10:60:43Z",
                                      "2022-04-12T10:23:60Z",
                                      "2022-04-12T10:23:43+08",
                                      "2022-04-12T10:23:43+8:00",
                                      "2022-04-12T10:23:43+24:00",
                                      "2022-04-12T10:23:43+08:60",
                                      "2022-04-12T10:23:43+08:0",
                                      "2022-04-12T1o:23:43Z",
                                      "20x2-04-12T10:23:43Z",
                                      "0000-01-01T00:00:00+00:01",
                                      "9999-12-31T23:59:59-00:01",
                                      "1649758869",
                                      "yesterday at a quarter past ten"}) {
    EXPECT_EQ(utc(text), "none") << text;
  }
}

TEST(event_time, writes_the_log_time_with_ticks_only_when_there_are_nanoseconds) {
  EXPECT_EQ(log(1'700'000'000, 0), "2023-11-14T22:13:20Z");
  EXPECT_EQ(log(1'700'000'000, 123'456'789), "2023-11-14T22:13:20.1234567Z");
  EXPECT_EQ(log(1'700'000'000, 5'000), "2023-11-14T22:13:20.0000050Z");
  EXPECT_EQ(log(0xffffffff, 1'000'000'000), "2106-02-07T06:28:15Z");
}

}  // namespace
}  // namespace stages
