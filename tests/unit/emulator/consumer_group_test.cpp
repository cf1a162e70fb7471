#include "tools/emulator/sls/consumer_group.hpp"

#include <gtest/gtest.h>

#include <set>

#include "tools/emulator/seeded_random.hpp"
#include "tools/emulator/sls/cursor.hpp"

namespace emulator::sls {
namespace {

using std::chrono::seconds;
using ids = std::vector<std::int64_t>;
using state = consumer_group::shard_state;

time_point at(int s) { return time_point{} + seconds(1'000'000 + s); }

std::vector<shard_facts> writable(int count) {
  std::vector<shard_facts> all;
  for (int i = 0; i < count; ++i) all.push_back({i, false, 100, {}});
  return all;
}

ids beat(consumer_group& group, std::string_view consumer, const ids& working_on, int s) {
  const auto held = group.heartbeat(consumer, working_on, at(s));
  EXPECT_TRUE(held.has_value()) << consumer;
  return held.value_or(ids{});
}

std::string code_of(const outcome<void>& result) { return result ? "" : result.error().code; }

// Case 1
TEST(consumer_group, an_in_order_group_lets_children_wait_until_all_ancestors_are_over) {
  consumer_group group(seconds(60), true);
  group.know_shards({{0, true, 100, {}}, {1, false, 10, {0}}, {2, false, 10, {0}}});
  EXPECT_EQ(group.state_of(0), state::not_alloc);
  EXPECT_EQ(group.state_of(1), state::wait);
  EXPECT_EQ(beat(group, "a", {}, 0), ids{0});
  EXPECT_TRUE(group.checkpoint("a", 0, cursor_text(100), false, at(1)));
  EXPECT_EQ(group.state_of(0), state::over);
  EXPECT_EQ(beat(group, "a", {0}, 2), (ids{1, 2}));
}

TEST(consumer_group, a_group_without_order_hands_out_children_at_once) {
  consumer_group group(seconds(60), false);
  group.know_shards({{0, true, 100, {}}, {1, false, 10, {0}}});
  EXPECT_EQ(beat(group, "a", {}, 0), (ids{0, 1}));
}

// Case 2
TEST(consumer_group, shards_go_to_the_first_live_consumer) {
  consumer_group group(seconds(60), false);
  group.know_shards(writable(3));
  EXPECT_EQ(group.state_of(0), state::not_alloc);
  EXPECT_EQ(beat(group, "a", {}, 0), (ids{0, 1, 2}));
  EXPECT_EQ(group.state_of(0), state::already_alloc);
}

// Cases 3 and 4
TEST(consumer_group, a_shard_moves_only_when_its_owner_no_longer_lists_it) {
  consumer_group group(seconds(60), false);
  group.know_shards(writable(4));
  EXPECT_EQ(beat(group, "a", {}, 0).size(), 4U);
  EXPECT_EQ(beat(group, "b", {}, 1), ids{});
  const auto kept = beat(group, "a", {0, 1, 2, 3}, 2);
  EXPECT_EQ(kept.size(), 2U);
  EXPECT_EQ(beat(group, "b", {}, 3), ids{});           // still listed by a
  EXPECT_EQ(beat(group, "a", {0, 1, 2, 3}, 4), kept);  // still shutting down
  EXPECT_EQ(beat(group, "b", {}, 5), ids{});
  EXPECT_EQ(beat(group, "a", kept, 6), kept);  // let go
  EXPECT_EQ(beat(group, "b", {}, 7).size(), 2U);
}

TEST(consumer_group, an_owner_may_save_its_checkpoint_while_the_shard_is_taken_from_it) {
  consumer_group group(seconds(60), false);
  group.know_shards(writable(2));
  EXPECT_EQ(beat(group, "a", {}, 0).size(), 2U);
  beat(group, "b", {}, 1);
  const auto kept = beat(group, "a", {0, 1}, 2);
  const std::int64_t going = kept == ids{0} ? 1 : 0;
  EXPECT_EQ(group.state_of(going), state::transfer);
  EXPECT_EQ(code_of(group.checkpoint("a", going, cursor_text(5), false, at(3))), "");
  EXPECT_EQ(code_of(group.checkpoint("b", going, cursor_text(5), false, at(3))), "ConsumerNotMatch");
  beat(group, "a", kept, 4);
  EXPECT_EQ(code_of(group.checkpoint("a", going, cursor_text(6), false, at(5))), "ConsumerNotMatch");
  EXPECT_EQ(code_of(group.checkpoint("b", going, cursor_text(6), false, at(5))), "");
}

TEST(consumer_group, the_owner_keeps_the_shard_when_its_next_owner_dies_first) {
  consumer_group group(seconds(60), false);
  group.know_shards(writable(2));
  beat(group, "a", {}, 0);
  beat(group, "b", {}, 1);
  EXPECT_EQ(beat(group, "a", {0, 1}, 50).size(), 1U);
  EXPECT_EQ(beat(group, "a", {0, 1}, 62), (ids{0, 1}));  // b was silent for 61 s
}

// Case 5
TEST(consumer_group, a_silent_consumer_loses_its_shards_and_must_rejoin_with_an_empty_list) {
  consumer_group group(seconds(60), false);
  group.know_shards(writable(2));
  beat(group, "a", {}, 0);
  EXPECT_EQ(beat(group, "a", {0, 1}, 60), (ids{0, 1}));  // just in time
  EXPECT_EQ(beat(group, "b", {}, 121), (ids{0, 1}));
  const auto refused = group.heartbeat("a", {0, 1}, at(122));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, "NotExistConsumerWithBody");
  EXPECT_EQ(refused.error().status, 400);
  EXPECT_EQ(code_of(group.checkpoint("a", 0, cursor_text(1), false, at(122))), "ConsumerNotExist");
  EXPECT_EQ(beat(group, "a", {}, 123), ids{});
}

TEST(consumer_group, a_shard_in_transfer_goes_to_its_next_owner_when_the_owner_dies) {
  consumer_group group(seconds(60), false);
  group.know_shards(writable(2));
  beat(group, "a", {}, 0);
  beat(group, "b", {}, 50);
  EXPECT_EQ(beat(group, "b", {}, 61), (ids{0, 1}));
}

// Case 6
TEST(consumer_group, a_readonly_shard_is_over_only_by_a_checkpoint_at_its_end) {
  consumer_group group(seconds(60), false);
  group.know_shards({{0, true, 100, {}}});
  beat(group, "a", {}, 0);
  EXPECT_TRUE(group.checkpoint("a", 0, cursor_text(99), false, at(1)));
  EXPECT_EQ(group.state_of(0), state::already_alloc);
  EXPECT_TRUE(group.checkpoint("a", 0, cursor_text(100), false, at(2)));
  EXPECT_EQ(beat(group, "a", {0}, 3), ids{});
}

TEST(consumer_group, forcing_an_earlier_cursor_revives_a_shard_that_was_over) {
  consumer_group group(seconds(60), false);
  group.know_shards({{0, true, 100, {}}});
  beat(group, "a", {}, 0);
  EXPECT_TRUE(group.checkpoint("a", 0, cursor_text(100), false, at(1)));
  EXPECT_TRUE(group.checkpoint("", 0, cursor_text(50), true, at(2)));
  EXPECT_EQ(beat(group, "a", {}, 3), ids{0});
}

TEST(consumer_group, a_checkpoint_at_the_end_of_a_writable_shard_changes_nothing) {
  consumer_group group(seconds(60), false);
  group.know_shards(writable(1));
  beat(group, "a", {}, 0);
  EXPECT_TRUE(group.checkpoint("a", 0, cursor_text(100), false, at(1)));
  EXPECT_EQ(group.state_of(0), state::already_alloc);
}

// Case 7
TEST(consumer_group, switching_order_off_releases_waiting_shards_and_on_spares_known_ones) {
  consumer_group group(seconds(60), true);
  group.know_shards({{0, true, 100, {}}, {1, false, 10, {0}}});
  EXPECT_EQ(group.state_of(1), state::wait);
  group.set_order(false);
  EXPECT_EQ(group.state_of(1), state::not_alloc);
  group.set_order(true);
  EXPECT_EQ(group.state_of(1), state::not_alloc);
  group.know_shards({{0, true, 100, {}}, {1, true, 10, {0}}, {2, false, 10, {1}}});
  EXPECT_EQ(group.state_of(2), state::wait);
}

// Case 8
TEST(consumer_group, only_the_owner_checkpoints_unless_forced) {
  consumer_group group(seconds(60), false);
  group.know_shards(writable(1));
  beat(group, "a", {}, 0);
  beat(group, "b", {}, 0);
  EXPECT_EQ(code_of(group.checkpoint("b", 0, cursor_text(1), false, at(1))), "ConsumerNotMatch");
  EXPECT_EQ(code_of(group.checkpoint("c", 0, cursor_text(1), false, at(1))), "ConsumerNotExist");
  EXPECT_EQ(code_of(group.checkpoint("", 0, cursor_text(1), false, at(1))), "ParameterInvalid");
  EXPECT_EQ(code_of(group.checkpoint("c", 0, cursor_text(1), true, at(1))), "");
  EXPECT_EQ(code_of(group.checkpoint("a", 7, cursor_text(1), true, at(1))), "ShardNotExist");
  EXPECT_EQ(code_of(group.checkpoint("a", 0, "no!", true, at(1))), "InvalidShardCheckPoint");
}

TEST(consumer_group, checkpoints_read_back_as_written_and_empty_when_never_written) {
  consumer_group group(seconds(60), false);
  group.know_shards(writable(2));
  ASSERT_TRUE(group.checkpoint("a", 1, cursor_text(42), true, at(3)));
  const auto all = group.checkpoints(std::nullopt);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].checkpoint, "");
  EXPECT_EQ(all[1].checkpoint, cursor_text(42));
  EXPECT_EQ(all[1].consumer, "a");
  EXPECT_EQ(all[1].update_time_us, 1'000'003'000'000);
  EXPECT_EQ(group.checkpoints(0).size(), 1U);
  EXPECT_TRUE(group.checkpoints(9).empty());
}

// Well-behaved consumers that come, go and fall silent: no shard is ever held by two, and in the end shares are even.
TEST(consumer_group, no_shard_has_two_holders_and_shares_become_even) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    seeded_random random(seed);
    consumer_group group(seconds(60), false);
    auto shards = writable(static_cast<int>(1 + random.below(9)));
    group.know_shards(shards);
    std::map<std::string, ids> working;
    std::map<std::string, int> last_beat;
    int now = 0;
    const auto beat_once = [&](const std::string& name) {
      const auto held = group.heartbeat(name, working[name], at(now));
      // A client whose beats stopped for longer than the timeout has let everything go.
      working[name] = held ? *held : ids{};
      last_beat[name] = now;
    };
    for (int step = 0; step < 60; ++step) {
      now += static_cast<int>(random.below(15));
      for (auto& [name, list] : working) {
        if (now - last_beat[name] > 60) list.clear();
      }
      if (random.below(10) == 0) {
        shards.push_back({static_cast<std::int64_t>(shards.size()), false, 100, {}});
        group.know_shards(shards);
      }
      beat_once(std::string(1, static_cast<char>('a' + random.below(4))));
      std::set<std::int64_t> seen;
      for (const auto& [name, list] : working) {
        for (const auto id : list) ASSERT_TRUE(seen.insert(id).second) << "shard " << id << " has two holders";
      }
    }
    for (int round = 0; round < 6; ++round, ++now) {
      for (const auto* name : {"a", "b", "c", "d"}) beat_once(name);
    }
    std::size_t least = shards.size();
    std::size_t most = 0;
    std::size_t total = 0;
    for (const auto& [name, list] : working) {
      least = std::min(least, list.size());
      most = std::max(most, list.size());
      total += list.size();
    }
    EXPECT_EQ(total, shards.size());
    EXPECT_LE(most - least, 1U);
  }
}

}  // namespace
}  // namespace emulator::sls
