// Every place where something can pile up has a bound, and reaches it here: a slow or silent sink stops the fetch.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/flow/world.hpp"

namespace tests {
namespace {

using namespace std::chrono_literals;

void silence_uploads(world& w) {
  w.cloud.script = [](operation op, const seen_request&) -> std::optional<model_answer> {
    if (op != operation::upload) return std::nullopt;
    return model_answer{.status = 0, .headers = {}, .body = {}, .never = true};
  };
}

TEST(bounds, blocks_of_a_route_that_wait_for_the_cpu_fit_its_queue) {
  for (std::uint64_t seed = 1; seed <= seed_count(5); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    world w(seed);
    w.config.tuning.pull_groups_max = 1;
    w.fill_all(1'500, 1);
    silence_uploads(w);
    auto& p = w.start();
    std::size_t noted = 0;
    p.store.on_pulled = [&noted](const engine::route_id&, const std::string&) { ++noted; };
    w.run_for(2min);
    // The queue, and a block in the hand of each loop: the puller that waits for room, the worker that waits for a
    // place.
    const std::size_t in_hands = 2;
    const std::size_t waiting = w.shard(0, 0).served_to - noted;
    EXPECT_LE(waiting, w.config.tuning.queue_blocks_max + in_hands);
    EXPECT_GE(waiting, w.config.tuning.queue_blocks_max);
  }
}

TEST(bounds, closed_bodies_of_a_stalled_destination_fit_its_places) {
  for (std::uint64_t seed = 1; seed <= seed_count(5); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    world w(seed, {.accounts = 2, .logstores = 2, .shards = 2});
    w.config.tuning.pull_groups_max = 2;
    w.config.tuning.batch_raw_bytes_max = 3'000;  // about a body for each block
    w.fill_all(300, 6);
    silence_uploads(w);
    auto& p = w.start();
    std::size_t most = 0;
    const auto look = [&] {
      const auto status = p.path.status();
      most = std::max(most, status.destinations[0].waiting + status.destinations[0].in_flight);
      return false;
    };
    w.run_until(look, 2min);
    const std::size_t places = w.config.tuning.upload_concurrency + w.cpu_workers + 2;
    // A block that got its place when one was left may close a body more than it took places for, and so may the
    // batches that linger: one for each worker.
    EXPECT_LE(most, places + w.cpu_workers);
    EXPECT_GE(most, places);
  }
}

TEST(bounds, leased_bytes_stay_within_the_budget) {
  for (std::uint64_t seed = 1; seed <= seed_count(3); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    world w(seed, {.accounts = 2, .logstores = 2, .shards = 6});
    w.config.tuning.memory_limit_bytes = 64 * engine::mib;
    w.fill_all(6, 16, 30'000);
    w.cloud.held = [](operation op, const seen_request&) -> engine::duration {
      return op == operation::upload ? engine::duration(3s) : engine::duration(0s);
    };
    auto& p = w.start({.once = true});
    bool waited = false;
    const auto look = [&] {
      waited = waited || p.path.memory().waiting() > 0;
      EXPECT_LE(p.path.memory().in_use(), p.path.memory().bytes_max());
      return p.ended;
    };
    EXPECT_TRUE(w.run_until(look, 30min));
    EXPECT_TRUE(waited);
    EXPECT_LE(p.path.memory().in_use_peak(), p.path.memory().bytes_max());
    EXPECT_LE(p.path.memory().bytes_max(), w.config.tuning.memory_limit_bytes);
    EXPECT_GE(p.path.memory().in_use_peak(), p.path.memory().bytes_max() / 2);
    w.expect_exactly_once();
  }
}

TEST(bounds, uploads_in_flight_stay_within_upload_concurrency) {
  for (const unsigned allowed : {1U, 3U, 8U}) {
    SCOPED_TRACE("upload_concurrency " + std::to_string(allowed));
    world w(allowed, {.accounts = 2, .logstores = 2, .shards = 2, .destinations = 2});
    w.config.tuning.upload_concurrency = allowed;
    w.config.tuning.batch_raw_bytes_max = 1'000;
    w.fill_all(40, 4);
    w.start({.once = true});
    ASSERT_TRUE(w.run_to_end());
    EXPECT_EQ(w.rule(0).requests.most, allowed);
    EXPECT_EQ(w.rule(1).requests.most, allowed);
    w.expect_exactly_once();
  }
}

TEST(bounds, pulls_in_flight_stay_within_fetch_concurrency) {
  for (const unsigned allowed : {1U, 5U, 16U}) {
    SCOPED_TRACE("fetch_concurrency " + std::to_string(allowed));
    world w(allowed, {.accounts = 3, .logstores = 4, .shards = 3});
    w.config.tuning.fetch_concurrency = allowed;
    w.config.tuning.pull_groups_max = 2;
    w.fill_all(10, 2);
    w.start({.once = true});
    ASSERT_TRUE(w.run_to_end());
    EXPECT_EQ(w.cloud.under_way(operation::pull_logs).most, allowed);
    EXPECT_LE(w.cloud.under_way(operation::list_shards).most, allowed);
    w.expect_exactly_once();
  }
}

TEST(bounds, a_stalled_destination_stops_the_fetch) {
  world w(1, {.accounts = 1, .logstores = 4, .shards = 4});
  w.config.tuning.pull_groups_max = 1;
  w.fill_all(500, 1);
  silence_uploads(w);
  w.start();
  w.run_for(2min);
  const auto pulled = w.cloud.requests(operation::pull_logs);
  w.run_for(10min);
  EXPECT_EQ(w.cloud.requests(operation::pull_logs), pulled);
  EXPECT_EQ(w.rows_accepted(), 0U);
}

}  // namespace
}  // namespace tests
