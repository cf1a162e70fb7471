#include "stages/fetch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "tests/support/memory_exchange.hpp"
#include "tests/support/run_task.hpp"
#include "tests/support/set_clock.hpp"

namespace stages {
namespace {

using engine::kib;
using engine::mib;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using tests::run_task;
using tests::scripted;
using tests::scripted_answer;
using kind = fetch_failure::kind;

constexpr std::size_t first_prediction = 2560 * kib;
constexpr std::size_t idle_prediction = 256 * kib;

// What fetch says a reply needs: itself, its plain bytes, its rows (at most a sixth larger), and a little.
std::size_t cost_of(std::size_t body_bytes, std::size_t plain_bytes) {
  return engine::buffer_pool::rounded(body_bytes) + plain_bytes + plain_bytes / 6 * 7 + 64 * kib;
}

scripted_answer reply(std::size_t body_bytes, std::size_t plain_bytes, std::size_t groups,
                      const std::string& next = "next", bool at_end = false) {
  engine::http_headers headers{{"x-log-bodyrawsize", std::to_string(plain_bytes)},
                               {"x-log-count", std::to_string(groups)},
                               {"x-log-cursor", next},
                               {"x-log-compresstype", "lz4"}};
  if (at_end) headers.emplace_back("x-log-end-of-cursor", "1");
  return {.status = 200, .headers = std::move(headers), .body = std::string(body_bytes, 'z')};
}
scripted_answer nothing_new() { return reply(0, 0, 0, "same"); }

// One logstore whose service answers as `answers` says, the last one for ever; `leased` and `permits_out` are what was
// taken when each request arrived.
struct fetching : testing::Test {
  void make(std::size_t budget_bytes, fetch_limits limits = {}) {
    budget = std::make_unique<engine::budget>(budget_bytes, 1, 1);
    exchange = std::make_unique<tests::memory_exchange>([this](const tests::seen_request&) -> scripted {
      leased.push_back(budget->in_use());
      permits_out.push_back(permits.in_use());
      scripted now = answers.front();
      if (answers.size() > 1) answers.pop_front();
      return now;
    });
    client = std::make_unique<sls::client>(
        sls::client_options{.endpoint = http::parse_base_url("cn-hangzhou.log.aliyuncs.com").value(),
                            .region = "cn-hangzhou",
                            .project = "audit"},
        *exchange, clock, credentials);
    pull = std::make_unique<fetch>(limits, clock, *client, *budget, permits, buffers, counts, counts.account("prod"));
  }
  std::expected<fetched, fetch_failure> run(unsigned groups = 0, const std::string& end_cursor = "") {
    return run_task((*pull)("trail", 3, "begin", end_cursor, {}, groups));
  }
  [[nodiscard]] std::string target(std::size_t request) const { return exchange->requests().at(request).target; }
  engine::budget::lease lease_of(std::size_t bytes) { return *run_task(budget->acquire({}, bytes)); }

  tests::set_clock clock;
  sls::fixed_credentials credentials{{.id = "LTAIexample", .key = engine::secret("a key"), .token = {}}};
  engine::permits permits{2, 2};
  engine::buffer_pool buffers{0};
  engine::metric_registry registry;
  telemetry counts{registry};
  std::deque<scripted> answers;
  std::vector<std::size_t> leased;
  std::vector<std::size_t> permits_out;
  std::unique_ptr<engine::budget> budget;
  std::unique_ptr<tests::memory_exchange> exchange;
  std::unique_ptr<sls::client> client;
  std::unique_ptr<fetch> pull;
};

TEST_F(fetching, leases_a_prediction_first_and_keeps_what_the_reply_costs) {
  make(64 * mib);
  answers = {reply(3'000, 60'000, 4)};
  auto got = run();
  ASSERT_TRUE(got.has_value());
  EXPECT_THAT(leased, ElementsAre(first_prediction));
  EXPECT_EQ(got->lease.bytes(), cost_of(3'000, 60'000));
  EXPECT_EQ(budget->in_use(), cost_of(3'000, 60'000));
  EXPECT_EQ(got->block.bytes.view(), std::string(3'000, 'z'));
  EXPECT_EQ(got->block.plain_bytes, 60'000U);
  EXPECT_EQ(got->block.group_count, 4U);
  EXPECT_EQ(got->block.coding, codec::lz4);
  EXPECT_EQ(got->block.cursor, "begin");
  EXPECT_EQ(got->block.next_cursor, "next");
  EXPECT_FALSE(got->at_end);
  got->lease.release();
  EXPECT_EQ(budget->in_use(), 0U);
}

TEST_F(fetching, leases_no_more_than_the_largest_block_where_memory_is_small) {
  make(2 * mib);
  answers = {reply(3'000, 60'000, 4)};
  EXPECT_TRUE(run().has_value());
  EXPECT_THAT(leased, ElementsAre(1 * mib));
}

TEST_F(fetching, holds_a_permit_for_the_request_only) {
  make(64 * mib);
  answers = {reply(3'000, 60'000, 4)};
  const auto got = run();
  EXPECT_THAT(permits_out, ElementsAre(1));
  EXPECT_EQ(permits.in_use(), 0U);
}

TEST_F(fetching, an_empty_reply_gives_the_lease_back_and_predicts_an_idle_shard) {
  make(64 * mib);
  answers = {nothing_new()};
  const auto got = run();
  ASSERT_TRUE(got.has_value());
  EXPECT_TRUE(got->block.bytes.empty());
  EXPECT_TRUE(got->at_end);
  EXPECT_EQ(got->block.next_cursor, "same");
  EXPECT_EQ(got->lease.bytes(), 0U);
  EXPECT_EQ(budget->in_use(), 0U);
  EXPECT_TRUE(run().has_value());
  EXPECT_THAT(leased, ElementsAre(first_prediction, idle_prediction));
}

TEST_F(fetching, predicts_a_quarter_more_than_the_last_reply) {
  make(64 * mib);
  answers = {reply(300'000, 2 * mib, 4)};
  EXPECT_TRUE(run().has_value());
  EXPECT_TRUE(run().has_value());
  const std::size_t cost = cost_of(300'000, 2 * mib);
  EXPECT_THAT(leased, ElementsAre(first_prediction, cost + cost / 4));
}

TEST_F(fetching, a_prediction_comes_down_by_quarters) {
  make(64 * mib);
  answers = {reply(100, 1'000, 1)};
  for (int i = 0; i < 12; ++i) EXPECT_TRUE(run().has_value());
  const std::size_t second = first_prediction - first_prediction / 4;
  EXPECT_EQ(leased.at(1), second);
  EXPECT_EQ(leased.at(2), second - second / 4);
  EXPECT_EQ(leased.back(), idle_prediction);  // never below
}

TEST_F(fetching, a_larger_reply_takes_what_nobody_waits_for_at_once) {
  make(64 * mib);
  answers = {reply(1 * mib, 3 * mib, 4)};
  const auto got = run();
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->lease.bytes(), cost_of(1 * mib, 3 * mib));
  EXPECT_EQ(exchange->request_count(), 1U);
  EXPECT_EQ(counts.replies_refused.value(), 0);
}

TEST_F(fetching, a_reply_beyond_the_lease_is_refused_and_exactly_it_is_asked_for_again) {
  make(16 * mib);  // 15 and a reserve of one
  auto first = lease_of(8 * mib);
  auto second = lease_of(4 * mib);
  std::size_t waits = 0;
  budget->on_pressure([&] {
    ++waits;
    EXPECT_EQ(budget->in_use(), 12 * mib);  // what was leased for the refused reply is back: none waits while holding
    EXPECT_EQ(permits.in_use(), 0U);
    first.release();
  });
  answers = {reply(200 * kib, 2 * mib, 9, "exactly+here=")};
  const auto got = run(0, "the end");
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(waits, 1U);
  const std::size_t cost = cost_of(200 * kib, 2 * mib);
  EXPECT_THAT(leased, ElementsAre(12 * mib + first_prediction, 4 * mib + cost));  // in one step
  EXPECT_EQ(got->lease.bytes(), cost);
  EXPECT_EQ(got->block.bytes.size(), 200 * kib);
  EXPECT_EQ(counts.replies_refused.value(), 1);
  ASSERT_EQ(exchange->request_count(), 2U);
  EXPECT_THAT(target(0), HasSubstr("end_cursor=the%20end"));
  EXPECT_THAT(target(1), HasSubstr("end_cursor=exactly%2Bhere%3D"));
  for (std::size_t i : {0U, 1U}) {
    EXPECT_THAT(target(i), HasSubstr("&cursor=begin&"));
    EXPECT_THAT(target(i), HasSubstr("&count=16"));
  }
}

TEST_F(fetching, far_more_than_later_stages_work_well_with_is_asked_for_in_fewer_groups) {
  make(16 * mib);
  answers = {reply(1 * mib, 16 * mib, 16), reply(100 * kib, 2 * mib, 2)};
  const auto got = run();
  ASSERT_TRUE(got.has_value());
  ASSERT_EQ(exchange->request_count(), 2U);
  EXPECT_THAT(target(1), EndsWith("&count=2"));  // 1 MiB each, 2 MiB wanted
  EXPECT_THAT(target(1), Not(HasSubstr("end_cursor")));
  EXPECT_LE(leased.at(1), budget->block_bytes_max());
  EXPECT_EQ(got->block.group_count, 2U);
  EXPECT_EQ(counts.replies_refused.value(), 1);
}

TEST_F(fetching, groups_are_halved_on_down_to_one) {
  make(16 * mib);
  answers = {reply(1 * mib, 20 * mib, 2), reply(100 * kib, 1 * mib, 1)};
  EXPECT_TRUE(run().has_value());
  EXPECT_THAT(target(1), EndsWith("&count=1"));
}

TEST_F(fetching, a_single_group_that_no_budget_holds_names_the_memory_it_needs) {
  make(16 * mib);
  answers = {reply(1 * mib, 20 * mib, 1)};
  const auto got = run();
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().what, kind::too_large);
  EXPECT_EQ(got.error().memory_limit_needed, 4 * cost_of(1 * mib, 20 * mib));
  EXPECT_EQ(exchange->request_count(), 1U);
  EXPECT_EQ(budget->in_use(), 0U);
  EXPECT_EQ(permits.in_use(), 0U);
}

TEST_F(fetching, a_single_group_within_the_largest_block_is_fetched_whatever_later_stages_like) {
  make(32 * mib);
  auto other = lease_of(16 * mib);
  auto more = lease_of(10 * mib);
  budget->on_pressure([&] { other.release(); });
  answers = {reply(1 * mib, 5 * mib, 1)};
  const auto got = run();
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->lease.bytes(), cost_of(1 * mib, 5 * mib));
  EXPECT_EQ(counts.replies_refused.value(), 1);
}

TEST_F(fetching, asks_for_few_groups_at_first_and_then_for_as_many_as_fill_a_block) {
  make(64 * mib);
  answers = {reply(5'000, 1 * mib, 4), reply(5'000, 1 * mib, 8), reply(1'000, 1, 1)};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(run().has_value());
  EXPECT_THAT(target(0), EndsWith("&count=16"));
  EXPECT_THAT(target(1), EndsWith("&count=8"));  // a quarter of a MiB each, two MiB wanted
  EXPECT_THAT(target(2), EndsWith("&count=9"));  // the mean moves by three tenths of the news
}

TEST_F(fetching, asks_for_no_more_groups_than_allowed_and_for_as_many_as_it_is_told) {
  make(64 * mib, {.groups_max = 5});
  answers = {reply(100, 1'000, 10)};
  EXPECT_TRUE(run().has_value());
  EXPECT_TRUE(run().has_value());
  EXPECT_TRUE(run(1).has_value());
  EXPECT_THAT(target(0), EndsWith("&count=5"));
  EXPECT_THAT(target(1), EndsWith("&count=5"));
  EXPECT_THAT(target(2), EndsWith("&count=1"));
}

TEST_F(fetching, a_refusal_of_the_service_is_handed_on_with_nothing_held) {
  make(64 * mib);
  answers = {tests::json(403, R"({"errorCode":"ReadQuotaExceed","errorMessage":"slow down"})")};
  const auto got = run();
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().what, kind::service);
  EXPECT_EQ(got.error().service.code, sls::errc::throttled);
  EXPECT_EQ(counts.account("prod").throttled->value(), 1);
  EXPECT_EQ(budget->in_use(), 0U);
  EXPECT_EQ(permits.in_use(), 0U);
  EXPECT_EQ(exchange->request_count(), 1U);
  answers = {tests::json(500, "")};
  EXPECT_EQ(run().error().service.code, sls::errc::server_busy);
  EXPECT_EQ(counts.account("prod").throttled->value(), 1);
}

TEST_F(fetching, a_closed_budget_ends_it_before_anything_is_asked) {
  make(64 * mib);
  answers = {nothing_new()};
  budget->close();
  EXPECT_EQ(run().error().what, kind::closed);
  EXPECT_EQ(exchange->request_count(), 0U);
}

TEST_F(fetching, closed_permits_end_it_with_the_lease_given_back) {
  make(64 * mib);
  answers = {nothing_new()};
  permits.close();
  EXPECT_EQ(run().error().what, kind::closed);
  EXPECT_EQ(exchange->request_count(), 0U);
  EXPECT_EQ(budget->in_use(), 0U);
}

TEST_F(fetching, counts_the_bytes_that_came) {
  make(64 * mib);
  answers = {reply(3'000, 60'000, 4), reply(1'000, 20'000, 4), nothing_new()};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(run().has_value());
  EXPECT_EQ(counts.bytes_in.value(), 4'000);
  EXPECT_EQ(counts.account("prod").bytes_in->value(), 4'000);
}

// --- cursor_at -----------------------------------------------------------------------------------------------------

TEST_F(fetching, a_position_is_asked_for_with_a_permit_and_no_memory) {
  make(64 * mib);
  answers = {tests::json(200, R"({"cursor":"MTI="})")};
  const auto at = run_task(pull->cursor_at("trail", 3, sls::edge::end, {}));
  ASSERT_TRUE(at.has_value());
  EXPECT_EQ(*at, "MTI=");
  EXPECT_EQ(target(0), "/logstores/trail/shards/3?type=cursor&from=end");
  EXPECT_THAT(permits_out, ElementsAre(1));
  EXPECT_THAT(leased, ElementsAre(0));
  EXPECT_EQ(permits.in_use(), 0U);
}

TEST_F(fetching, a_position_that_is_refused_is_a_failure_of_the_service) {
  make(64 * mib);
  answers = {tests::json(404, R"({"errorCode":"LogStoreNotExist","errorMessage":"gone"})")};
  const auto at = run_task(pull->cursor_at("trail", 3, sls::edge::begin, {}));
  ASSERT_FALSE(at.has_value());
  EXPECT_EQ(at.error().what, kind::service);
  EXPECT_EQ(at.error().service.code, sls::errc::not_found_logstore);
  EXPECT_EQ(permits.in_use(), 0U);
}

TEST_F(fetching, closed_permits_end_the_question_for_a_position) {
  make(64 * mib);
  answers = {nothing_new()};
  permits.close();
  EXPECT_EQ(run_task(pull->cursor_at("trail", 3, sls::edge::begin, {})).error().what, kind::closed);
  EXPECT_EQ(exchange->request_count(), 0U);
}

// The reply then fails to decompress and takes the way of those that do not decode; refused, it would stop the route.
TEST_F(fetching, a_claim_of_plain_bytes_that_cannot_be_true_is_not_paid_for) {
  make(64 * mib);
  constexpr std::uint64_t impossible_for_lz4 = 3'000 * 255 + 255;
  for (const std::uint64_t claimed : {4 * std::uint64_t{engine::gib}, plain_bytes_max + 1, impossible_for_lz4}) {
    SCOPED_TRACE(claimed);
    answers = {reply(3'000, claimed, 4)};
    const auto before = exchange->requests().size();
    const auto got = run();
    ASSERT_TRUE(got.has_value());
    EXPECT_EQ(exchange->requests().size() - before, 1U);
    EXPECT_EQ(got->block.plain_bytes, claimed);
    EXPECT_EQ(got->lease.bytes(), cost_of(3'000, 0));
  }
  answers = {reply(3'000, impossible_for_lz4 - 1, 4)};
  const auto possible = run();
  ASSERT_TRUE(possible.has_value());
  EXPECT_EQ(possible->lease.bytes(), cost_of(3'000, impossible_for_lz4 - 1));
}

}  // namespace
}  // namespace stages
