#include "stages/sls/replies.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace stages::sls {
namespace {

// A value or the sentence of the error, in one comparable text.
std::string shown(const reading<std::string>& r) { return r ? *r : "error: " + r.error(); }
std::string shown(const reading<std::int64_t>& r) { return r ? std::to_string(*r) : "error: " + r.error(); }
std::string shown(const reading<std::vector<shard>>& r) {
  if (!r) return "error: " + r.error();
  std::string out;
  for (const auto& s : *r) {
    if (!out.empty()) out += ", ";
    out += std::to_string(s.id) + (s.status == shard_status::read_only ? " closed " : " open ");
    out += s.begin_key + "-" + s.end_key + " " + std::to_string(s.create_time_s);
  }
  return out;
}

const std::string not_a_list = "error: the list of shards is not a JSON array";
const std::string not_a_shard = "error: a shard is not a JSON object";
const std::string no_id = "error: a shard has no usable shardID";
const std::string no_cursor = "error: the reply names no cursor";
const std::string no_time = "error: the reply names no cursor_time";

// What is no JSON at all, or too much of it, for every reader alike.
std::vector<std::string> garbage() {
  std::vector<std::string> texts{
      "",           " ",    "<html>proxy</html>", "\xff\xfe", "nul",          "{\"a\":}",           "{} {}",
      "[] []",      "[1,]", "{\"cursor\":\"x\"",  "[{]}",     "\"\xc3\x28\"", std::string(8, '\0'), "{'a':'b'}",
      "\"\\ud800\""};
  texts.push_back(std::string(5000, '['));
  texts.push_back(std::string(5000, '[') + std::string(5000, ']'));
  texts.push_back("{\"cursor\":\"a\nb\"}");
  return texts;
}

// --- ListShards ----------------------------------------------------------------------------------------------------

TEST(sls_shards, are_read_with_all_the_service_says) {
  EXPECT_EQ(shown(read_shards(R"([{"shardID":0,"status":"readwrite","inclusiveBeginKey":"00","exclusiveEndKey":"80",
                                   "createTime":1453949705},
                                  {"shardID":1,"status":"readonly","inclusiveBeginKey":"80","exclusiveEndKey":"ff",
                                   "createTime":1453949706}])")),
            "0 open 00-80 1453949705, 1 closed 80-ff 1453949706");
  EXPECT_EQ(shown(read_shards("[]")), "");
}

TEST(sls_shards, come_by_id_and_each_id_once) {
  EXPECT_EQ(shown(read_shards(R"([{"shardID":30},{"shardID":4},{"shardID":200},{"shardID":4}])")),
            "4 open - 0, 30 open - 0, 200 open - 0");
}

// Taken for finished too early, a shard would lose what still comes in.
TEST(sls_shards, listed_open_and_closed_are_open) {
  EXPECT_EQ(shown(read_shards(R"([{"shardID":1,"status":"readonly"},{"shardID":1,"status":"readwrite"}])")),
            "1 open - 0");
  EXPECT_EQ(shown(read_shards(R"([{"shardID":1,"status":"readwrite"},{"shardID":1,"status":"readonly"}])")),
            "1 open - 0");
}

TEST(sls_shards, are_closed_by_one_word_only) {
  for (const char* word : {"readonly", "ReadOnly", "READONLY"}) {
    EXPECT_EQ(shown(read_shards(R"([{"shardID":1,"status":")" + std::string(word) + "\"}]")), "1 closed - 0") << word;
  }
  for (const char* value : {R"("readwrite")", R"("")", R"("readonly ")", R"("read-only")", R"("deleted")", "1", "null",
                            "true", R"(["readonly"])"}) {
    EXPECT_EQ(shown(read_shards(R"([{"shardID":1,"status":)" + std::string(value) + "}]")), "1 open - 0") << value;
  }
}

TEST(sls_shards, spell_their_numbers_as_numbers_or_as_texts) {
  const auto with_id = [](const std::string& id) { return shown(read_shards(R"([{"shardID":)" + id + "}]")); };
  EXPECT_EQ(with_id("7"), "7 open - 0");
  EXPECT_EQ(with_id(R"("7")"), "7 open - 0");
  EXPECT_EQ(with_id("9223372036854775807"), "9223372036854775807 open - 0");
  EXPECT_EQ(with_id(R"("9223372036854775807")"), "9223372036854775807 open - 0");
  for (const char* bad : {"-1", R"("-1")", "1.0", "1e2", "9223372036854775808", R"("9223372036854775808")", R"("")",
                          R"(" 7")", R"("7 ")", R"("+7")", R"("0x7")", R"("7.0")", "true", "null", "[7]", "{}"}) {
    EXPECT_EQ(with_id(bad), no_id) << bad;
  }
}

TEST(sls_shards, without_an_id_spoil_the_whole_list) {
  EXPECT_EQ(shown(read_shards(R"([{"status":"readwrite"}])")), no_id);
  EXPECT_EQ(shown(read_shards(R"([{"shardID":1},{}])")), no_id);
  EXPECT_EQ(shown(read_shards(R"([{"shardId":1}])")), no_id);
}

TEST(sls_shards, lack_what_else_is_missing_or_of_another_type) {
  EXPECT_EQ(shown(read_shards(R"([{"shardID":3,"createTime":"1453949705"}])")), "3 open - 1453949705");
  for (const char* odd : {"null", "1.5", "true", R"("soon")", "[]", R"("")"}) {
    EXPECT_EQ(shown(read_shards(R"([{"shardID":3,"createTime":)" + std::string(odd) + "}]")), "3 open - 0") << odd;
  }
  EXPECT_EQ(shown(read_shards(R"([{"shardID":3,"inclusiveBeginKey":0,"exclusiveEndKey":null}])")), "3 open - 0");
}

TEST(sls_shards, are_read_past_members_of_later_versions) {
  const std::string deep = std::string(100, '[') + std::string(100, ']');
  EXPECT_EQ(shown(read_shards(R"([{"new":{"shardID":9},"shardID":3,"serverIp":null,"more":)" + deep + "}]")),
            "3 open - 0");
  EXPECT_EQ(shown(read_shards(R"([{"note":")" + std::string(3'000'000, 'x') + R"(","shardID":3}])")), "3 open - 0");
}

TEST(sls_shards, may_be_many) {
  constexpr int many = 20'000;
  std::string list = "[";
  for (int i = many; i-- > 0;) list += R"({"shardID":)" + std::to_string(i) + (i == 0 ? "}" : "},");
  const auto shards = read_shards(list + "]");
  ASSERT_TRUE(shards) << shards.error();
  ASSERT_EQ(shards->size(), std::size_t{many});
  for (std::size_t i = 0; i < shards->size(); ++i) ASSERT_EQ((*shards)[i].id, static_cast<std::int64_t>(i));
}

TEST(sls_shards, are_not_read_from_anything_but_a_list_of_objects) {
  for (const char* other : {"{}", R"({"shards":[]})", "null", "5", R"("[]")", "true"}) {
    EXPECT_EQ(shown(read_shards(other)), not_a_list) << other;
  }
  for (const char* element : {"[1]", "[null]", "[[]]", R"(["0"])", R"([{"shardID":1},2])"}) {
    EXPECT_EQ(shown(read_shards(element)), not_a_shard) << element;
  }
  for (const auto& text : garbage()) EXPECT_EQ(shown(read_shards(text)), not_a_list) << text.substr(0, 40);
}

TEST(sls_shards, of_a_list_cut_anywhere_are_an_error) {
  const std::string whole = R"([{"shardID":0,"status":"readwrite"},{"shardID":1}])";
  ASSERT_EQ(shown(read_shards(whole)), "0 open - 0, 1 open - 0");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(shown(read_shards(whole.substr(0, size))), not_a_list) << size;
  }
}

// --- GetCursor and its time ----------------------------------------------------------------------------------------

TEST(sls_cursor, is_the_text_the_service_gave) {
  EXPECT_EQ(shown(read_cursor(R"({"cursor":"MTQ0NzI5OTYwNjg5NjYzMjM1Ng=="})")), "MTQ0NzI5OTYwNjg5NjYzMjM1Ng==");
  EXPECT_EQ(shown(read_cursor(R"({"a":[1],"cursor":"M\u0041==","cursor_time":5})")), "MA==");
  EXPECT_EQ(shown(read_cursor(R"({"cursor":")" + std::string(1'000'000, 'M') + "\"}")), std::string(1'000'000, 'M'));
}

TEST(sls_cursor, is_missing_when_it_is_empty_of_another_type_or_not_there) {
  for (const char* reply :
       {"{}", R"({"cursor":""})", R"({"cursor":5})", R"({"cursor":null})", R"({"cursor":["M"]})",
        R"({"Cursor":"MA=="})", R"({"data":{"cursor":"MA=="}})", R"([{"cursor":"MA=="}])", R"("MA==")", "null"}) {
    EXPECT_EQ(shown(read_cursor(reply)), no_cursor) << reply;
  }
  for (const auto& text : garbage()) EXPECT_EQ(shown(read_cursor(text)), no_cursor) << text.substr(0, 40);
}

TEST(sls_cursor_time, is_a_number_or_a_text_of_digits) {
  EXPECT_EQ(shown(read_cursor_time(R"({"cursor_time":1554260243})")), "1554260243");
  EXPECT_EQ(shown(read_cursor_time(R"({"cursor_time":"1554260243","x":1})")), "1554260243");
  EXPECT_EQ(shown(read_cursor_time(R"({"cursor_time":0})")), "0");
  EXPECT_EQ(shown(read_cursor_time(R"({"cursor_time":-1})")), "-1");
}

TEST(sls_cursor_time, is_missing_when_it_is_nothing_of_the_kind) {
  for (const char* reply : {"{}", R"({"cursor_time":""})", R"({"cursor_time":"soon"})", R"({"cursor_time":"15 "})",
                            R"({"cursor_time":1.5})", R"({"cursor_time":1e9})", R"({"cursor_time":null})",
                            R"({"cursor_time":18446744073709551615})", R"({"cursor_time":"18446744073709551615"})",
                            R"({"cursorTime":1554260243})", "[]", "1554260243"}) {
    EXPECT_EQ(shown(read_cursor_time(reply)), no_time) << reply;
  }
  for (const auto& text : garbage()) EXPECT_EQ(shown(read_cursor_time(text)), no_time) << text.substr(0, 40);
}

// --- errors --------------------------------------------------------------------------------------------------------

std::string error_shown(std::string_view json) {
  const auto error = read_error(json);
  return error.code + "|" + error.message;
}

TEST(sls_error, is_read_as_sent) {
  EXPECT_EQ(error_shown(R"({"errorCode":"ShardNotExist","errorMessage":"Shard 5 is not there"})"),
            "ShardNotExist|Shard 5 is not there");
  EXPECT_EQ(error_shown(R"({"requestId":"A","errorMessage":"\u00e9\n","errorCode":"X y"})"), "X y|\xc3\xa9\n");
}

TEST(sls_error, lacks_what_is_missing_or_of_another_type) {
  EXPECT_EQ(error_shown(R"({"errorCode":"X"})"), "X|");
  EXPECT_EQ(error_shown(R"({"errorMessage":"m"})"), "|m");
  EXPECT_EQ(error_shown(R"({"errorCode":5,"errorMessage":["m"]})"), "|");
  EXPECT_EQ(error_shown(R"({"ErrorCode":"X","error":{"errorCode":"Y"}})"), "|");
  for (const char* other : {"{}", "[]", "null", R"(["errorCode"])", R"("errorCode")"}) {
    EXPECT_EQ(error_shown(other), "|") << other;
  }
  for (const auto& text : garbage()) EXPECT_EQ(error_shown(text), "|") << text.substr(0, 40);
}

// --- the head of a pull --------------------------------------------------------------------------------------------

engine::http_response_head head_of(engine::http_headers changed, std::optional<std::uint64_t> length = 10) {
  engine::http_headers headers{{"x-log-bodyrawsize", "30"}, {"x-log-count", "2"}, {"x-log-cursor", "MTI="}};
  for (auto& [name, value] : changed) {
    std::erase_if(headers, [&](const auto& field) { return field.first == name; });
    if (value != "-") headers.emplace_back(name, value);
  }
  return {.status = 200, .headers = std::move(headers), .content_length = length};
}

std::string announced(engine::http_headers changed, std::optional<std::uint64_t> length = 10) {
  const auto a = read_announcement(head_of(std::move(changed), length), "asked");
  if (!a) return "error: " + a.error();
  return std::to_string(a->content_length) + " " + std::to_string(a->raw_bytes) + " " + std::to_string(a->group_count) +
         " " + a->next_cursor + " " + std::to_string(static_cast<int>(a->coding));
}

std::string coded(codec coding) { return "10 30 2 MTI= " + std::to_string(static_cast<int>(coding)); }

TEST(sls_announcement, tells_sizes_count_cursor_and_coding) {
  EXPECT_EQ(announced({}), coded(codec::none));
  EXPECT_EQ(announced({{"x-log-compresstype", ""}}), coded(codec::none));
  for (const char* name : {"lz4", "LZ4"}) EXPECT_EQ(announced({{"x-log-compresstype", name}}), coded(codec::lz4));
  for (const char* name : {"zstd", "ZStd"}) EXPECT_EQ(announced({{"x-log-compresstype", name}}), coded(codec::zstd));
  for (const char* name : {"deflate", "gzip", "GZIP"}) {
    EXPECT_EQ(announced({{"x-log-compresstype", name}}), coded(codec::deflate));
  }
  EXPECT_EQ(announced({}, std::nullopt), "0 30 2 MTI= 0");
  EXPECT_EQ(announced({{"x-log-bodyrawsize", "18446744073709551615"}}), "10 18446744073709551615 2 MTI= 0");
}

TEST(sls_announcement, is_bad_without_one_of_its_headers) {
  for (const char* name : {"x-log-bodyrawsize", "x-log-count", "x-log-cursor"}) {
    EXPECT_EQ(announced({{name, "-"}}), "error: the reply lacks x-log-bodyrawsize, x-log-count or x-log-cursor");
  }
}

TEST(sls_announcement, is_bad_with_numbers_that_are_none) {
  for (const char* value : {"", "many", "-1", "+1", " 1", "1 ", "0x10", "1.0", "18446744073709551616"}) {
    for (const char* name : {"x-log-bodyrawsize", "x-log-count"}) {
      EXPECT_EQ(announced({{name, value}}), "error: x-log-bodyrawsize or x-log-count is not a number") << value;
    }
  }
}

// Going on with the old cursor behind data would read the same block for ever.
TEST(sls_announcement, keeps_the_asked_cursor_only_where_there_is_no_data) {
  EXPECT_EQ(announced({{"x-log-cursor", ""}, {"x-log-bodyrawsize", "0"}}), "10 0 2 asked 0");
  EXPECT_EQ(announced({{"x-log-cursor", ""}}), "error: a reply with data has an empty x-log-cursor");
  EXPECT_EQ(announced({{"x-log-bodyrawsize", "0"}}), "10 0 2 MTI= 0");
}

TEST(sls_announcement, names_an_unknown_coding_in_safe_characters) {
  EXPECT_EQ(announced({{"x-log-compresstype", "br"}}), "error: the reply has the unknown x-log-compresstype 'br'");
  EXPECT_EQ(announced({{"x-log-compresstype", "b\r\n'r\x1b[0m"}}),
            "error: the reply has the unknown x-log-compresstype 'br0m'");
  EXPECT_EQ(announced({{"x-log-compresstype", "lz4 "}}), "error: the reply has the unknown x-log-compresstype 'lz4'");
}

TEST(sls_hints, are_read_where_they_are_given) {
  const auto hints = read_hints(
      head_of({{"x-log-end-of-cursor", "1"}, {"x-log-read-last-cursor", "11"}, {"x-log-cursor-time", "1554260243"}}));
  EXPECT_TRUE(hints.at_end);
  EXPECT_EQ(hints.read_last_cursor, 11);
  EXPECT_EQ(hints.cursor_time_s, 1554260243);
  EXPECT_EQ(read_hints(head_of({{"x-log-read-last-cursor", "-1"}})).read_last_cursor, -1);
}

TEST(sls_hints, are_left_out_where_they_cannot_be_read) {
  const auto none = read_hints(head_of({}));
  EXPECT_FALSE(none.at_end);
  EXPECT_EQ(none.read_last_cursor, std::nullopt);
  EXPECT_EQ(none.cursor_time_s, std::nullopt);
  for (const char* value : {"", "x", "1 ", " 1", "1.0", "9223372036854775808"}) {
    const auto odd = read_hints(
        head_of({{"x-log-end-of-cursor", value}, {"x-log-read-last-cursor", value}, {"x-log-cursor-time", value}}));
    EXPECT_FALSE(odd.at_end) << value;
    EXPECT_EQ(odd.read_last_cursor, std::nullopt) << value;
    EXPECT_EQ(odd.cursor_time_s, std::nullopt) << value;
  }
  for (const char* value : {"0", "true", "2"})
    EXPECT_FALSE(read_hints(head_of({{"x-log-end-of-cursor", value}})).at_end);
}

}  // namespace
}  // namespace stages::sls
