// What the tests of the files (dead_letters_test.cpp) leave open about one line.
#include "engine/host/dead_letter_json.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace engine {
namespace {

using namespace std::chrono_literals;

constexpr wall_time noon = std::chrono::sys_days(std::chrono::year(2026) / 1 / 2) + 12h + 5ms;

dead_letter plain_letter() {
  return {.route = {"a", "p", "l", 3, "d"},
          .reason = "bad_json",
          .detail = "x",
          .cursor = "MTY=",
          .index = 1,
          .original = "{}"};
}

std::string line_of(const dead_letter& letter, wall_time time = noon) {
  std::string line;
  append_json_line(line, letter, time);
  EXPECT_TRUE(line.ends_with("}\n"));
  line.pop_back();
  return line;
}

// The members of a line, each as it is written; a test leaves one out, doubles it or puts another in its place.
const std::vector<std::string>& members() {
  static const std::vector<std::string> all{R"("time":"2026-01-02T12:00:00.005Z")",
                                            R"("account":"a")",
                                            R"("project":"p")",
                                            R"("logstore":"l")",
                                            R"("shard":3)",
                                            R"("destination":"d")",
                                            R"("cursor":"MTY=")",
                                            R"("index":1)",
                                            R"("reason":"bad_json")",
                                            R"("detail":"x")",
                                            R"("original":"{}")"};
  return all;
}

std::string joined_members(const std::vector<std::string>& parts) {
  std::string line = "{";
  for (const auto& part : parts) line += (line.size() == 1 ? "" : ",") + part;
  return line + "}";
}

// The line with another member in the place of the one that begins with `"key":`.
std::optional<dead_letter_record> read_with(std::string_view key, const std::string& member) {
  auto parts = members();
  for (auto& part : parts) {
    if (part.starts_with("\"" + std::string(key) + "\":")) part = member;
  }
  return parse_json_line(joined_members(parts));
}

std::string original_of(const std::string& json_text) {
  const auto record = read_with("original", "\"original\":\"" + json_text + "\"");
  return record ? record->letter.original : "no dead letter";
}

TEST(dead_letter_json, is_added_to_what_is_there) {
  std::string lines = "before\n";
  append_json_line(lines, plain_letter(), noon);
  EXPECT_EQ(lines, "before\n" + joined_members(members()) + "\n");
}

TEST(dead_letter_json, is_one_line_whatever_the_fields_hold) {
  std::string controls;
  for (char c = 0; c < 0x20; ++c) controls += c;
  auto letter = plain_letter();
  for (auto* field : {&letter.route.account, &letter.route.project, &letter.route.logstore, &letter.route.destination,
                      &letter.cursor, &letter.reason, &letter.detail, &letter.original}) {
    *field = controls + "\"\\/\x7f\xe2\x80\xa8";
  }
  const auto line = line_of(letter);
  for (const char c : line) EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20);
  const auto back = parse_json_line(line);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->letter.route, letter.route);
  EXPECT_EQ(back->letter.cursor, letter.cursor);
  EXPECT_EQ(back->letter.reason, letter.reason);
  EXPECT_EQ(back->letter.detail, letter.detail);
  EXPECT_EQ(back->letter.original, letter.original);
}

TEST(dead_letter_json, has_replacement_characters_for_bytes_that_are_no_text_outside_the_original) {
  auto letter = plain_letter();
  letter.route.account =
      "\xff"
      "a\xc3";
  letter.detail = "\xed\xa0\x80";
  letter.original = "\xff";
  const auto back = parse_json_line(line_of(letter));
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->letter.route.account,
            "\xef\xbf\xbd"
            "a\xef\xbf\xbd");
  EXPECT_EQ(back->letter.detail, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(back->letter.original, "\xff");
}

TEST(dead_letter_json, keeps_numbers_and_times_at_their_ends) {
  for (const auto shard : {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
    auto letter = plain_letter();
    letter.route.shard = shard;
    letter.index = std::numeric_limits<std::uint64_t>::max();
    const auto back = parse_json_line(line_of(letter));
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->letter.route.shard, shard);
    EXPECT_EQ(back->letter.index, std::numeric_limits<std::uint64_t>::max());
  }
  for (const wall_time time : {wall_time{}, wall_time{1ms}, wall_time{noon + 994ms}}) {
    const auto back = parse_json_line(line_of(plain_letter(), time));
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->time, time);
  }
}

TEST(dead_letter_json, lacks_no_member) {
  ASSERT_TRUE(parse_json_line(joined_members(members())).has_value());
  for (std::size_t i = 0; i < members().size(); ++i) {
    auto parts = members();
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_FALSE(parse_json_line(joined_members(parts)).has_value()) << members()[i];
  }
}

TEST(dead_letter_json, has_each_member_once) {
  for (const auto& member : members()) {
    auto parts = members();
    parts.push_back(member);
    EXPECT_FALSE(parse_json_line(joined_members(parts)).has_value()) << member;
  }
  // Nor a second time as a text.
  for (const char* member : {R"("shard":"3")", R"("index":"1")"}) {
    auto parts = members();
    parts.emplace_back(member);
    EXPECT_FALSE(parse_json_line(joined_members(parts)).has_value()) << member;
  }
}

TEST(dead_letter_json, has_members_of_their_own_type_only) {
  for (const auto& member : members()) {
    const std::string key = member.substr(1, member.find('"', 1) - 1);
    const bool is_number = key == "shard" || key == "index";
    const std::string quoted_number = "\"" + key + "\":\"1\"";
    const std::string number = "\"" + key + "\":1";
    if (is_number) {
      EXPECT_TRUE(read_with(key, number).has_value()) << key;
      EXPECT_FALSE(read_with(key, quoted_number).has_value()) << key;
    } else {
      EXPECT_FALSE(read_with(key, number).has_value()) << key;
    }
    for (const char* other : {"null", "true", "{}", "[]", "", "\"x", "{\"a\":1}"}) {
      EXPECT_FALSE(read_with(key, "\"" + key + "\":" + other).has_value()) << key << ' ' << other;
    }
  }
}

TEST(dead_letter_json, has_whole_numbers_in_their_range) {
  for (const char* bad :
       {"1.0", "1e3", "+1", "0x1", "1_0", "9223372036854775808", "-9223372036854775809", "--1", "-"}) {
    EXPECT_FALSE(read_with("shard", std::string("\"shard\":") + bad).has_value()) << bad;
  }
  for (const char* bad : {"-1", "1.5", "18446744073709551616", "+1"}) {
    EXPECT_FALSE(read_with("index", std::string("\"index\":") + bad).has_value()) << bad;
  }
}

TEST(dead_letter_json, has_a_time_of_rfc_3339) {
  const auto time_of = [](const std::string& text) {
    const auto record = read_with("time", "\"time\":\"" + text + "\"");
    return record ? format_utc_millis(record->time) : "no dead letter";
  };
  EXPECT_EQ(time_of("2026-01-02T13:00:00.005+01:00"), "2026-01-02T12:00:00.005Z");
  EXPECT_EQ(time_of("2026-01-02T12:00:00Z"), "2026-01-02T12:00:00.000Z");
  for (const char* bad : {"", "2026-01-02", "2026-01-02T12:00:00", "2026-13-02T12:00:00Z", "now"}) {
    EXPECT_EQ(time_of(bad), "no dead letter") << bad;
  }
}

TEST(dead_letter_json, reads_every_escape_that_json_has) {
  EXPECT_EQ(original_of(R"(\"\\\/\b\f\n\r\t)"), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(original_of(R"(\u0041\u00e9\u20AC\ud83d\ude00)"), "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  EXPECT_EQ(original_of(R"(\u007f\u0080\u07ff\u0800\uffff)"), "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf");
  EXPECT_EQ(original_of(R"(\ud800\udc00\udbff\udfff)"), "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
  EXPECT_EQ(original_of(R"(a\u0000b)"), std::string("a\0b", 3));
}

TEST(dead_letter_json, refuses_escapes_that_json_does_not_have) {
  for (const char* bad :
       {R"(\x41)", R"(\')", R"(\0)", R"(\u12)", R"(\u12g4)", R"(\u+123)", R"(\u-123)", R"(\U0041)", R"(\udc00)",
        R"(\ud83d)", R"(\ud83dx)", R"(\ud83d\n)", R"(\ud83d\u0041)", R"(\ud83d\ud83d)"}) {
    EXPECT_EQ(original_of(bad), "no dead letter") << bad;
  }
}

TEST(dead_letter_json, refuses_control_characters_and_bytes_that_are_no_text) {
  for (const char* bad : {"\n", "\t", "\x1f", "\xff", "\xc0\x80", "\xe2\x82"}) {
    EXPECT_EQ(original_of(bad), "no dead letter");
  }
  EXPECT_EQ(original_of(std::string(1, '\0')), "no dead letter");
}

TEST(dead_letter_json, reads_an_original_in_base64_byte_by_byte) {
  const auto bytes_of = [](const std::string& text) {
    const auto record = read_with("original", "\"original_base64\":\"" + text + "\"");
    return record ? record->letter.original : "no dead letter";
  };
  EXPECT_EQ(bytes_of("//4A"), std::string("\xff\xfe\0", 3));
  EXPECT_EQ(bytes_of(""), "");
  for (const char* bad : {"*", "A", "AAA=A", "//4A="}) EXPECT_EQ(bytes_of(bad), "no dead letter") << bad;
}

TEST(dead_letter_json, passes_over_members_it_does_not_know_if_they_are_scalars) {
  const auto readable = [](const std::string& member) {
    auto parts = members();
    parts.insert(parts.begin() + 2, member);
    return parse_json_line(joined_members(parts)).has_value();
  };
  for (const char* fine : {R"("n":"")", R"("":1)", R"("n":null)", R"("n":-1.5e3)", R"("Index":9)", R"("Time":"x")"}) {
    EXPECT_TRUE(readable(fine)) << fine;
  }
  for (const char* bad : {R"("n":[])", R"("n":{"a":1})", R"("n":)", R"("n")", R"(n:1)", R"("n":1 2)", R"(5:1)", ""}) {
    EXPECT_FALSE(readable(bad)) << bad;
  }
}

TEST(dead_letter_json, is_one_object_and_nothing_beside_it) {
  const std::string good = joined_members(members());
  EXPECT_TRUE(parse_json_line(" \t" + good + "\t ").has_value());
  EXPECT_FALSE(parse_json_line(good + "\n").has_value());
  EXPECT_FALSE(parse_json_line(good + "\r").has_value());
  EXPECT_FALSE(parse_json_line(good + good).has_value());
  EXPECT_FALSE(parse_json_line("[" + good + "]").has_value());
  EXPECT_FALSE(parse_json_line("\xef\xbb\xbf" + good).has_value());
  for (const char* other : {"", " ", "{}", "{", "}", "[]", "null", "{,}", "{\"a\"}"}) {
    EXPECT_FALSE(parse_json_line(other).has_value()) << other;
  }
  auto trailing = good;
  trailing.insert(trailing.size() - 1, ",");
  EXPECT_FALSE(parse_json_line(trailing).has_value());
}

}  // namespace
}  // namespace engine
