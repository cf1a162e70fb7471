#include "tools/emulator/http_message.hpp"

#include <gtest/gtest.h>

namespace emulator {
namespace {

using pairs = std::vector<std::pair<std::string, std::string>>;

TEST(http_message, a_target_gives_path_and_decoded_query) {
  request r;
  set_target(r, "/logstores/a%20b?type=log&q=a+b%2Bc&empty=&bare");
  EXPECT_EQ(r.path, "/logstores/a%20b");
  EXPECT_EQ(r.query, (pairs{{"type", "log"}, {"q", "a b+c"}, {"empty", ""}, {"bare", ""}}));
  EXPECT_TRUE(r.has_query("bare"));
  EXPECT_FALSE(r.has_query("none"));
}

TEST(http_message, the_absolute_form_loses_scheme_and_host) {
  request r;
  set_target(r, "http://p.example:80/logstores?x=1");
  EXPECT_EQ(r.target, "/logstores?x=1");
  set_target(r, "https://p.example");
  EXPECT_EQ(r.target, "/");
  set_target(r, "https://p.example?x=1");
  EXPECT_EQ(r.target, "/?x=1");
  set_target(r, "/redirect?to=http://other/");
  EXPECT_EQ(r.path, "/redirect");
}

TEST(http_message, decoding_leaves_broken_escapes_alone) {
  EXPECT_EQ(percent_decode("%41%zz%4", false), "A%zz%4");
  EXPECT_EQ(percent_decode("a+b", false), "a+b");
}

TEST(http_message, segments_are_decoded_apart) {
  EXPECT_EQ(path_segments("/a/b%2Fc//d/"), (std::vector<std::string>{"a", "b/c", "d"}));
  EXPECT_TRUE(path_segments("/").empty());
}

TEST(http_message, json_strings_are_valid_whatever_the_bytes) {
  EXPECT_EQ(json_quoted("a\"b\\c\n\x01"), "\"a\\\"b\\\\c\\u000a\\u0001\"");
  EXPECT_EQ(json_quoted("\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80"), "\"\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80\"");
  EXPECT_EQ(json_quoted("\xff\xed\xa0\x80x\xc3"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx\xef\xbf\xbd\"");
}

TEST(http_message, headers_are_found_by_lower_case_name) {
  request r;
  r.headers = {{"host", "a"}, {"empty", ""}};
  EXPECT_EQ(r.header("host"), "a");
  EXPECT_EQ(r.header("none"), "");
  EXPECT_TRUE(r.has_header("empty"));
  EXPECT_FALSE(r.has_header("none"));
}

}  // namespace
}  // namespace emulator
