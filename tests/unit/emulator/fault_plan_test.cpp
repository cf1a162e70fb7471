#include "tools/emulator/fault_plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace emulator {
namespace {

std::string problem(std::string_view json) {
  fault_plan plan(1);
  const auto done = plan.replace(json);
  return done ? "" : done.error();
}

TEST(fault_plan, reads_every_key_of_a_fault) {
  fault_plan plan(1);
  const auto done = plan.replace(R"([{"role":"sls","op":"pull_logs","match":{"account":"a","logstore":"l","rule":"r"},
    "kind":"status","status":403,"code":"ReadQuotaExceed","retry_after":7,"seconds":0.5,"rate":1,"count":2}])");
  ASSERT_TRUE(done.has_value());
  EXPECT_EQ(*done, 1U);
  const auto hit = plan.match({"sls", "pull_logs", "a", "l", "r"});
  ASSERT_TRUE(hit.has_value());
  EXPECT_EQ(hit->kind, fault_kind::status);
  EXPECT_EQ(hit->status, 403);
  EXPECT_EQ(hit->code, "ReadQuotaExceed");
  EXPECT_EQ(hit->retry_after_s, 7);
  EXPECT_EQ(hit->seconds, 0.5);
}

TEST(fault_plan, hits_only_what_role_op_and_match_name) {
  fault_plan plan(1);
  ASSERT_TRUE(plan.replace(R"([{"role":"sls","op":"pull_logs","match":{"logstore":"l"},"kind":"garbage"}])"));
  EXPECT_FALSE(plan.match({"ingest", "pull_logs", "a", "l", ""}));
  EXPECT_FALSE(plan.match({"sls", "get_cursor", "a", "l", ""}));
  EXPECT_FALSE(plan.match({"sls", "pull_logs", "a", "other", ""}));
  EXPECT_TRUE(plan.match({"sls", "pull_logs", "any", "l", ""}));
}

TEST(fault_plan, a_fault_without_role_hits_everything) {
  fault_plan plan(1);
  ASSERT_TRUE(plan.replace(R"([{"kind":"stall","seconds":2}])"));
  EXPECT_TRUE(plan.match({"entra", "token", "", "", ""}));
  EXPECT_TRUE(plan.match({"ingest", "upload", "", "", "dcr"}));
}

TEST(fault_plan, stops_after_count_hits) {
  fault_plan plan(1);
  ASSERT_TRUE(plan.replace(R"([{"kind":"status","count":2},{"kind":"garbage","count":1}])"));
  EXPECT_EQ(plan.active(), 2U);
  EXPECT_EQ(plan.match({})->kind, fault_kind::status);
  EXPECT_EQ(plan.match({})->kind, fault_kind::status);
  EXPECT_EQ(plan.active(), 1U);
  EXPECT_EQ(plan.match({})->kind, fault_kind::garbage);
  EXPECT_FALSE(plan.match({}));
  EXPECT_EQ(plan.active(), 0U);
}

TEST(fault_plan, a_rate_hits_that_share_and_the_same_requests_for_the_same_seed) {
  const auto hits = [](std::uint64_t seed) {
    fault_plan plan(seed);
    EXPECT_TRUE(plan.replace(R"([{"kind":"status","rate":0.25}])"));
    std::string drawn;
    for (int i = 0; i < 4000; ++i) drawn += plan.match({}) ? '1' : '0';
    return drawn;
  };
  const auto first = hits(5);
  EXPECT_EQ(first, hits(5));
  EXPECT_NE(first, hits(6));
  const auto count = std::ranges::count(first, '1');
  EXPECT_GT(count, 900);
  EXPECT_LT(count, 1100);
}

TEST(fault_plan, a_reset_before_the_body_is_asked_for_apart_from_all_other_kinds) {
  fault_plan plan(1);
  ASSERT_TRUE(plan.replace(R"([{"kind":"reset_before","count":1},{"kind":"reset_after","count":1}])"));
  EXPECT_EQ(plan.match({})->kind, fault_kind::reset_after);
  EXPECT_FALSE(plan.match({}));
  EXPECT_TRUE(plan.resets_before({}));
  EXPECT_FALSE(plan.resets_before({}));
}

TEST(fault_plan, a_new_list_replaces_the_old_and_a_bad_one_leaves_it) {
  fault_plan plan(1);
  ASSERT_TRUE(plan.replace(R"([{"kind":"status"},{"kind":"slow"}])"));
  EXPECT_FALSE(plan.replace(R"([{"kind":"nonsense"}])"));
  EXPECT_EQ(plan.active(), 2U);
  EXPECT_EQ(plan.replace("[]"), 0U);
  EXPECT_EQ(plan.active(), 0U);
}

TEST(fault_plan, names_entry_and_key_of_what_is_wrong) {
  EXPECT_EQ(problem("{"), "faults: not JSON");
  EXPECT_EQ(problem("{}"), "faults: must be a list");
  EXPECT_EQ(problem(R"([{"kind":"slow"},{"role":"sls"}])"), "faults[1].kind: missing");
  EXPECT_EQ(problem(R"([{"kind":"slow","role":"dns"}])"), "faults[0].role: unknown: dns");
  EXPECT_EQ(problem(R"([{"kind":"slow","op":"fly"}])"), "faults[0].op: unknown: fly");
  EXPECT_EQ(problem(R"([{"kind":"slow","colour":1}])"), "faults[0].colour: unknown key");
  EXPECT_EQ(problem(R"([{"kind":"slow","match":{"shard":"1"}}])"),
            "faults[0].match.shard: unknown key (account, logstore, rule)");
  EXPECT_EQ(problem(R"([{"kind":"status","status":99}])"), "faults[0].status: must be 200 to 599");
  EXPECT_EQ(problem(R"([{"kind":"slow","rate":1.5}])"), "faults[0].rate: must be 0 to 1");
  EXPECT_EQ(problem(R"([{"kind":"slow","count":-1}])"), "faults[0].count: must be a whole number");
  EXPECT_EQ(problem(R"([{"kind":"slow","seconds":"1"}])"), "faults[0].seconds: must be 0 to 3600");
}

response answer_spoiled_by(fault_kind kind) {
  fault f;
  f.kind = kind;
  f.seconds = 1.5;
  f.draw = 99;
  response answer;
  answer.text(std::string(300, 'a'));
  spoil_answer(f, answer);
  return answer;
}

TEST(fault_plan, carries_out_what_concerns_the_finished_answer) {
  EXPECT_EQ(answer_spoiled_by(fault_kind::lost_answer).how, delivery::close_without_answer);
  EXPECT_EQ(answer_spoiled_by(fault_kind::reset_after).how, delivery::close_without_answer);
  EXPECT_EQ(answer_spoiled_by(fault_kind::stall).hold, std::chrono::milliseconds(1500));
  EXPECT_EQ(answer_spoiled_by(fault_kind::slow).drip, std::chrono::milliseconds(1500));
  EXPECT_EQ(*answer_spoiled_by(fault_kind::truncate).body, std::string(200, 'a'));
  const auto noise = *answer_spoiled_by(fault_kind::garbage).body;
  EXPECT_EQ(noise.size(), 300U);
  EXPECT_NE(noise, std::string(300, 'a'));
  EXPECT_EQ(*answer_spoiled_by(fault_kind::drop_row).body, std::string(300, 'a'));
}

}  // namespace
}  // namespace emulator
