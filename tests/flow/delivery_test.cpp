// Every event arrives, and a position is committed only after its rows were accepted: with and without mishaps, and
// over kills at any moment.
#include <gtest/gtest.h>

#include "tests/flow/world.hpp"

namespace tests {
namespace {

using namespace std::chrono_literals;

world_shape some_shape(std::uint64_t seed) {
  return {.accounts = 1 + static_cast<unsigned>(seed % 3),
          .logstores = 1 + static_cast<unsigned>(seed / 3 % 2),
          .shards = 1 + static_cast<unsigned>(seed / 6 % 3),
          .destinations = 1 + static_cast<unsigned>(seed / 18 % 3)};
}

// Small batches, so that many bodies overtake each other.
void make_bodies_small(world& w) {
  w.config.tuning.batch_raw_bytes_max = 4'000;
  w.config.tuning.pull_groups_max = 3;
}

mishap_rates all_mishaps(double share) {
  return {.refused_connection = share,
          .lost_request = share,
          .lost_answer = share,
          .swallowed = share / 4,
          .cut_body = share,
          .server_error = share,
          .throttled = share / 2,
          .unauthorized = share / 2,
          .garbled_block = share / 2};
}

TEST(delivery, is_exactly_once_when_nothing_goes_wrong) {
  for (std::uint64_t seed = 1; seed <= seed_count(150); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    world w(seed, some_shape(seed));
    make_bodies_small(w);
    w.fill_all(1 + seed % 30, 1 + seed % 5);
    auto& p = w.start({.once = true});
    ASSERT_TRUE(w.run_to_end());
    EXPECT_FALSE(p.path.result().failed) << p.path.result().why;
    w.expect_exactly_once();
    EXPECT_EQ(p.counts.events_delivered.value(), static_cast<double>(w.count().events));
    EXPECT_EQ(p.path.memory().in_use(), 0U);
  }
}

TEST(delivery, is_at_least_once_whatever_the_services_do) {
  for (std::uint64_t seed = 1; seed <= seed_count(150); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    world w(seed, some_shape(seed));
    make_bodies_small(w);
    w.fill_all(1 + seed % 20, 1 + seed % 5);
    w.cloud.sls_rates = all_mishaps(0.05);
    w.cloud.upload_rates = all_mishaps(0.05);
    w.cloud.token_rates = {.refused_connection = 0.1, .lost_answer = 0.1, .server_error = 0.1};
    auto& p = w.start();
    for (unsigned i = 0; i < 120 && w.count().missing != 0; ++i) w.run_for(30s);
    w.cloud.upload_rates = {};
    w.drain();
    EXPECT_FALSE(p.path.result().failed) << p.path.result().why;
    w.expect_at_least_once();
    EXPECT_EQ(p.path.memory().in_use(), 0U);
  }
}

TEST(delivery, commits_every_position_once_all_is_delivered) {
  for (std::uint64_t seed = 1; seed <= seed_count(20); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    world w(seed, {.accounts = 2, .logstores = 2, .shards = 2, .destinations = 2});
    make_bodies_small(w);
    w.fill_all(20, 3);
    w.start();
    w.run_for(1min);
    for (unsigned a = 0; a < 2; ++a) {
      for (unsigned l = 0; l < 2; ++l) {
        for (std::int64_t s = 0; s < 2; ++s) EXPECT_EQ(w.committed_groups(a, l, s), 20U);
      }
    }
  }
}

// What one life left behind, to judge the next one by.
struct left_behind {
  std::map<std::string, std::size_t> group_of;  // event text → number of its group
  std::size_t committed = 0;
  std::size_t served_to = 0;
};

TEST(delivery, loses_nothing_when_the_process_is_killed_and_doubles_only_what_was_pulled_and_not_committed) {
  std::size_t doubled = 0;
  for (std::uint64_t seed = 1; seed <= seed_count(150); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    world w(seed, {.accounts = 1, .logstores = 2, .shards = 2});
    make_bodies_small(w);
    w.fill_all(40, 3);
    std::map<std::string, unsigned> allowed;  // how often an event may have been accepted
    double possible = 0;
    for (unsigned life = 0; life < 3; ++life) {
      auto& p = w.start();
      w.run_for(std::chrono::milliseconds(100 + w.sim.next() % 4000));
      w.fill_all(2, 2);
      w.run_for(std::chrono::milliseconds(w.sim.next() % 1000));
      possible += p.counts.duplicates_possible.value();
      w.kill();
      for (unsigned l = 0; l < 2; ++l) {
        for (std::int64_t s = 0; s < 2; ++s) {
          const auto& shard = w.shard(0, l, s);
          for (std::size_t g = w.committed_groups(0, l, s); g < shard.served_to; ++g) {
            for (const auto& text : shard.groups[g].texts) ++allowed[text];
          }
        }
      }
    }
    auto& last = w.start({.once = true});
    ASSERT_TRUE(w.run_to_end());
    possible += last.counts.duplicates_possible.value();
    w.expect_at_least_once();
    for (const auto& [text, times] : w.rule().times_accepted) {
      EXPECT_LE(times, 1 + allowed[text]) << text.substr(0, 60);
    }
    EXPECT_LE(static_cast<double>(w.count().extra_rows), possible);
    doubled += w.count().extra_rows;
  }
  EXPECT_GT(doubled, 0U);  // the kills did come at awkward moments
}

TEST(delivery, survives_kills_among_mishaps) {
  for (std::uint64_t seed = 1; seed <= seed_count(60); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    world w(seed, some_shape(seed));
    make_bodies_small(w);
    w.fill_all(20, 3);
    w.cloud.sls_rates = all_mishaps(0.04);
    w.cloud.upload_rates = all_mishaps(0.04);
    for (unsigned life = 0; life < 4; ++life) {
      w.start();
      w.run_for(std::chrono::milliseconds(w.sim.next() % 20'000));
      w.kill();
    }
    w.cloud.sls_rates = {};
    w.cloud.upload_rates = {};
    w.start({.once = true});
    ASSERT_TRUE(w.run_to_end());
    w.expect_at_least_once();
  }
}

}  // namespace
}  // namespace tests
