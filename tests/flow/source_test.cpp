// What goes wrong on the side of the logstores stays where it goes wrong.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/flow/world.hpp"

namespace tests {
namespace {

using namespace std::chrono_literals;

stages::logstore_status status_of(process& p, const std::string& account, const std::string& logstore) {
  for (auto& l : p.path.status().logstores) {
    if (l.account == account && l.logstore == logstore) return l;
  }
  return {};
}

TEST(source, a_wrong_key_parks_its_own_account_only) {
  for (std::uint64_t seed = 1; seed <= seed_count(10); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    world w(seed, {.accounts = 3, .logstores = 2});
    w.fill_all(10, 2);
    w.cloud.projects.at("project-1").access_key_id = "another";
    auto& p = w.start();
    w.run_for(20s);
    EXPECT_EQ(w.rule().rows.size(), std::size_t{2 * 2 * 10 * 2});
    EXPECT_EQ(status_of(p, "account-1", "logstore-0").state, "parked");
    EXPECT_EQ(status_of(p, "account-1", "logstore-0").reason, "Unauthorized: said the model");
    EXPECT_EQ(status_of(p, "account-0", "logstore-0").state, "running");
    w.cloud.projects.at("project-1").access_key_id = "key-1";
    w.run_for(70s);
    EXPECT_EQ(status_of(p, "account-1", "logstore-0").state, "running");
    w.expect_exactly_once();
  }
}

TEST(source, a_key_that_stops_working_stops_pulling_and_what_was_pulled_goes_on) {
  world w(4, {.accounts = 2, .logstores = 1});
  w.config.tuning.pull_groups_max = 1;
  w.fill_all(200, 1);
  auto& p = w.start();
  EXPECT_TRUE(w.run_until([&w] { return w.shard(0, 0).served_to > 50; }));
  w.cloud.projects.at("project-0").access_key_id = "another";
  w.run_for(30s);
  EXPECT_EQ(status_of(p, "account-0", "logstore-0").state, "parked");
  EXPECT_EQ(w.committed_groups(0, 0), w.shard(0, 0).served_to);
  EXPECT_LT(w.shard(0, 0).served_to, 200U);
  EXPECT_EQ(w.committed_groups(1, 0), 200U);
  w.cloud.projects.at("project-0").access_key_id = "key-0";
  w.run_for(90s);
  w.expect_exactly_once();
}

TEST(source, an_unknown_logstore_parks_itself_only) {
  world w(1, {.accounts = 1, .logstores = 3});
  w.fill_all(10, 2);
  auto missing = w.cloud.projects.at("project-0").logstores.extract("logstore-1");
  auto& p = w.start();
  w.run_for(20s);
  EXPECT_EQ(status_of(p, "account-0", "logstore-1").state, "parked");
  EXPECT_EQ(status_of(p, "account-0", "logstore-1").reason, "LogStoreNotExist: said the model");
  EXPECT_EQ(w.rule().rows.size(), std::size_t{2 * 10 * 2});
  w.cloud.projects.at("project-0").logstores.insert(std::move(missing));
  w.run_for(70s);
  w.expect_exactly_once();
}

TEST(source, an_unknown_logstore_ends_a_run_once_as_failed_after_three_probes) {
  world w(1, {.accounts = 1, .logstores = 2});
  w.fill_all(10, 2);
  const auto missing = w.cloud.projects.at("project-0").logstores.extract("logstore-1");
  auto& p = w.start({.once = true});
  ASSERT_TRUE(w.run_to_end(2min));
  EXPECT_TRUE(p.path.result().failed);
  EXPECT_NE(p.path.result().why.find("logstore-1"), std::string::npos);
  EXPECT_EQ(w.cloud.requests(operation::list_shards), 1U + 4U);
  EXPECT_EQ(w.rule().rows.size(), 20U);
}

TEST(undecodable_reply, is_pulled_again_and_group_by_group_from_the_second_time_on) {
  for (std::uint64_t seed = 1; seed <= seed_count(20); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    world w(seed);
    w.config.tuning.pull_groups_max = 10;
    w.fill_all(40, 2);
    w.shard(0, 0).groups[15].garbled = 4;
    auto& p = w.start({.once = true});
    ASSERT_TRUE(w.run_to_end());
    EXPECT_FALSE(p.path.result().failed) << p.path.result().why;
    w.expect_exactly_once();
    EXPECT_TRUE(w.kept.letters.empty());
    std::vector<std::size_t> counts;
    for (const auto& pull : w.shard(0, 0).pulls) {
      if (pull.from == 10) counts.push_back(pull.count_asked);
    }
    EXPECT_EQ(counts, (std::vector<std::size_t>{10, 10, 1}));
    const auto alone = std::ranges::count_if(w.shard(0, 0).pulls,
                                             [](const pull_seen& s) { return s.from == 15 && s.count_asked == 1; });
    EXPECT_EQ(alone, 3);  // twice garbled, then whole
    EXPECT_EQ(p.counts.replies_undecodable.value(), 4);
  }
}

// What spoils replies (a proxy, a bad link) may last a few seconds.
TEST(undecodable_reply, is_given_seconds_to_become_readable_before_it_is_dead_lettered) {
  for (std::uint64_t seed = 1; seed <= seed_count(20); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    world w(seed);
    w.fill_all(1, 2);
    w.shard(0, 0).groups[0].garbled = UINT_MAX;
    w.start({.once = true});
    ASSERT_TRUE(w.run_to_end());
    const auto& pulls = w.shard(0, 0).pulls;
    ASSERT_GE(pulls.size(), 5U);
    // Four waits, each uniform in (0, its bound]: below a second together in one run of ten thousand.
    EXPECT_GT(pulls[4].at - pulls[0].at, 1s);
    EXPECT_LE(pulls[4].at - pulls[0].at, 16s);
  }
}

// Cut short, or with a size in its header that cannot be true.
class undecodable_for : public testing::TestWithParam<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(claims, undecodable_for, testing::Values(0, 1, 4 * std::uint64_t{engine::gib}));

TEST_P(undecodable_for, five_pulls_is_dead_lettered_and_passed) {
  for (std::uint64_t seed = 1; seed <= seed_count(10); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    world w(seed);
    w.config.tuning.pull_groups_max = 10;
    w.fill_all(40, 2);
    w.shard(0, 0).groups[15].garbled = UINT_MAX;
    w.shard(0, 0).groups[15].garbled_claim_bytes = GetParam();
    auto& p = w.start({.once = true});
    ASSERT_TRUE(w.run_to_end());
    EXPECT_FALSE(p.path.result().failed) << p.path.result().why;
    const auto all = w.count();
    EXPECT_EQ(all.delivered, 78U);
    EXPECT_EQ(all.extra_rows, 0U);
    ASSERT_EQ(w.kept.letters.size(), 1U);
    EXPECT_EQ(w.kept.letters[0].reason, "undecodable_reply");
    EXPECT_EQ(w.kept.letters[0].cursor, model_shard::cursor_of(15));
    EXPECT_EQ(w.committed_groups(0, 0), 40U);
    EXPECT_EQ(std::ranges::count(w.shard(0, 0).pulls, 15U, &pull_seen::from), 5);
  }
}

TEST(expired_position, goes_on_at_the_oldest_data_and_counts_the_gap) {
  for (std::uint64_t seed = 1; seed <= seed_count(10); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    world w(seed);
    w.fill_all(20, 2);
    w.start();
    w.run_for(20s);
    w.kill();
    ASSERT_EQ(w.committed_groups(0, 0), 20U);
    w.fill_all(30, 2);
    w.shard(0, 0).kept_from = 35;
    auto& p = w.start();
    w.run_for(20s);
    EXPECT_EQ(p.counts.cursor_gaps.value(), 1);
    EXPECT_EQ(w.committed_groups(0, 0), 50U);
    EXPECT_EQ(w.count().delivered, std::size_t{(20 + 15) * 2});
    EXPECT_EQ(w.count().extra_rows, 0U);
  }
}

TEST(split_shard, is_drained_and_its_children_are_found_within_the_list_interval) {
  for (std::uint64_t seed = 1; seed <= seed_count(20); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    world w(seed);
    w.fill_all(20, 2);
    auto& p = w.start();
    w.run_for(std::chrono::milliseconds(w.sim.next() % 40'000));
    w.fill_all(3, 2);
    w.shard(0, 0).readonly = true;
    const auto split = w.sim.now();
    w.fill(w.shard(0, 0, 1), 5, 2);
    w.fill(w.shard(0, 0, 2), 5, 2);
    w.run_for(40s);
    for (const std::int64_t child : {1, 2}) {
      ASSERT_FALSE(w.shard(0, 0, child).pulls.empty());
      EXPECT_LE(w.shard(0, 0, child).pulls.front().at, split + 31s);
    }
    w.expect_exactly_once();
    EXPECT_EQ(status_of(p, "account-0", "logstore-0").shards, 3U);
    const auto pulls = w.shard(0, 0).pulls.size();
    w.run_for(2min);
    EXPECT_EQ(w.shard(0, 0).pulls.size(), pulls);  // done: nobody asks it any more
    EXPECT_EQ(w.committed_groups(0, 0), 23U);
  }
}

// "Nothing new" may be an old answer: only a pull asked for after the shard was known to be read-only tells its end.
TEST(split_shard, is_not_taken_for_drained_by_an_answer_from_before_the_split) {
  world w(1);
  w.start();
  w.run_for(26s);
  bool slow = false;
  w.cloud.held = [&slow](operation op, const seen_request&) -> engine::duration {
    if (op != operation::pull_logs || slow) return 0s;
    slow = true;
    return 8s;
  };
  EXPECT_TRUE(w.run_until([&slow] { return slow; }));  // answered: nothing new; the answer is on its way
  w.fill_all(3, 2);
  w.shard(0, 0).readonly = true;
  w.run_for(1min);
  w.expect_exactly_once();
  EXPECT_EQ(w.committed_groups(0, 0), 3U);
}

}  // namespace
}  // namespace tests
