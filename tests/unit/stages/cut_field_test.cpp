#include "stages/cut_field.hpp"

#include <gtest/gtest.h>

#include <string>

#include "engine/base/digest.hpp"
#include "tests/unit/stages/event_block.hpp"

namespace stages {
namespace {

std::string mark_of(std::string_view token) {
  return R"({"penstock_cut":{"bytes":)" + std::to_string(token.size()) + R"(,"sha256":")" +
         engine::to_hex(engine::view_of(engine::sha256(token))) + R"("}})";
}

std::string in_text(std::string mark) {
  std::string out;
  for (const char c : mark) out.append(c == '"' ? "\\" : "").push_back(c);
  return '"' + out + '"';
}

struct cut_text {
  std::string text;
  std::size_t fields = 0;
  column first = column::count_;
  bool fits = false;
};

cut_text cut(std::string event, std::size_t bytes_max) {
  test::event_block block;
  event_cutter cutter;
  const auto result = cutter(block.add(std::move(event)), bytes_max);
  return {std::string(result.text), result.fields, result.first, result.fits};
}

TEST(cut_field, mark_says_size_and_digest_of_the_raw_token) {
  char room[mark_bytes_max];
  EXPECT_EQ(std::string(room, write_mark(R"({"a":1})", mark_form::object, room)), mark_of(R"({"a":1})"));
  EXPECT_EQ(mark_of("\"abc\""), R"({"penstock_cut":{"bytes":5,"sha256":")"
                                R"(6cc43f858fbb763301637b5af970e2a46b46f461f27e5a0f41e009c59b827b25"}})");
}

TEST(cut_field, mark_in_text_form_is_a_string_with_the_mark) {
  char room[mark_bytes_max];
  EXPECT_EQ(std::string(room, write_mark("\"abc\"", mark_form::text, room)), in_text(mark_of("\"abc\"")));
}

TEST(cut_field, cuts_in_the_given_order_until_the_text_fits) {
  const std::string parameters = R"({"p":")" + std::string(500, 'p') + R"("})";
  const std::string text = '"' + std::string(400, 't') + '"';
  const std::string answer = R"({"r":")" + std::string(300, 'r') + R"("})";
  const std::string data = '"' + std::string(900, 'd') + '"';
  const auto event = [&](const std::string& d, const std::string& t, const std::string& p, const std::string& r) {
    return R"({"additionalEventData":)" + d + R"(,"eventId":"1","requestParameterJson":)" + t +
           R"(,"requestParameters":)" + p + R"(,"responseElements":)" + r + "}";
  };
  const std::string whole = event(data, text, parameters, answer);
  const auto one = cut(whole, whole.size() - 1);
  EXPECT_TRUE(one.fits);
  EXPECT_EQ(one.first, column::responseElements);
  EXPECT_EQ(one.fields, 1U);
  EXPECT_EQ(one.text, event(data, text, parameters, mark_of(answer)));

  const auto two = cut(whole, one.text.size() - 1);
  EXPECT_EQ(two.text, event(data, text, mark_of(parameters), mark_of(answer)));

  const auto three = cut(whole, two.text.size() - 1);
  EXPECT_EQ(three.text, event(data, in_text(mark_of(text)), mark_of(parameters), mark_of(answer)));

  const auto four = cut(whole, three.text.size() - 1);
  EXPECT_EQ(four.text, event(mark_of(data), in_text(mark_of(text)), mark_of(parameters), mark_of(answer)));
  EXPECT_EQ(four.fields, 4U);

  EXPECT_FALSE(cut(whole, four.text.size() - 1).fits);
}

TEST(cut_field, cuts_no_other_member_whatever_its_size) {
  const std::string event =
      R"({"userAgent":")" + std::string(300, 's') + R"(","unknown":[)" + std::string(400, ' ') + "]}";
  EXPECT_FALSE(cut(event, event.size() - 10).fits);
}

TEST(cut_field, leaves_members_that_are_not_larger_than_a_mark) {
  const std::string large = '"' + std::string(400, 'd') + '"';
  const std::string event = R"({"responseElements":{},"requestParameters":null,"additionalEventData":)" + large + "}";
  const auto out = cut(event, 300);
  EXPECT_EQ(out.text,
            R"({"responseElements":{},"requestParameters":null,"additionalEventData":)" + mark_of(large) + "}");
  EXPECT_EQ(out.first, column::additionalEventData);
}

TEST(cut_field, takes_the_last_of_a_repeated_key_for_the_column) {
  const std::string first = '"' + std::string(200, 'a') + '"';
  const std::string last = '"' + std::string(201, 'b') + '"';
  const std::string event = R"({"responseElements":)" + first + R"(,"responseElements":)" + last + "}";
  EXPECT_EQ(cut(event, event.size() - 1).text,
            R"({"responseElements":)" + first + R"(,"responseElements":)" + mark_of(last) + "}");
}

}  // namespace
}  // namespace stages
