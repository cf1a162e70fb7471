// A broken or busy neighbour costs a quiet logstore seconds at most, and no event lingers longer than it is told to.
#include <gtest/gtest.h>

#include <algorithm>
#include <unordered_map>

#include "tests/flow/world.hpp"

namespace tests {
namespace {

using namespace std::chrono_literals;

// How long the events of a shard took from being stored to being accepted; those not accepted count until now.
engine::duration slowest(world& w, const model_shard& shard, const model_rule& rule) {
  std::unordered_map<std::string, engine::time_point> at;
  for (const auto& row : rule.rows) at.try_emplace(row.text, row.at);
  engine::duration most{};
  for (const auto& group : shard.groups) {
    for (const auto& text : group.texts) {
      const auto found = at.find(text);
      const auto when = found == at.end() ? w.sim.now() : found->second;
      most = std::max(most, when - group.appended_at);
    }
  }
  return most;
}

void silence_first_destination(world& w) {
  w.cloud.script = [](operation op, const seen_request& r) -> std::optional<model_answer> {
    if (op != operation::upload || r.origin.host != "ingest-0.test") return std::nullopt;
    return model_answer{.status = 0, .headers = {}, .body = {}, .never = true};
  };
}

TEST(fairness, a_silent_destination_does_not_starve_a_good_one_of_memory) {
  for (const unsigned accounts : {1U, 2U}) {
    for (std::uint64_t seed = 1; seed <= seed_count(2); ++seed) {
      SCOPED_TRACE("accounts " + std::to_string(accounts) + " seed " + std::to_string(seed));
      world w(seed, {.accounts = accounts, .logstores = 2 / accounts, .shards = 6, .destinations = 2});
      w.config.tuning.memory_limit_bytes = 64 * engine::mib;
      const unsigned good_account = accounts - 1;
      const unsigned good_logstore = accounts == 1 ? 1 : 0;
      for (std::int64_t s = 0; s < 6; ++s) w.fill(w.shard(0, 0, s), 6, 40, 30'000);  // about 7 MiB each
      silence_first_destination(w);
      auto& p = w.start();
      for (unsigned i = 0; i < 120; ++i) {
        for (std::int64_t s = 0; s < 6; ++s) w.fill(w.shard(good_account, good_logstore, s), 1, 4, 10'000);
        w.run_for(1s);
      }
      w.run_for(5s);
      EXPECT_EQ(w.rule(0).rows.size(), 0U);
      for (std::int64_t s = 0; s < 6; ++s) {
        EXPECT_LT(slowest(w, w.shard(good_account, good_logstore, s), w.rule(1)), 4s);
      }
      EXPECT_GT(p.path.memory().in_use_peak(), p.path.memory().bytes_max() / 4);  // the silent one did take its share
      w.cloud.script = {};
      for (unsigned i = 0; i < 20 && w.count().missing != 0; ++i) w.run_for(30s);
      w.expect_at_least_once();
    }
  }
}

// Blocks that are above a destination's cap each: one log group of megabytes.
TEST(fairness, large_blocks_for_a_silent_destination_do_not_hold_up_the_line) {
  for (const unsigned destinations : {2U, 8U}) {
    for (const std::size_t events : {100U, 140U, 160U}) {
      SCOPED_TRACE("destinations " + std::to_string(destinations) + " events " + std::to_string(events));
      world w(1, {.accounts = destinations, .logstores = 1, .shards = 6, .destinations = destinations});
      w.config.tuning.memory_limit_bytes = 64 * engine::mib;
      for (std::int64_t s = 0; s < 6; ++s) {
        w.fill(w.shard(0, 0, s), 2, 40, 30'000);
        w.fill(w.shard(0, 0, s), 2, events, 30'000);
      }
      silence_first_destination(w);
      w.start();
      for (unsigned i = 0; i < 70; ++i) {
        w.fill(w.shard(1, 0, 0), 1, 4, 10'000);
        w.run_for(1s);
      }
      w.run_for(5s);
      EXPECT_LT(slowest(w, w.shard(1, 0, 0), w.rule(1)), 4s);
    }
  }
}

TEST(fairness, a_saturating_account_delays_a_quiet_one_by_seconds_at_most) {
  for (std::uint64_t seed = 1; seed <= seed_count(3); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    world w(seed, {.accounts = 2, .logstores = 8});
    w.cpu_bytes_per_second = 20e6;
    w.config.tuning.pull_groups_max = 5;
    w.config.tuning.batch_raw_bytes_max = 100'000;
    w.config.tuning.upload_concurrency = 4;  // at 300 ms each little more than 1 MB/s
    w.config.tuning.memory_limit_bytes = 64 * engine::mib;
    w.config.tuning.fetch_concurrency = 8;
    for (unsigned l = 0; l < 8; ++l) w.fill(w.shard(0, l), 200, 10, 2'000);  // half a minute for the sink
    w.cloud.held = [](operation op, const seen_request&) -> engine::duration {
      return op == operation::upload ? engine::duration(300ms) : engine::duration(0s);
    };
    w.start();
    w.run_for(2s);
    for (unsigned i = 0; i < 20; ++i) {
      w.fill(w.shard(1, i % 8), 1, 1);
      w.run_for(1s);
    }
    EXPECT_LT(w.shard(0, 0).served_to, 200U);  // the busy one is busy to the end
    w.run_for(4s);
    for (unsigned l = 0; l < 8; ++l) EXPECT_LT(slowest(w, w.shard(1, l), w.rule()), 3s + w.config.tuning.poll_interval);
  }
}

TEST(linger, brings_a_lone_event_to_the_sink_after_the_time_it_was_told_and_the_way) {
  for (const engine::duration linger : {engine::duration(100ms), engine::duration(1s), engine::duration(7s)}) {
    for (std::uint64_t seed = 1; seed <= seed_count(10); ++seed) {
      SCOPED_TRACE("linger " + engine::format_duration(linger) + " seed " + std::to_string(seed));
      world w(seed, {.accounts = 2, .logstores = 2, .shards = 2});
      w.config.tuning.linger = linger;
      w.start();
      w.run_for(5s);
      w.fill(w.shard(1, 1, 1), 1, 1);
      w.run_for(20s);
      const auto took = slowest(w, w.shard(1, 1, 1), w.rule());
      EXPECT_GE(took, linger);
      // The poll before it was stored, a pull, a note in the store, the token, the upload.
      const engine::duration way = 2 * w.cloud.way_max + 200ms + 3 * w.cloud.way_max;
      EXPECT_LE(took, w.config.tuning.poll_interval + way + linger);
      EXPECT_EQ(w.rule().uploads.size(), 1U);
    }
  }
}

}  // namespace
}  // namespace tests
