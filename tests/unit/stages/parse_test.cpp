#include "stages/parse.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "stages/decode.hpp"
#include "tests/support/counted_allocations.hpp"
#include "tests/support/json_oracle.hpp"
#include "tests/support/log_group_builder.hpp"

namespace stages {
namespace {

using tests::group_list;
using tests::log_group_builder;
using tests::pairs;

std::string repeated(std::string_view text, std::size_t count) {
  std::string all;
  all.reserve(text.size() * count);
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

class parse_test : public testing::Test {
 protected:
  // Decodes and parses one block of logs; what was found is in out_ until the next run.
  void run(const log_group_builder& group, parse& stage) {
    block_.emplace(group_list({group}), '}');  // padding that would help a text to end
    ASSERT_TRUE(decode(block_->block(), 1, groups_).has_value());
    stage(groups_, out_);
  }
  void run(const log_group_builder& group) { run(group, stage_); }
  void run(std::string_view text) { run(log_group_builder().event(text)); }

  // The reason for which a text is set aside, by both ways to find tokens; "" for an event that passes.
  std::string verdict(std::string_view text) {
    std::string found[2];
    parse* const stages[] = {&stage_, &scanning_};
    for (int i = 0; i < 2; ++i) {
      run(log_group_builder().event(text), *stages[i]);
      EXPECT_EQ(out_.events.size() + out_.bad.size(), 1U);
      if (!out_.bad.empty()) found[i] = name_of(out_.bad[0].reason);
    }
    EXPECT_EQ(found[0], found[1]) << text.substr(0, 100);
    return found[0];
  }
  bool needs_repair(std::string_view text) {
    EXPECT_EQ(verdict(text), "") << text.substr(0, 100);
    return !out_.events.empty() && out_.events[0].needs_repair;
  }
  byte_view slice(column which) { return out_.events.at(0).slices[static_cast<std::size_t>(which)]; }

  parse stage_;
  parse scanning_{parse_options{.indexed_bytes_max = 0}};
  std::optional<tests::padded_block> block_;
  log_groups groups_;
  records out_;
};

// --- what passes ---------------------------------------------------------------------------------------------------

TEST_F(parse_test, slices_every_column_as_its_raw_token) {
  std::string text = "{";
  for (const std::string_view name : tests::oracle_columns) {
    text += '"' + std::string(name) + R"(":"of )" + std::string(name) + R"( \"\u00e4",)";
  }
  text += R"("unknown":{"eventId":"inner"}})";
  run(text);
  ASSERT_EQ(out_.events.size(), 1U);
  EXPECT_EQ(out_.events[0].text, text);
  for (std::size_t i = 0; i < column_count; ++i) {
    EXPECT_EQ(out_.events[0].slices[i], R"("of )" + std::string(tests::oracle_columns[i]) + R"( \"\u00e4")");
  }
  EXPECT_EQ(out_.counts.duplicate_keys, 0U);
  EXPECT_FALSE(out_.events[0].needs_repair);
}

TEST_F(parse_test, slices_values_of_every_type_without_the_white_space_around_them) {
  run("{ \"eventVersion\" : 1 ,\n\"isGlobal\":true\t, \"userIdentity\" :\r\n { \"a\" : [ ] } , \"apiVersion\" : null ,"
      " \"requestParameters\": [ 1 , { } ]  , \"eventName\" : \"x\"  , \"eventId\" : -1.5e+3 }");
  ASSERT_EQ(out_.events.size(), 1U);
  EXPECT_EQ(slice(column::eventVersion), "1");
  EXPECT_EQ(slice(column::isGlobal), "true");
  EXPECT_EQ(slice(column::userIdentity), R"({ "a" : [ ] })");
  EXPECT_EQ(slice(column::apiVersion), "null");
  EXPECT_EQ(slice(column::requestParameters), "[ 1 , { } ]");
  EXPECT_EQ(slice(column::eventName), R"("x")");
  EXPECT_EQ(slice(column::eventId), "-1.5e+3");
  EXPECT_EQ(slice(column::acsRegion).data(), nullptr);
}

TEST_F(parse_test, slices_point_into_the_block) {
  run(R"({"eventId":"1"})");
  const byte_view plain = block_->block().view();
  EXPECT_GT(slice(column::eventId).data(), plain.data());
  EXPECT_LT(slice(column::eventId).data(), plain.data() + plain.size());
}

TEST_F(parse_test, keeps_white_space_around_the_event_since_its_text_goes_on_untouched) {
  run(" \r\n\t{\"eventId\":\"1\"}\n \t");
  ASSERT_EQ(out_.events.size(), 1U);
  EXPECT_EQ(out_.events[0].text, " \r\n\t{\"eventId\":\"1\"}\n \t");
  EXPECT_EQ(out_.events[0].slices[static_cast<std::size_t>(column::eventId)], R"("1")");
}

TEST_F(parse_test, accepts_an_object_without_members) {
  run(" { } ");
  ASSERT_EQ(out_.events.size(), 1U);
  EXPECT_EQ(out_.events[0].text, " { } ");
  EXPECT_EQ(out_.events[0].name_hash, 0U);
}

TEST_F(parse_test, carries_the_number_and_times_of_the_log) {
  run(log_group_builder().event("[]").log({{"event", "{}"}}, 1669000000, 77).log({{"event", "{}"}}, std::nullopt));
  ASSERT_EQ(out_.events.size(), 2U);
  EXPECT_EQ(out_.events[0].index, 1U);
  EXPECT_EQ(out_.events[0].time_s, 1669000000U);
  EXPECT_EQ(out_.events[0].time_ns, 77U);
  EXPECT_EQ(out_.events[1].index, 2U);
  EXPECT_EQ(out_.events[1].time_s, 0U);
  ASSERT_EQ(out_.bad.size(), 1U);
  EXPECT_EQ(out_.bad[0].index, 0U);
}

TEST_F(parse_test, lets_the_last_of_duplicate_columns_win_and_counts_them) {
  run(R"({"eventId":"1","eventName":"a","eventId":"2","zz":1,"zz":2,"eventId":null})");
  ASSERT_EQ(out_.events.size(), 1U);
  EXPECT_EQ(slice(column::eventId), "null");
  EXPECT_EQ(slice(column::eventName), R"("a")");
  EXPECT_EQ(out_.counts.duplicate_keys, 2U);
}

TEST_F(parse_test, does_not_count_the_duplicate_keys_of_events_set_aside) {
  run(log_group_builder().event(R"({"eventId":"1","eventId":"2",})").event(R"({"eventId":"1","eventId":"2"})"));
  EXPECT_EQ(out_.counts.duplicate_keys, 1U);
}

TEST_F(parse_test, knows_keys_by_what_their_escapes_read_as) {
  run(R"({"\u0065ventId":"1","event\u004eame":"2","\u0061\u0063\u0073\u0052\u0065\u0067\u0069\u006f\u006e":"3"})");
  ASSERT_EQ(out_.events.size(), 1U);
  EXPECT_EQ(slice(column::eventId), R"("1")");
  EXPECT_EQ(slice(column::eventName), R"("2")");
  EXPECT_EQ(slice(column::acsRegion), R"("3")");
  run(R"({"eventId":"1","\u0065ventId":"2"})");
  EXPECT_EQ(slice(column::eventId), R"("2")");
  EXPECT_EQ(out_.counts.duplicate_keys, 1U);
}

TEST_F(parse_test, takes_no_other_key_for_a_column) {
  run(R"({"EventId":1,"eventid":2,"eventI":3,"eventIdx":4," eventId":5,"event\\Id":6,"\u2065ventId":7,"eventId\u0000":8,)"
      R"("\tventId":9,"":10,"requestParameterJsons":11,"x":{"eventId":12},"y":[{"eventId":13}],"\u00e4ventId":14})");
  ASSERT_EQ(out_.events.size(), 1U);
  for (const byte_view found : out_.events[0].slices) EXPECT_EQ(found.data(), nullptr);
}

TEST_F(parse_test, hashes_the_event_name_only) {
  run(log_group_builder()
          .event(R"({"eventName":"DescribeInstances","eventId":"1"})")
          .event(R"({"eventId":"2", "eventName" : "DescribeInstances" })")
          .event(R"({"eventName":"DescribeInstance"})")
          .event(R"({"eventName":"escribeInstancesD"})")
          .event("{}"));
  ASSERT_EQ(out_.events.size(), 5U);
  EXPECT_EQ(out_.events[0].name_hash, out_.events[1].name_hash);
  EXPECT_NE(out_.events[0].name_hash, out_.events[2].name_hash);
  EXPECT_NE(out_.events[0].name_hash, out_.events[3].name_hash);
  EXPECT_EQ(out_.events[4].name_hash, 0U);
}

// --- what is only flagged ------------------------------------------------------------------------------------------

TEST_F(parse_test, flags_numbers_beyond_a_double_and_no_others) {
  const auto flagged = [this](const std::string& number) { return needs_repair(R"({"a":[{"b":)" + number + "}]}"); };
  for (const std::string number : {"1e309", "-1e309", "1.8e308", "1.7976931348623159e308", "1E+400", "2e28390",
                                   "0.0001e400", "1e99999999999999999999", "1000e306", "-0.1e310"}) {
    EXPECT_TRUE(flagged(number)) << number;
  }
  EXPECT_TRUE(flagged("1" + std::string(309, '0')));
  EXPECT_TRUE(flagged("-1" + std::string(400, '0') + ".5"));
  EXPECT_TRUE(flagged("0." + std::string(300, '0') + "1e700"));
  for (const std::string number :
       {"0", "-0", "1e308", "1.7976931348623157e308", "1e-400", "-1e-99999999999999999999", "0e99999",
        "0.000e99999999999999999999", "18446744073709551616", "0.1e309", "5e-324", "1e-324", "0.00001e312"}) {
    EXPECT_FALSE(flagged(number)) << number;
  }
  EXPECT_FALSE(flagged(std::string(308, '9')));
  EXPECT_FALSE(flagged("1" + std::string(308, '0')));
  EXPECT_FALSE(flagged("0." + std::string(5000, '0') + "1e5000"));
  EXPECT_FALSE(flagged("0." + std::string(5000, '0') + "1e-9223372036854775808"));
  EXPECT_FALSE(flagged("1." + std::string(5000, '3')));
}

TEST_F(parse_test, flags_numbers_beyond_a_double_at_the_top_level) {
  EXPECT_TRUE(needs_repair(R"({"a":1e999})"));
  EXPECT_FALSE(needs_repair(R"({"a":1e9})"));
}

TEST_F(parse_test, flags_lone_surrogates_and_no_pairs) {
  const auto flagged = [this](const std::string& text) { return needs_repair(R"({"a":[")" + text + R"("]})"); };
  for (const char* text :
       {R"(\ud800)", R"(\uDFFF)", R"(\ud83d x)", R"(\ud83d\n)", R"(\ud83d\\ude00)", R"(\ud83d\u0041)",
        R"(\ude00\ud83d)", R"(\ud83d\ud83d\ude00)", R"(\ud83d\ude00\ude00)", R"(\\\ud83d)"}) {
    EXPECT_TRUE(flagged(text)) << text;
  }
  for (const char* text :
       {R"(\ud83d\ude00)", R"(\uD83D\uDE00\ud83d\ude00)", R"(\ud7ff\ue000)", R"(\\ud83d)", "\\ufffd"}) {
    EXPECT_FALSE(flagged(text)) << text;
  }
  EXPECT_TRUE(needs_repair(R"({"\ud800":1})"));
}

TEST_F(parse_test, flags_lone_surrogates_wherever_they_stand_in_the_text) {
  for (std::size_t before = 0; before < 200; ++before) {
    const std::string space = repeated("x", before);
    EXPECT_FALSE(needs_repair(R"({"a":")" + space + R"(\ud83d\ude00"})"));
    EXPECT_TRUE(needs_repair(R"({"a":")" + space + R"(\ud83d\\ude00"})"));
  }
}

// --- what is set aside ---------------------------------------------------------------------------------------------

TEST_F(parse_test, sets_aside_every_fault_in_values_nobody_asked_for) {
  for (const char* value : {"truX",
                            "nul",
                            "True",
                            "falsee",
                            "nulll",
                            "01",
                            "-",
                            "+1",
                            "1.",
                            ".5",
                            "1e",
                            "1e+",
                            "12abc",
                            "1.2.3",
                            "0x10",
                            "NaN",
                            "Infinity",
                            "-Infinity",
                            "--1",
                            "1 2",
                            R"("\q")",
                            R"("\u12G4")",
                            R"("\u12")",
                            R"("\x41")",
                            "\"\t\"",
                            "\"\n\"",
                            "'a'",
                            "\"a",
                            "a",
                            "[1 2]",
                            "[1}",
                            "{,}",
                            "[,]",
                            "[1,]",
                            "[1,,2]",
                            "{\"a\":1,}",
                            "{\"a\"}",
                            "{\"a\":}",
                            "{\"a\" 1}",
                            "{1:2}",
                            "{\"a\":1 \"b\":2}",
                            "{\"a\":1]",
                            "[1:2]",
                            "{\"a\",1}",
                            "]",
                            "}",
                            ":",
                            ",",
                            "",
                            "1]",
                            "[",
                            "{",
                            "\"a\"\"b\"",
                            "\"a\"1",
                            "1\"a\"",
                            "true\"a\"",
                            "[]1",
                            "{}{}",
                            "\\",
                            "1\\",
                            "tr\\u0075e",
                            "\"a\\",
                            "\x01",
                            "\x0c"
                            "1",
                            "1\x0c",
                            "/**/1",
                            "\x7f"}) {
    EXPECT_EQ(verdict(std::string(R"({"x":)") + value + "}"), "bad_json") << value;
    EXPECT_EQ(verdict(std::string(R"({"x":[{"y":)") + value + "}]}"), "bad_json") << value;
    EXPECT_EQ(verdict(std::string(R"({"eventId":"1","x":)") + value + R"(,"eventName":"n"})"), "bad_json") << value;
  }
}

TEST_F(parse_test, sets_aside_objects_that_do_not_begin_or_end_as_they_should) {
  for (const char* text : {"{",           "}",          "{}}",
                           "{}{}",        "{} x",       "{\"a\":1",
                           "{\"a\":1}}",  "{\"a\":1},", "{\"a\":1}{\"b\":2}",
                           "{a:1}",       "{\"a\"}",    "{\"a\":}",
                           "{,}",         "{\"a\":1,}", "{\"a\":1,,\"b\":2}",
                           "{\"a\":\"}",  "{\"a\":[}",  "{\"a\":{}",
                           "x{}",         "\\{}",       "{\\}",
                           "{\"a\":1\\}", "{\"a\":1]",  "[1}",
                           "nullx",       "{\"a\":1}\\"}) {
    EXPECT_EQ(verdict(text), "bad_json") << text;
  }
}

TEST_F(parse_test, sets_aside_json_that_is_no_object) {
  for (const char* text :
       {"null", "true", "12", "-1.5e3", "\"a\"", "\"{}\"", "[]", "[{\"a\":1}]", " [1,2] ", "1e999", R"("\ud800")"}) {
    EXPECT_EQ(verdict(text), "not_an_object") << text;
  }
  for (const char* text :
       {"nul", "1 2", "1,2", "1],[2", "\"a\",\"b\"", "\"a", "]", ",", "[1]2", "[1],[2]", "\"\\q\"", "\"a\"]"}) {
    EXPECT_EQ(verdict(text), "bad_json") << text;
  }
}

TEST_F(parse_test, sets_aside_texts_without_content_as_empty) {
  for (const char* text : {"", " ", "\r\n\t "}) EXPECT_EQ(verdict(text), "empty");
}

TEST_F(parse_test, sets_aside_what_is_not_utf8) {
  const auto in_a_value = [](const std::string& bytes) { return "{\"a\":\"" + bytes + "\"}"; };
  for (const std::string bytes : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe4\xba", "\x80"}) {
    EXPECT_EQ(verdict(in_a_value(bytes)), "bad_encoding");
    EXPECT_EQ(verdict("{\"" + bytes + "\":1}"), "bad_encoding");
    EXPECT_EQ(verdict("[\"" + bytes + "\"]"), "bad_encoding");
    EXPECT_EQ(verdict("\"" + bytes + "\""), "bad_encoding");
    EXPECT_EQ(verdict("{\"a\":" + bytes + "}"), "bad_encoding");
  }
  EXPECT_EQ(verdict(in_a_value("\xe4\xba\x91\xf0\x9f\x98\x80")), "");
}

TEST_F(parse_test, sets_aside_a_byte_order_mark_as_bad_json) {
  EXPECT_EQ(verdict("\xef\xbb\xbf{\"a\":1}"), "bad_json");
}

TEST_F(parse_test, sets_aside_a_zero_byte_as_bad_json) {
  EXPECT_EQ(verdict(std::string_view("{\"a\":1}\0", 8)), "bad_json");
  EXPECT_EQ(verdict(std::string_view("{\"a\":\"\0\"}", 9)), "bad_json");
}

TEST_F(parse_test, accepts_the_deepest_nesting_and_sets_aside_one_level_more) {
  const auto nested = [](std::size_t levels, bool closed) {
    return R"({"a":)" + repeated("[", levels - 1) + (closed ? repeated("]", levels - 1) + "}" : "}");
  };
  EXPECT_EQ(verdict(nested(nesting_max, true)), "");
  EXPECT_EQ(verdict(nested(nesting_max + 1, true)), "too_deep");
  EXPECT_EQ(verdict(nested(nesting_max + 1, false)), "too_deep");
  EXPECT_EQ(verdict(repeated("[", nesting_max) + repeated("]", nesting_max)), "not_an_object");
  EXPECT_EQ(verdict(repeated("[", nesting_max + 1) + repeated("]", nesting_max + 1)), "too_deep");
  EXPECT_EQ(verdict(repeated(R"({"a":)", nesting_max) + "1" + repeated("}", nesting_max)), "");
  EXPECT_EQ(verdict(repeated(R"({"a":)", nesting_max + 1) + "1" + repeated("}", nesting_max + 1)), "too_deep");
}

TEST_F(parse_test, sets_aside_two_thousand_and_a_million_levels_as_too_deep) {
  for (const std::size_t levels : {2'000UL, 1'000'000UL}) {
    EXPECT_EQ(verdict(R"({"a":)" + repeated("[", levels) + repeated("]", levels) + "}"), "too_deep");
    EXPECT_EQ(verdict(repeated(R"({"a":)", levels) + "1" + repeated("}", levels)), "too_deep");
  }
}

TEST_F(parse_test, passes_an_event_of_ten_megabytes) {
  const std::string parameters = R"({"UserData":")" + repeated("0123456789", 1'000'000) + R"("})";
  const std::string text = R"({"eventId":"1","requestParameters":)" + parameters + "}";
  run(log_group_builder().event("{}").event(text).event(R"({"eventId":"3"})"));
  ASSERT_EQ(out_.events.size(), 3U);
  EXPECT_TRUE(out_.events[1].text == text);
  EXPECT_TRUE(out_.events[1].slices[static_cast<std::size_t>(column::requestParameters)] == parameters);
}

TEST_F(parse_test, passes_an_event_at_its_limit_and_sets_aside_one_byte_more) {
  parse stage(parse_options{.event_bytes_max = 1000});
  const auto of_size = [](std::size_t size) { return R"({"a":")" + repeated("x", size - 8) + R"("})"; };
  run(log_group_builder().event("  " + of_size(1000) + "  ").event(of_size(1001)).event("{}"), stage);
  ASSERT_EQ(out_.events.size(), 2U);
  ASSERT_EQ(out_.bad.size(), 1U);
  EXPECT_EQ(out_.bad[0].index, 1U);
  EXPECT_EQ(name_of(out_.bad[0].reason), "too_large");
}

TEST_F(parse_test, never_lets_a_bad_event_touch_its_neighbours) {
  const std::string good = R"({"eventId":"good","a":["\"",{}]})";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"empty", " "},
      {"bad_encoding", "{\"a\":\"\xff\"}"},
      {"bad_json", R"({"a":"never closed)"},
      {"bad_json", R"({"a":"\)"},
      {"bad_json", R"({"a":[)"},
      {"not_an_object", "[]"},
      {"too_deep", "{\"a\":" + repeated("[", 2000) + repeated("]", 2000) + "}"},
      {"too_large", "{\"a\":\"" + repeated("x", 5000) + "\"}"},
  };
  parse stage(parse_options{.event_bytes_max = 4500});
  for (const auto& [reason, text] : cases) {
    run(log_group_builder().event(good).event(text).event(good).log(pairs{}).event(good), stage);
    ASSERT_EQ(out_.events.size(), 3U) << reason;
    for (const record& event : out_.events) EXPECT_EQ(event.text, good);
    EXPECT_EQ(out_.events[1].index, 2U);
    EXPECT_EQ(out_.events[2].index, 4U);
    ASSERT_EQ(out_.bad.size(), 2U);
    EXPECT_EQ(name_of(out_.bad[0].reason), reason);
    EXPECT_EQ(out_.bad[0].original, text);
    EXPECT_EQ(out_.bad[0].index, 1U);
    EXPECT_EQ(name_of(out_.bad[1].reason), "no_event");
    EXPECT_EQ(out_.bad[1].index, 3U);
  }
}

TEST_F(parse_test, never_ends_a_text_with_what_stands_behind_it) {
  const std::pair<std::string, std::string> cases[] = {{R"({"a":12)", "3}"},
                                                       {R"({"a":tr)", "ue}"},
                                                       {R"({"a":"b)", R"("})"},
                                                       {R"({"a":[1)", "]}"},
                                                       {R"({"a":1)", "}"},
                                                       {R"({"a":"\)", R"(n"})"},
                                                       {R"({"a":"\u00)", R"(e4"})"},
                                                       {"{", "}"},
                                                       {R"({"a":{"b":1})", "}"},
                                                       {R"({"a")", ":1}"},
                                                       {"tru", "e}"},
                                                       {"\"a", "\"}"},
                                                       {"[1", "]}"},
                                                       {R"({"a":1,})", R"("b":2})"},
                                                       {R"({"a":"\ud83d)", R"(\ude00"})"}};
  tests::json_oracle oracle;
  for (const auto& [text, continuation] : cases) {
    EXPECT_EQ(oracle.disagreement(text, continuation, true), std::nullopt) << text;
    EXPECT_EQ(verdict(text), "bad_json") << text;
  }
}

TEST_F(parse_test, stops_at_the_end_of_a_text_that_leaves_something_open) {
  // With nothing but spaces behind the last text of a block, one step too many runs out of the block's memory.
  for (const std::string_view text :
       {R"({"a":{"b":1})", R"({"a":[{"b":1})", R"({"a":[{}, {})", R"([[[1],2])", R"({"a":"})", R"({"a":"\"})",
        R"({"a":"\u00})", R"({"a":1e)", "{", "[", "\"", "-", "1."}) {
    tests::padded_block block(text);
    groups_.clear();
    groups_.logs.emplace_back().event = block.block().view();
    for (parse* const stage : {&stage_, &scanning_}) {
      (*stage)(groups_, out_);
      ASSERT_EQ(out_.bad.size(), 1U);
      EXPECT_EQ(name_of(out_.bad[0].reason), "bad_json") << text;
    }
  }
}

TEST_F(parse_test, keeps_the_encoded_log_of_a_log_without_an_event) {
  const std::string message = tests::log_message({{"owner_id", "12"}});
  run(log_group_builder().log(message));
  ASSERT_EQ(out_.bad.size(), 1U);
  EXPECT_EQ(name_of(out_.bad[0].reason), "no_event");
  EXPECT_EQ(out_.bad[0].original, message);
}

// --- events rebuilt from dotted contents ---------------------------------------------------------------------------

TEST_F(parse_test, rebuilds_events_from_dotted_contents) {
  run(log_group_builder()
          .log({{"event.eventId", "1"}, {"other", "x"}, {"event.userIdentity.type", "ram-user"}})
          .event(R"({"eventId":"2"})")
          .log({{"event.eventName", "a\"b\\c\n\x01 \xe4\xba\x91"}, {"event.", ""}}));
  ASSERT_EQ(out_.events.size(), 3U);
  EXPECT_EQ(out_.events[0].text, R"({"eventId":"1","userIdentity.type":"ram-user"})");
  EXPECT_EQ(slice(column::eventId), R"("1")");
  EXPECT_EQ(out_.events[1].text, R"({"eventId":"2"})");
  EXPECT_EQ(out_.events[2].text, "{\"eventName\":\"a\\\"b\\\\c\\u000a\\u0001 \xe4\xba\x91\",\"\":\"\"}");
  EXPECT_EQ(out_.counts.rebuilt_events, 2U);
  EXPECT_EQ(out_.events[2].index, 2U);
}

TEST_F(parse_test, keeps_all_rebuilt_events_of_a_block_in_place) {
  log_group_builder group;
  for (int i = 0; i < 2000; ++i)
    group.log({{"event.eventId", std::to_string(i)}, {"event.eventName", repeated("n", 50)}});
  run(group);
  ASSERT_EQ(out_.events.size(), 2000U);
  for (std::size_t i = 0; i < 2000; ++i) {
    ASSERT_EQ(out_.events[i].slices[static_cast<std::size_t>(column::eventId)], '"' + std::to_string(i) + '"');
  }
  run(R"({"eventId":"1"})");
  EXPECT_EQ(out_.counts.rebuilt_events, 0U);
}

TEST_F(parse_test, sets_aside_rebuilt_events_that_are_not_utf8) {
  const std::string message = tests::log_message({{"event.eventId", "\xff"}});
  run(log_group_builder().log(message).log({{"event.eventId", "2"}}).log({{"event.\xc0", "x"}}));
  ASSERT_EQ(out_.events.size(), 1U);
  EXPECT_EQ(slice(column::eventId), R"("2")");
  ASSERT_EQ(out_.bad.size(), 2U);
  EXPECT_EQ(name_of(out_.bad[0].reason), "bad_encoding");
  EXPECT_EQ(out_.bad[0].original, message);
  EXPECT_EQ(name_of(out_.bad[1].reason), "bad_encoding");
  EXPECT_EQ(out_.counts.rebuilt_events, 1U);
}

TEST_F(parse_test, sets_aside_rebuilt_events_above_the_limits) {
  parse stage(parse_options{.event_bytes_max = 300, .rebuilt_bytes_max = 400});
  const std::string message = tests::log_message({{"event.a", std::string(50, '\x01')}});  // 308 bytes when escaped
  run(log_group_builder()
          .log(message)
          .log({{"event.a", repeated("x", 200)}})
          .log({{"event.a", repeated("y", 200)}})
          .log({{"event.a", repeated("z", 100)}}),
      stage);
  ASSERT_EQ(out_.events.size(), 2U);
  EXPECT_EQ(out_.events[0].index, 1U);
  EXPECT_EQ(out_.events[1].index, 3U);
  ASSERT_EQ(out_.bad.size(), 2U);
  EXPECT_EQ(name_of(out_.bad[0].reason), "too_large");
  EXPECT_EQ(out_.bad[0].original, message);
  EXPECT_EQ(out_.bad[1].index, 2U);
}

// --- cost ----------------------------------------------------------------------------------------------------------

TEST_F(parse_test, allocates_nothing_after_the_first_block) {
  if (!tests::counts_allocations()) GTEST_SKIP() << "another allocator is counting";
  log_group_builder group;
  for (int i = 0; i < 1000; ++i) {
    group.event(R"({"eventId":")" + std::to_string(i) +
                R"(","eventName":"DescribeInstances","a":[1,{"b":"\u00e4\"","c":1e400}]})");
    group.log({{"event.eventId", std::to_string(i)}}).event("{\"a\":tru}").event("null").event("[1,2]").log(pairs{});
  }
  run(group);
  const std::size_t before = tests::allocations();
  ASSERT_TRUE(decode(block_->block(), 1, groups_).has_value());
  stage_(groups_, out_);
  EXPECT_EQ(tests::allocations() - before, 0U);
  EXPECT_EQ(out_.events.size(), 2000U);
  EXPECT_EQ(out_.bad.size(), 4000U);
}

// --- against the DOM parser ----------------------------------------------------------------------------------------

std::vector<std::string> sample_texts() {
  std::vector<std::string> texts;
  for (const auto& entry : std::filesystem::directory_iterator(PENSTOCK_SOURCE_DIR "/tests/fuzz/corpus/parse")) {
    std::ifstream file(entry.path(), std::ios::binary);
    texts.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  std::ranges::sort(texts);
  return texts;
}

class mutator {
 public:
  mutator(const std::vector<std::string>& samples, std::uint64_t seed) : samples_(samples), random_(seed) {}

  std::string next() {
    std::string text = samples_[below(samples_.size())];
    for (std::size_t i = 0, count = 1 + below(3); i < count; ++i) mutate(text);
    return text;
  }
  std::string continuation() { return std::string(pick(continuations)); }
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : random_() % limit; }

 private:
  static constexpr std::string_view significant = "{}[],:\"\\ \t\n0123456789-+.eEtfnul\x01\x0c\x1a\x7f\x80\xe4\xff/bu";
  static constexpr std::string_view tokens[] = {"1e999",
                                                "-1e400",
                                                "1e-999",
                                                "1.7976931348623159e308",
                                                "123456789012345678901234567890",
                                                "18446744073709551616",
                                                "-9223372036854775809",
                                                "01",
                                                "-",
                                                "1.",
                                                "1e",
                                                "12abc",
                                                "truX",
                                                "true",
                                                "false",
                                                "null",
                                                "nul",
                                                "{}",
                                                "[]",
                                                "{,}",
                                                "[1 2]",
                                                "[1}",
                                                R"("\ud800")",
                                                R"(\ud83d\ude00)",
                                                R"(\ude00)",
                                                R"(\u12G4)",
                                                R"(\q)",
                                                R"(\\)",
                                                R"(\")",
                                                R"("")",
                                                R"("eventId":1)",
                                                R"("\u0065ventId":2,)",
                                                "\xef\xbb\xbf",
                                                "\xed\xa0\x80",
                                                "\xf0\x9f\x98\x80",
                                                ",,",
                                                "::",
                                                "}{",
                                                "][",
                                                "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
                                                "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"};
  static constexpr std::string_view continuations[] = {"",     "}",           "\"}",  "]}",     "3}",        "e}",
                                                       "ue}",  "null}",       "\\",   "\"",     ",\"a\":1}", "[1]",
                                                       "\xe4", "\xba\x91\"}", "   }", "0123\"}"};

  template <class list>
  std::string_view pick(const list& choices) {
    return choices[below(std::size(choices))];
  }

  void mutate(std::string& text) {
    const std::size_t at = below(text.size());
    const std::size_t length = std::min<std::size_t>(1 + below(16), text.size() - at);
    switch (below(9)) {
      case 0:
        if (!text.empty()) text[at] = static_cast<char>(random_());
        break;
      case 1:
        if (!text.empty()) text[at] = significant[below(significant.size())];
        break;
      case 2:
        text.erase(at, 1);
        break;
      case 3:
        text.erase(at, length);
        break;
      case 4:
        text.insert(at, 1, significant[below(significant.size())]);
        break;
      case 5:
        text.insert(at, pick(tokens));
        break;
      case 6:
        text.replace(at, length, pick(tokens));
        break;
      case 7:
        if (below(4) == 0)
          text.resize(at);
        else
          text.insert(at, text.substr(at, length));
        break;
      default:
        replace_value(text, at);
    }
  }
  // Puts a token where a value stands, so that faults sit in otherwise sound text.
  void replace_value(std::string& text, std::size_t from) {
    const std::size_t colon = text.find(':', from);
    if (colon == std::string::npos) return;
    const std::size_t end = text.find_first_of(",}]", colon);
    if (end == std::string::npos) return;
    text.replace(colon + 1, end - colon - 1, pick(tokens));
  }

  const std::vector<std::string>& samples_;
  std::mt19937_64 random_;
};

TEST(parse_against_dom, agrees_on_every_sample) {
  tests::json_oracle oracle;
  const std::vector<std::string> samples = sample_texts();
  ASSERT_GE(samples.size(), 30U);
  for (const std::string& text : samples) EXPECT_EQ(oracle.disagreement(text, "\"}", true), std::nullopt) << text;
}

TEST(parse_against_dom, agrees_on_every_truncation_with_its_own_rest_behind_it) {
  tests::json_oracle oracle;
  for (const std::string& text : sample_texts()) {
    for (std::size_t size = 0; size < text.size(); ++size) {
      const std::string_view whole = text;
      ASSERT_EQ(oracle.disagreement(whole.substr(0, size), whole.substr(size), false), std::nullopt)
          << whole.substr(0, size);
    }
  }
}

TEST(parse_against_dom, agrees_on_two_hundred_thousand_mutants) {
  constexpr std::uint64_t seed = 20261121;
  const std::vector<std::string> samples = sample_texts();
  mutator mutants(samples, seed);
  tests::json_oracle oracle;
  for (int i = 0; i < 200'000; ++i) {
    const std::string text = mutants.next();
    const std::string continuation = mutants.continuation();
    ASSERT_EQ(oracle.disagreement(text, continuation, i % 8 == 0), std::nullopt)
        << "seed " << seed << ", mutant " << i << ", before " << continuation << ":\n"
        << text;
  }
  // What was compared is worth something only if mutants come out in every way.
  EXPECT_GT(oracle.accepted(), 20'000U);
  EXPECT_GT(oracle.repaired(), 2'000U);
  using enum set_aside_reason;
  EXPECT_GT(oracle.set_aside(bad_json), 50'000U);
  for (const set_aside_reason reason : {empty, bad_encoding, not_an_object, too_deep}) {
    EXPECT_GT(oracle.set_aside(reason), 100U) << name_of(reason);
  }
}

TEST(parse_against_dom, agrees_on_texts_made_of_tokens_alone) {
  const std::vector<std::string> no_samples;
  mutator random(no_samples, 7);
  constexpr std::string_view tokens[] = {"{",           "}", "[",    "]",  ",",  ":", "\"a\"",
                                         "\"eventId\"", "1", "true", "\\", "\"", " ", "-"};
  tests::json_oracle oracle;
  for (int i = 0; i < 200'000; ++i) {
    std::string text = i % 2 == 0 ? "{" : "";
    for (std::size_t n = random.below(12); n > 0; --n) text += tokens[random.below(std::size(tokens))];
    if (i % 2 == 0) text += "}";
    ASSERT_EQ(oracle.disagreement(text, "}", true), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace stages
