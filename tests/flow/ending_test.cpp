// The ends of a process: drained, too late, its state lost.
#include <gtest/gtest.h>

#include "tests/flow/world.hpp"

namespace tests {
namespace {

using namespace std::chrono_literals;

// Groups the process had received: bytes_in counts the bodies of its pulls, one after the other.
std::size_t groups_received(const model_shard& shard, double bytes_in) {
  std::size_t groups = 0;
  double bytes = 0;
  for (const auto& pull : shard.pulls) {
    if (bytes >= bytes_in) break;
    bytes += static_cast<double>(pull.bytes);
    groups = pull.from + pull.groups;
  }
  EXPECT_EQ(bytes, bytes_in);
  return groups;
}

TEST(drain, makes_no_new_pull_and_delivers_and_commits_what_was_pulled) {
  for (std::uint64_t seed = 1; seed <= seed_count(60); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    world w(seed);
    w.config.tuning.pull_groups_max = 2;
    w.fill_all(2'000, 2);
    w.cloud.held = [](operation op, const seen_request&) -> engine::duration {
      return op == operation::upload ? engine::duration(500ms) : engine::duration(0s);
    };
    auto& p = w.start();
    w.run_for(std::chrono::milliseconds(500 + w.sim.next() % 5'000));
    const auto asked = w.cloud.requests(operation::pull_logs);
    const auto began = w.sim.now();
    w.drain();
    EXPECT_EQ(w.cloud.requests(operation::pull_logs), asked);
    EXPECT_FALSE(p.path.result().failed);
    EXPECT_FALSE(p.path.result().drain_aborted);
    EXPECT_LT(w.sim.now() - began, 5s);  // no lingering
    const auto received = groups_received(w.shard(0, 0), p.counts.bytes_in.value());
    EXPECT_EQ(w.committed_groups(0, 0), received);
    EXPECT_EQ(p.counts.events_delivered.value(), static_cast<double>(received * 2));
    EXPECT_EQ(w.rule().rows.size(), received * 2);
    EXPECT_EQ(p.path.memory().in_use(), 0U);
  }
}

TEST(drain, goes_on_where_it_ended_without_a_doubled_row) {
  for (std::uint64_t seed = 1; seed <= seed_count(20); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    world w(seed, {.accounts = 2, .logstores = 2, .shards = 2, .destinations = 2});
    w.config.tuning.pull_groups_max = 2;
    w.fill_all(40, 2);
    for (unsigned life = 0; life < 3; ++life) {
      w.start();
      w.run_for(std::chrono::milliseconds(w.sim.next() % 1'500));
      w.drain();
    }
    w.start({.once = true});
    ASSERT_TRUE(w.run_to_end());
    w.expect_exactly_once();
  }
}

void never_answer_uploads(world& w) {
  w.cloud.script = [](operation op, const seen_request&) -> std::optional<model_answer> {
    if (op != operation::upload) return std::nullopt;
    return model_answer{.status = 0, .headers = {}, .body = {}, .never = true};
  };
}

TEST(drain, is_aborted_at_its_deadline_and_commits_nothing_that_was_not_accepted) {
  for (std::uint64_t seed = 1; seed <= seed_count(10); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    world w(seed, {.accounts = 1, .logstores = 2, .shards = 2});
    w.config.tuning.pull_groups_max = 2;
    w.fill_all(200, 2);
    never_answer_uploads(w);
    auto& p = w.start();
    w.run_for(10s);
    const auto began = w.sim.now();
    w.drain();
    EXPECT_TRUE(p.path.result().drain_aborted);
    EXPECT_GE(w.sim.now() - began, 25s);
    EXPECT_LT(w.sim.now() - began, 27s);
    EXPECT_EQ(w.committed_groups(0, 0), 0U);
    EXPECT_EQ(p.path.memory().in_use(), 0U);
  }
}

TEST(drain, waits_for_a_throttled_destination_no_longer_than_its_deadline) {
  world w(1);
  w.fill_all(20, 2);
  w.cloud.script = [](operation op, const seen_request&) -> std::optional<model_answer> {
    if (op != operation::upload) return std::nullopt;
    return model_answer{.status = 429, .headers = {{"retry-after", "600"}}, .body = {}};
  };
  auto& p = w.start();
  w.run_for(10s);
  w.drain();
  EXPECT_TRUE(p.path.result().drain_aborted);
}

TEST(drain, is_not_delayed_by_a_parked_destination) {
  for (std::uint64_t seed = 1; seed <= seed_count(10); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    world w(seed, {.accounts = 1, .logstores = 2, .shards = 2});
    w.fill_all(20, 2);
    w.cloud.script = [](operation op, const seen_request&) -> std::optional<model_answer> {
      if (op != operation::upload) return std::nullopt;
      return model_answer{.status = 403, .headers = {}, .body = {}};
    };
    auto& p = w.start();
    w.run_for(std::chrono::milliseconds(w.sim.next() % 70'000));
    if (!p.path.status().destinations[0].parked) w.run_for(5s);
    EXPECT_TRUE(p.path.status().destinations[0].parked);
    const auto began = w.sim.now();
    w.drain();
    EXPECT_LT(w.sim.now() - began, 2s);
    EXPECT_FALSE(p.path.result().drain_aborted);
    EXPECT_FALSE(p.path.result().failed);
    EXPECT_EQ(w.committed_groups(0, 0), 0U);
  }
}

TEST(store_failure, stops_the_service_as_failed_and_commits_nothing_more) {
  for (std::size_t call = 1; call <= 60; ++call) {
    SCOPED_TRACE("call " + std::to_string(call));
    world w(call, {.accounts = 1, .logstores = 2, .shards = 2});
    w.config.tuning.pull_groups_max = 2;
    w.fill_all(40, 2);
    auto& p = w.start();
    p.store.fail_at(call);
    EXPECT_TRUE(w.run_until([&p] { return p.store.failed(); }));
    const auto commits = p.store.commits_done();
    ASSERT_TRUE(w.run_to_end(1min));
    EXPECT_TRUE(p.path.result().failed);
    EXPECT_NE(p.path.result().why.find("the disk is gone"), std::string::npos) << p.path.result().why;
    EXPECT_LE(p.store.commits_done(), commits + 4);  // those asked for before it, at most one for each route
    w.start({.once = true});
    ASSERT_TRUE(w.run_to_end());
    w.expect_at_least_once();
  }
}

TEST(store_failure, of_a_dead_letter_leaves_the_position_before_the_event) {
  world w(1);
  w.fill_all(3, 2);
  w.cloud.append(w.shard(0, 0), {"not json"});
  auto& p = w.start();
  p.store.latency_max = 1ms;
  std::size_t noted = 0;
  p.store.on_pulled = [&](const engine::route_id&, const std::string&) {
    if (++noted == 1) p.store.fail_at(2);  // this very note is the first, the letter the second
  };
  ASSERT_TRUE(w.run_to_end(1min));
  EXPECT_TRUE(p.path.result().failed);
  EXPECT_TRUE(w.kept.letters.empty());
  EXPECT_EQ(w.committed_groups(0, 0), 0U);
}

}  // namespace
}  // namespace tests
