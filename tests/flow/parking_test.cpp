// A destination that refuses the caller is set aside: its routes go back to what is committed, one probe per interval
// asks whether it still must be, and the others do not notice.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/flow/world.hpp"

namespace tests {
namespace {

using namespace std::chrono_literals;

struct refusal {
  int status;
  std::string code;
};
const std::vector<refusal> refusals = {{403, "OperationFailed"}, {404, "NotFound"}, {400, "InvalidStream"}};

// Destination 0 answers so until it is told to stop.
void refuse(world& w, const refusal& r) {
  w.cloud.script = [r](operation op, const seen_request& seen) -> std::optional<model_answer> {
    if (op != operation::upload || seen.origin.host != "ingest-0.test") return std::nullopt;
    return model_answer{.status = r.status, .headers = {{"x-ms-error-code", r.code}}, .body = {}};
  };
}

bool parked(process& p) { return p.path.status().destinations[0].parked; }

TEST(tokens, that_are_refused_are_replaced_once_and_the_body_is_sent_again) {
  for (std::uint64_t seed = 1; seed <= seed_count(10); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    world w(seed, {.accounts = 1, .logstores = 2, .shards = 2});
    w.config.tuning.batch_raw_bytes_max = 1'000;
    w.fill_all(300, 4);
    auto& p = w.start();
    EXPECT_TRUE(w.run_until([&w] { return w.rule().rows.size() > 500; }));
    w.cloud.revoke_tokens();
    w.run_for(1min);
    EXPECT_EQ(w.cloud.tokens_made(), 2U);
    const auto refused = std::ranges::count(w.rule().uploads, 401, &upload_seen::status);
    EXPECT_GE(refused, 1);
    EXPECT_LE(refused, 8);  // those under way
    EXPECT_FALSE(parked(p));
    w.expect_exactly_once();
  }
}

TEST(tokens, refused_twice_park_the_destination_until_a_new_one_is_taken) {
  for (std::uint64_t seed = 1; seed <= seed_count(5); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    world w(seed);
    refuse(w, {401, "Unauthorized"});
    w.fill_all(1, 1);
    auto& p = w.start();
    w.run_for(10s);
    EXPECT_TRUE(parked(p));
    ASSERT_EQ(w.rule().uploads.size(), 2U);
    EXPECT_EQ(w.rule().uploads[0].token, "Bearer token-1");
    EXPECT_EQ(w.rule().uploads[1].token, "Bearer token-2");
    w.cloud.script = {};
    w.run_for(70s);
    EXPECT_FALSE(parked(p));
    w.expect_exactly_once();
  }
}

TEST(parking, lets_one_probe_through_per_interval_and_the_rest_stay_in_their_logstores) {
  for (const auto& r : refusals) {
    SCOPED_TRACE(r.code);
    world w(7, {.accounts = 2, .logstores = 3, .shards = 2});
    w.fill_all(30, 3);
    refuse(w, r);
    auto& p = w.start();
    w.run_for(30s);
    EXPECT_TRUE(parked(p));
    EXPECT_NE(p.path.status().destinations[0].reason.find(std::to_string(r.status)), std::string::npos);
    EXPECT_EQ(p.path.memory().in_use(), 0U);
    EXPECT_EQ(p.path.status().destinations[0].waiting, 0U);
    const auto before = w.rule().uploads.size();
    w.run_for(5min);
    EXPECT_EQ(w.rule().uploads.size() - before, 5U);
    EXPECT_GT(p.counts.rewinds.value(), 0);
    EXPECT_EQ(w.committed_groups(0, 0), 0U);
    w.cloud.script = {};
    w.run_for(2min);
    EXPECT_FALSE(parked(p));
    w.expect_exactly_once();
  }
}

TEST(parking, of_one_destination_does_not_delay_the_others) {
  for (const auto& r : refusals) {
    SCOPED_TRACE(r.code);
    world w(3, {.accounts = 1, .logstores = 4, .shards = 1, .destinations = 2});
    auto& p = w.start();
    std::size_t appended = 0;
    const auto live = [&](unsigned seconds) {
      for (unsigned i = 0; i < seconds; ++i) {
        w.fill_all(1, 2);
        appended += 4;  // two logstores each
        w.run_for(1s);
        EXPECT_GE(w.rule(1).rows.size() + 4 * 4, appended);  // at most four seconds behind
      }
    };
    live(20);
    refuse(w, r);
    live(100);
    EXPECT_TRUE(parked(p));
    EXPECT_FALSE(p.path.status().destinations[1].parked);
    w.cloud.script = {};
    live(70);
    EXPECT_FALSE(parked(p));
    w.run_for(10s);
    w.expect_at_least_once();
  }
}

TEST(parking, ends_a_run_once_as_failed_after_three_probes) {
  for (const auto& r : refusals) {
    SCOPED_TRACE(r.code);
    world w(5, {.accounts = 2, .logstores = 2, .shards = 2, .destinations = 2});
    w.fill_all(10, 3);
    refuse(w, r);
    auto& p = w.start({.once = true, .once_probe_interval = 5s});
    ASSERT_TRUE(w.run_to_end(2min));
    EXPECT_TRUE(p.path.result().failed);
    EXPECT_NE(p.path.result().why.find("account-"), std::string::npos);
    EXPECT_EQ(w.rule(0).rows.size(), 0U);
    EXPECT_EQ(w.rule(1).rows.size(), std::size_t{2 * 2 * 10 * 3});
    std::size_t probes = 0;
    for (const auto& u : w.rule(0).uploads) {
      if (u.at > w.rule(0).uploads.front().at + 4s) ++probes;
    }
    EXPECT_EQ(probes, 3U);
    std::size_t failed = 0;
    for (const auto& l : p.path.status().logstores) {
      if (l.state == "failed") ++failed;
      if (l.destination == "sink-1") EXPECT_EQ(l.state, "done");
    }
    EXPECT_EQ(failed, 2U);
  }
}

// Such a probe says nothing about the refusal that parked it; the turn must not be lost with it.
TEST(parking, goes_on_probing_after_a_probe_whose_rows_are_refused) {
  for (std::uint64_t seed = 1; seed <= seed_count(5); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    world w(seed);
    w.fill_all(1, 1);
    w.rule().refuses = [](const std::string& text) { return text.find("event-1\"") != std::string::npos; };
    refuse(w, {403, "OperationFailed"});
    auto& p = w.start();
    w.run_for(10s);
    EXPECT_TRUE(parked(p));
    w.cloud.script = {};
    w.run_for(61s);
    EXPECT_EQ(w.count().buried, 1U);
    w.fill_all(1, 1);
    w.run_for(125s);
    EXPECT_FALSE(parked(p));
    EXPECT_EQ(w.rule().rows.size(), 1U);
  }
}

// A quiet logstore has nothing to try with: the turn goes on to one that has.
// It waits at the gate with a broken line: what it must do first when its turn comes is to go back.
TEST(parking, probes_every_interval_also_when_there_is_only_one_route) {
  for (std::uint64_t seed = 1; seed <= seed_count(5); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    world w(seed);
    w.fill_all(3, 2);
    refuse(w, refusals[0]);
    w.start();
    w.run_for(10s);
    ASSERT_EQ(w.rule().uploads.size(), 1U);
    w.run_for(5min);
    EXPECT_EQ(w.rule().uploads.size(), 6U);
  }
}

TEST(lag, grows_while_a_destination_is_parked_and_is_nothing_once_all_is_delivered) {
  world w(11);
  const auto lag_s = [](process& p) { return p.path.status().logstores.at(0).lag_s; };
  auto& p = w.start();
  w.fill_all(3, 2);
  w.run_for(10s);
  EXPECT_EQ(lag_s(p), 0);
  refuse(w, refusals[0]);
  w.fill_all(3, 2);
  w.run_for(100s);
  EXPECT_TRUE(parked(p));
  const double parked_for = lag_s(p);
  EXPECT_GE(parked_for, 99);
  EXPECT_LE(parked_for, 110);
  w.run_for(100s);
  EXPECT_NEAR(lag_s(p), parked_for + 100, 2);
  w.cloud.script = {};
  w.run_for(70s);
  EXPECT_EQ(lag_s(p), 0);
}

TEST(parking, passes_the_probe_on_when_a_logstore_has_nothing_new) {
  for (std::uint64_t seed = 1; seed <= seed_count(10); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    world w(seed, {.accounts = 1, .logstores = 6});
    w.fill(w.shard(0, 2), 3, 1);
    refuse(w, {403, "OperationFailed"});
    auto& p = w.start();
    w.run_for(30s);
    EXPECT_TRUE(parked(p));
    w.cloud.script = {};
    w.run_for(90s);
    EXPECT_FALSE(parked(p));
    w.expect_exactly_once();
  }
}

}  // namespace
}  // namespace tests
