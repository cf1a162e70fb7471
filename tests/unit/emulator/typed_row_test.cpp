// Every row of the coercion table (architecture, "Typed rows"), as the ledger judges it.
#include "tools/emulator/typed_row.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "ledger_world.hpp"

namespace {

using namespace emulator_tests;
using namespace emulator;

// True when a row with these columns (and the TimeGenerated of the log time) equals the stored event.
bool row_is(std::string_view event, std::string_view row) {
  ledger_world world;
  world.store(event);
  world.accept_row(std::string(row));
  return world.book.totals().delivered_unique == 1;
}

constexpr std::string_view log_time = R"("TimeGenerated":"2025-10-09T08:53:20Z")";

// An event of one member becomes a row of one column, besides the time.
bool becomes(std::string_view event_member, std::string_view row_member) {
  std::string row = "{" + std::string(log_time);
  if (!row_member.empty()) row.append(",").append(row_member);
  return row_is("{" + std::string(event_member) + "}", row + "}");
}

TEST(typed_row, has_the_27_columns_of_the_table) {
  EXPECT_EQ(column_number("TimeGenerated"), time_column);
  EXPECT_EQ(column_number("userIdentity"), 26U);
  EXPECT_EQ(column_number("vpcId"), column_count);
  EXPECT_EQ(column_number(""), column_count);
  EXPECT_EQ(column_number(std::string(400, 'x')), column_count);
  const auto of_kind = [](column_kind kind) { return std::ranges::count(columns, kind, &column::kind); };
  EXPECT_EQ(of_kind(column_kind::text), 19);
  EXPECT_EQ(of_kind(column_kind::dynamic), 6);
  EXPECT_EQ(of_kind(column_kind::boolean), 1);
}

TEST(typed_row, keeps_strings_of_text_columns) {
  EXPECT_TRUE(becomes(R"("userAgent":"a\"b\u4e2d")", R"("userAgent":"a\"b中")"));
  EXPECT_TRUE(becomes(R"("errorCode":"null")", R"("errorCode":"null")"));
  EXPECT_TRUE(becomes(R"("errorCode":"")", R"("errorCode":"")"));
  EXPECT_FALSE(becomes(R"("errorCode":"")", ""));
  EXPECT_FALSE(becomes(R"("errorCode":"a")", R"("errorCode":"b")"));
}

TEST(typed_row, puts_the_token_of_numbers_and_booleans_in_quotes_in_text_columns) {
  EXPECT_TRUE(becomes(R"("eventVersion":1)", R"("eventVersion":"1")"));
  EXPECT_TRUE(becomes(R"("apiVersion":1.50e+2)", R"("apiVersion":"1.50e+2")"));
  EXPECT_TRUE(becomes(R"("errorCode":true)", R"("errorCode":"true")"));
  EXPECT_TRUE(becomes(R"("errorCode":false)", R"("errorCode":"false")"));
  EXPECT_FALSE(becomes(R"("eventVersion":1)", R"("eventVersion":1)"));
}

TEST(typed_row, puts_the_raw_text_of_objects_and_arrays_in_text_columns) {
  EXPECT_TRUE(
      becomes(R"("resourceName":[ "a" , {"b":"\u0041"}])", R"("resourceName":"[ \"a\" , {\"b\":\"\\u0041\"}]")"));
  EXPECT_TRUE(
      becomes(R"("resourceType":{"a":[[1]]},"eventName":"x")", R"("resourceType":"{\"a\":[[1]]}","eventName":"x")"));
  EXPECT_FALSE(becomes(R"("resourceName":["a"])", R"("resourceName":["a"])"));
}

TEST(typed_row, leaves_out_null_and_absent) {
  EXPECT_TRUE(becomes(R"("errorCode":null,"requestParameters":null,"isGlobal":null)", ""));
  EXPECT_TRUE(becomes(R"("errorCode":null)", R"("errorCode":null)"));
}

TEST(typed_row, keeps_the_token_of_dynamic_columns) {
  EXPECT_TRUE(becomes(R"("requestParameters":{"a":1.0,"b":[9007199254740993,null,true]})",
                      R"("requestParameters":{"a":1.0,"b":[9007199254740993,null,true]})"));
  EXPECT_TRUE(becomes(R"("requestParameters":"{\"a\":1}")", R"("requestParameters":"{\"a\":1}")"));
  EXPECT_FALSE(becomes(R"("requestParameters":"{\"a\":1}")", R"("requestParameters":{"a":1})"));
  EXPECT_TRUE(becomes(R"("userIdentity":7)", R"("userIdentity":7)"));
  EXPECT_FALSE(becomes(R"("userIdentity":{"a":1,"b":2})", R"("userIdentity":{"b":2,"a":1})"));
  EXPECT_FALSE(becomes(R"("userIdentity":{"a":9007199254740993})", R"("userIdentity":{"a":9007199254740992})"));
  EXPECT_FALSE(becomes(R"("userIdentity":{"a":[1,2]})", R"("userIdentity":{"a":[12]})"));
  EXPECT_FALSE(becomes(R"("userIdentity":{"a":null})", R"("userIdentity":{})"));
}

TEST(typed_row, takes_is_global_from_a_boolean_or_its_text) {
  EXPECT_TRUE(becomes(R"("isGlobal":true)", R"("isGlobal":true)"));
  EXPECT_TRUE(becomes(R"("isGlobal":"true")", R"("isGlobal":true)"));
  EXPECT_TRUE(becomes(R"("isGlobal":"false")", R"("isGlobal":false)"));
  EXPECT_TRUE(becomes(R"("isGlobal":"yes")", ""));
  EXPECT_TRUE(becomes(R"("isGlobal":1)", ""));
  EXPECT_TRUE(becomes(R"("isGlobal":{"true":true})", ""));
  EXPECT_FALSE(becomes(R"("isGlobal":true)", R"("isGlobal":"true")"));
}

TEST(typed_row, takes_the_last_of_repeated_keys) {
  EXPECT_TRUE(becomes(R"("eventName":"a","eventName":"b")", R"("eventName":"b")"));
  EXPECT_TRUE(becomes(R"("errorCode":"a","errorCode":null)", ""));
  EXPECT_FALSE(becomes(R"("eventName":"a","eventName":"b")", R"("eventName":"a")"));
}

TEST(typed_row, takes_the_time_from_event_time) {
  const auto time = [](std::string_view event_time, std::string_view generated) {
    return row_is(R"({"eventTime":)" + std::string(event_time) + "}",
                  R"({"eventTime":)" + std::string(event_time) + R"(,"TimeGenerated":)" + std::string(generated) + "}");
  };
  EXPECT_TRUE(time(R"("2026-03-04T05:06:07Z")", R"("2026-03-04T05:06:07Z")"));
  EXPECT_TRUE(time(R"("2026-03-04T05:06:07.250Z")", R"("2026-03-04T05:06:07.25Z")"));
  EXPECT_TRUE(time(R"("2026-03-04T13:06:07.366+0800")", R"("2026-03-04T05:06:07.366Z")"));
  EXPECT_TRUE(time(R"("2026-03-03T23:06:07-06:00")", R"("2026-03-04T05:06:07Z")"));
  EXPECT_FALSE(time(R"("2026-03-04T05:06:07Z")", R"("2026-03-04T05:06:08Z")"));
  EXPECT_FALSE(time(R"("2026-03-04T05:06:07.5Z")", R"("2026-03-04T05:06:07Z")"));
}

TEST(typed_row, takes_the_log_time_when_event_time_is_bad_or_missing) {
  EXPECT_TRUE(row_is("{}", "{" + std::string(log_time) + "}"));
  for (const std::string_view bad :
       {R"("2026-02-30T05:06:07Z")", R"("2026-03-04 05:06:07")", R"("2026-03-04T25:06:07Z")", R"("")",
        R"("2026-03-04T05:06:07")", R"("2026-03-04T05:06:07.Z")", R"("soon")"}) {
    const std::string member = R"("eventTime":)" + std::string(bad);
    EXPECT_TRUE(becomes(member, member)) << bad;
  }
  EXPECT_TRUE(becomes(R"("eventTime":1772600781)", R"("eventTime":"1772600781")"));
  EXPECT_FALSE(row_is("{}", "{}"));
}

TEST(typed_row, reads_lone_surrogates_as_replacement_characters) {
  EXPECT_TRUE(becomes(R"("userAgent":"cut \ud83d")", R"("userAgent":"cut \ufffd")"));
  EXPECT_TRUE(becomes(R"("userAgent":"\udc00\ud83d\ude00\ud83dx")", R"("userAgent":"\ufffd😀\ufffdx")"));
  EXPECT_TRUE(becomes(R"("requestParameters":{"\ud83d":"\\ud83d"})", R"("requestParameters":{"\ufffd":"\\ud83d"})"));
}

TEST(typed_row, puts_numbers_beyond_a_double_in_quotes) {
  EXPECT_TRUE(becomes(R"("requestParameters":{"a":1e400,"b":-1e999,"c":1e300})",
                      R"("requestParameters":{"a":"1e400","b":"-1e999","c":1e300})"));
  EXPECT_TRUE(becomes(R"("requestParameters":[17.9e309,0e999,0.001e310,1e-400])",
                      R"("requestParameters":["17.9e309",0e999,0.001e310,1e-400])"));
  EXPECT_TRUE(becomes(R"("resourceName":[1e400])", R"("resourceName":"[1e400]")"));
  const std::string digits(400, '7');
  EXPECT_TRUE(becomes(R"("requestParameters":)" + digits, R"("requestParameters":")" + digits + "\""));
}

TEST(typed_row, drops_what_has_no_column) {
  EXPECT_TRUE(
      becomes(R"("vpcId":"v","insightDetails":{"eventName":"inner"},"eventName":"outer")", R"("eventName":"outer")"));
}

TEST(typed_row, survives_deep_nesting) {
  std::string deep =
      R"({"eventId":"deep","userIdentity":)" + std::string(200'000, '[') + std::string(200'000, ']') + "}";
  event_reader reader;
  EXPECT_TRUE(reader.read(deep, 0));
  EXPECT_EQ(reader.row().event_id(), "deep");
  deep.pop_back();
  EXPECT_FALSE(reader.read(deep, 0));
}

TEST(typed_row, refuses_texts_that_are_no_object) {
  event_reader reader;
  for (const std::string_view text : {"", "null", "[]", "\"x\"", "{} {}", "{\"a\":1,}", "{\"a\":01}"}) {
    EXPECT_FALSE(reader.read(text, 0)) << text;
  }
  EXPECT_FALSE(reader.read(std::string_view("{}\0{}", 5), 0));
}

}  // namespace
