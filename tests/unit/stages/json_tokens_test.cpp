#include "stages/json_tokens.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace stages {
namespace {

std::string listed(std::string_view object) {
  std::vector<json_member> members;
  list_members(object, members);
  std::string out;
  for (const auto& [key, value] : members) out.append(key).append("=").append(value).append(";");
  return out;
}

std::string ascii(std::string_view token) {
  std::array<char, 8> room;
  const auto text = decode_ascii(token, room);
  return text ? std::string(*text) : "none";
}

TEST(json_tokens, lists_members_with_their_raw_tokens) {
  EXPECT_EQ(listed(R"({"a":1,"b":"x,}\"]","c":{"d":[1,"}"]},"e":[],"f":null})"),
            R"("a"=1;"b"="x,}\"]";"c"={"d":[1,"}"]};"e"=[];"f"=null;)");
  EXPECT_EQ(listed("{ \"a\" :\t-1.5e3 ,\n\"a\" : true\r}"), R"("a"=-1.5e3;"a"=true;)");
  EXPECT_EQ(listed("{}"), "");
  EXPECT_EQ(listed("{ }"), "");
}

TEST(json_tokens, ends_a_token_where_it_ends) {
  EXPECT_EQ(first_token(R"("a\\"b)"), R"("a\\")");
  EXPECT_EQ(first_token("12]"), "12");
  EXPECT_EQ(first_token("[[],{}],1"), "[[],{}]");
}

TEST(json_tokens, counts_decoded_bytes) {
  EXPECT_EQ(decoded_bytes(R"("")"), 0U);
  EXPECT_EQ(decoded_bytes(R"("ab\n\"\\")"), 5U);
  EXPECT_EQ(decoded_bytes(R"("\u0041\u00e9\u4e2d")"), 6U);
  EXPECT_EQ(decoded_bytes(R"("\ud83d\ude00")"), 4U);
  EXPECT_EQ(decoded_bytes(R"("\ud83d")"), 3U);
  EXPECT_EQ(decoded_bytes(R"("\ud83dx")"), 4U);
  EXPECT_EQ(decoded_bytes(R"("\ud83d\ud83d\ude00")"), 7U);
  EXPECT_EQ(decoded_bytes("\"\xe4\xb8\xad\""), 3U);
}

TEST(json_tokens, decodes_short_ascii_only) {
  EXPECT_EQ(ascii(R"("true")"), "true");
  EXPECT_EQ(ascii(R"("\u0074r\/\n")"), "tr/\n");
  EXPECT_EQ(ascii(R"("12345678")"), "12345678");
  EXPECT_EQ(ascii(R"("123456789")"), "none");
  EXPECT_EQ(ascii(R"("\u00e9")"), "none");
  EXPECT_EQ(ascii("\"\xc3\xa9\""), "none");
}

}  // namespace
}  // namespace stages
