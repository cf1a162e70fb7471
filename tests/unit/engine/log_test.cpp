#include "engine/base/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace engine {
namespace {

using testing::MatchesRegex;

std::vector<std::string> captured;

void capture(std::string_view line) { captured.emplace_back(line); }

constexpr std::size_t time_size = std::string_view("2026-01-02T03:04:05.678Z").size();

// The one line logged since the last call, without its time.
std::string text_line(log_fields fields, std::string_view message = "message") {
  captured.clear();
  make_logger(log_level::debug, log_format::text, capture)->info(message, fields);
  return captured.size() == 1 ? captured[0].substr(time_size) : "not one line";
}

std::string json_line(log_fields fields, std::string_view message = "message") {
  captured.clear();
  make_logger(log_level::debug, log_format::json, capture)->info(message, fields);
  const std::size_t skip = std::string_view(R"({"ts":")").size() + time_size;
  return captured.size() == 1 ? captured[0].substr(skip) : "not one line";
}

TEST(log, writes_time_level_message_and_fields_as_text) {
  captured.clear();
  make_logger(log_level::info, log_format::text, capture)
      ->warn("route parked", {{"account", "prod"}, {"shard", 3}, {"again", true}, {"reason", "no access"}});
  ASSERT_EQ(captured.size(), 1U);
  EXPECT_THAT(captured[0],
              MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z warn route parked "
                           "account=prod shard=3 again=true reason=\"no access\""));
}

TEST(log, writes_one_json_object_per_line) {
  captured.clear();
  make_logger(log_level::info, log_format::json, capture)
      ->error("route parked", {{"account", "prod"}, {"shard", 3}, {"again", false}, {"ratio", 0.5}});
  ASSERT_EQ(captured.size(), 1U);
  EXPECT_THAT(captured[0], MatchesRegex("[{]\"ts\":\"[0-9T:.-]+Z\",\"level\":\"error\",\"msg\":\"route parked\","
                                        "\"account\":\"prod\",\"shard\":3,\"again\":false,\"ratio\":0.5[}]"));
}

TEST(log, writes_nothing_below_the_minimum) {
  captured.clear();
  const auto log = make_logger(log_level::warn, log_format::text, capture);
  log->debug("a");
  log->info("b");
  log->warn("c");
  log->error("d");
  ASSERT_EQ(captured.size(), 2U);
  EXPECT_EQ(captured[0].substr(time_size), " warn c");
  EXPECT_EQ(captured[1].substr(time_size), " error d");
}

TEST(log, quotes_text_values_only_where_needed) {
  EXPECT_EQ(text_line({{"a", "plain-1.2/x:y"}}), " info message a=plain-1.2/x:y");
  EXPECT_EQ(text_line({{"a", ""}}), R"( info message a="")");
  EXPECT_EQ(text_line({{"a", "b=c"}}), R"( info message a="b=c")");
  EXPECT_EQ(text_line({{"a", "say \"hi\""}}), R"( info message a="say \"hi\"")");
  EXPECT_EQ(text_line({{"a", "c:\\d"}}), R"( info message a="c:\\d")");
  EXPECT_EQ(text_line({{"a", "caf\xc3\xa9"}}), " info message a=caf\xc3\xa9");
}

TEST(log, lets_no_value_or_message_forge_a_line) {
  EXPECT_EQ(text_line({{"a", "x\n2026-01-02T03:04:05.678Z error fake"}}),
            R"( info message a="x\n2026-01-02T03:04:05.678Z error fake")");
  EXPECT_EQ(text_line({}, "x\r\ny"), R"( info x\r\ny)");
  EXPECT_EQ(json_line({{"a", "x\n\"}"}}), R"(","level":"info","msg":"message","a":"x\n\"}"})");
}

TEST(log, escapes_controls_separators_and_direction_marks) {
  EXPECT_EQ(text_line({{"a", "\x1b[31m\x7f\t"}}), R"( info message a="\u001b[31m\u007f\t")");
  EXPECT_EQ(text_line({{"a", "\xc2\x9b"}}), R"( info message a="\u009b")");
  EXPECT_EQ(text_line({{"a", "\xe2\x80\xa8\xe2\x80\xae"}}), R"( info message a="\u2028\u202e")");
  EXPECT_EQ(text_line({{"a", std::string("\0", 1)}}), R"( info message a="\u0000")");
  EXPECT_EQ(json_line({{"a", "\x1b\xe2\x80\xae"}}), R"(","level":"info","msg":"message","a":"\u001b\u202e"})");
}

TEST(log, shows_invalid_utf8_as_bytes_in_text_and_replaces_it_in_json) {
  EXPECT_EQ(text_line({{"a", "x\xff\xc3y"}}), R"( info message a="x\xff\xc3y")");
  EXPECT_EQ(json_line({{"a", "x\xff\xc3y"}}),
            "\",\"level\":\"info\",\"msg\":\"message\",\"a\":\"x\xef\xbf\xbd\xef\xbf\xbdy\"}");
}

TEST(log, writes_numbers_that_json_does_not_know_as_texts) {
  EXPECT_EQ(json_line({{"a", std::numeric_limits<double>::infinity()}, {"b", -1}, {"c", 1e300 * 0}}),
            R"(","level":"info","msg":"message","a":"inf","b":-1,"c":0})");
  EXPECT_EQ(json_line({{"a", std::nan("")}}), R"(","level":"info","msg":"message","a":"nan"})");
}

TEST(log, writes_counts_without_an_exponent) {
  EXPECT_EQ(json_line({{"a", 1e6}, {"b", 166'820.3339}, {"c", 1e-3}, {"d", -2e9}, {"e", 0.0}}),
            R"(","level":"info","msg":"message","a":1000000,"b":166820.334,"c":0.001,"d":-2000000000,"e":0})");
  EXPECT_EQ(json_line({{"a", 1e300}}), R"(","level":"info","msg":"message","a":1e+300})");
}

TEST(log, writes_whole_lines_to_standard_error_at_once) {
  testing::internal::CaptureStderr();
  const auto log = make_logger(log_level::info, log_format::text);
  log->info("first", {{"a", 1}});
  log->info("second");
  const std::string out = testing::internal::GetCapturedStderr();
  EXPECT_THAT(out, MatchesRegex("[^ \n]+Z info first a=1\n[^ \n]+Z info second\n"));
}

TEST(log, null_logger_writes_nothing) {
  testing::internal::CaptureStderr();
  make_null_logger()->error("lost");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace engine
