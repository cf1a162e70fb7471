#include "tools/emulator/json_value.hpp"

#include <gtest/gtest.h>

namespace emulator {
namespace {

using kind = json_value::kind;

TEST(json_value, reads_every_kind_of_value) {
  const auto v = parse_json(R"({"a":[1,-2.5,"t\u00e9\"x",true,null],"b":{"c":9007199254740993}})");
  ASSERT_TRUE(v.has_value());
  const auto& list = *v->find("a");
  ASSERT_EQ(list.items.size(), 5U);
  EXPECT_EQ(list.items[0].integer(), 1);
  EXPECT_EQ(list.items[1].number(), -2.5);
  EXPECT_FALSE(list.items[1].integer());
  EXPECT_EQ(list.items[2].text, "t\xc3\xa9\"x");
  EXPECT_TRUE(list.items[3].truth);
  EXPECT_TRUE(list.items[4].is(kind::null));
  EXPECT_EQ(v->find("b")->find("c")->integer(), 9007199254740993);
  EXPECT_EQ(v->find("z"), nullptr);
}

TEST(json_value, refuses_what_is_not_json_or_too_deep) {
  for (const auto* text : {"", "{", "[1,]", "{\"a\"}", "nope", "1 2"}) EXPECT_FALSE(parse_json(text)) << text;
  EXPECT_TRUE(parse_json(std::string(64, '[') + std::string(64, ']')));
  EXPECT_FALSE(parse_json(std::string(65, '[') + std::string(65, ']')));
}

}  // namespace
}  // namespace emulator
