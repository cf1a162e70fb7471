#include "tools/emulator/sls/log_query.hpp"

#include <gtest/gtest.h>

namespace emulator::sls {
namespace {

bool matches(std::string_view query) {
  const auto parsed = log_query::parse(query);
  EXPECT_TRUE(parsed.has_value()) << query;
  return parsed && parsed->matches({{"__topic__", "actiontrail_audit_event"},
                                    {"event", R"({"eventName":"CreateInstance","eventRW":"Write"})"}});
}

TEST(log_query, star_and_nothing_match_everything) {
  EXPECT_TRUE(matches("*"));
  EXPECT_TRUE(matches(""));
}

TEST(log_query, keywords_match_any_value_letter_case_aside) {
  EXPECT_TRUE(matches("createinstance"));
  EXPECT_TRUE(matches("CreateInstance and write"));
  EXPECT_FALSE(matches("CreateInstance DeleteInstance"));
}

TEST(log_query, a_key_limits_its_value_to_that_field) {
  EXPECT_TRUE(matches("__topic__: actiontrail_audit_event"));
  EXPECT_TRUE(matches("event:\"CreateInstance\" and *"));
  EXPECT_TRUE(matches("event: *"));
  EXPECT_FALSE(matches("__topic__: CreateInstance"));
  EXPECT_FALSE(matches("nothing: *"));
}

TEST(log_query, anything_beyond_is_refused) {
  for (const auto* query : {"* | select count(1)", "a or b", "not a", "(a)", "\"open", ": x"}) {
    const auto parsed = log_query::parse(query);
    ASSERT_FALSE(parsed.has_value()) << query;
    EXPECT_EQ(parsed.error().code, "ParameterInvalid");
  }
}

}  // namespace
}  // namespace emulator::sls
