#include "engine/flow/budget.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "tests/support/simulated_executor.hpp"

namespace {

using engine::budget;
using engine::budget_holder;
using engine::mib;
using engine::task;
using namespace std::chrono_literals;

budget_holder holder(std::uint32_t account, std::uint32_t destination = 0) {
  return {.flow = {.account = account, .logstore = 0}, .destination = destination};
}
task<> take(budget& from, budget_holder who, std::size_t bytes, std::optional<budget::lease>& out) {
  out = co_await from.acquire(who, bytes);
}
task<> take_and_hold(support::simulation& sim, engine::signal& timer, budget& from, budget_holder who,
                     std::size_t bytes, engine::duration hold, int rounds, int& done) {
  for (int i = 0; i < rounds; ++i) {
    auto lease = co_await from.acquire(who, bytes);
    if (!lease) co_return;
    const auto until = sim.now() + hold;
    co_await timer.sleep_until(sim, until);
    ++done;
  }
}

TEST(budget, grants_at_once_while_there_is_room_and_makes_the_next_wait) {
  support::simulation sim(1);
  budget all(64 * mib, 1, 1);
  std::optional<budget::lease> a, b, c;
  sim.spawn(take(all, holder(1), 32 * mib, a));
  sim.spawn(take(all, holder(1), 28 * mib, b));
  sim.spawn(take(all, holder(1), 4 * mib, c));
  sim.run();
  EXPECT_EQ(int{a.has_value()} + int{b.has_value()} + int{c.has_value()}, 2);
  EXPECT_EQ(all.waiting(), 1U);
  a.reset();
  b.reset();
  c.reset();
  sim.run();
  EXPECT_EQ(all.waiting(), 0U);
  a.reset();
  b.reset();
  c.reset();
  EXPECT_EQ(all.in_use(), 0U);
}

TEST(budget, an_account_at_its_cap_stands_in_no_line_and_others_pass) {
  support::simulation sim(2);
  budget all(64 * mib, 8, 1);  // cap of an account: 7.5 MiB
  std::optional<budget::lease> hot1, hot2, hot3, quiet;
  sim.spawn(take(all, holder(1), 4 * mib, hot1));
  sim.run();
  sim.spawn(take(all, holder(1), 4 * mib, hot2));
  sim.run();
  EXPECT_FALSE(hot2.has_value());
  sim.spawn(take(all, holder(2), 4 * mib, quiet));
  sim.run();
  EXPECT_TRUE(quiet.has_value());
  hot1.reset();
  sim.run();
  EXPECT_TRUE(hot2.has_value());
}

TEST(budget, a_destination_at_its_cap_does_not_hold_up_another) {
  support::simulation sim(2);
  budget all(64 * mib, 1, 8);
  std::optional<budget::lease> stalled, stalled2, fine;
  sim.spawn(take(all, holder(1, 1), 7 * mib, stalled));
  sim.run();
  sim.spawn(take(all, holder(1, 1), 2 * mib, stalled2));
  sim.spawn(take(all, holder(1, 2), 2 * mib, fine));
  sim.run();
  EXPECT_TRUE(stalled.has_value());
  EXPECT_FALSE(stalled2.has_value());
  EXPECT_TRUE(fine.has_value());
  stalled.reset();
  sim.run();
  EXPECT_TRUE(stalled2.has_value());
}

TEST(budget, a_block_above_a_cap_passes_alone_one_at_a_time) {
  support::simulation sim(3);
  budget all(64 * mib, 8, 8);
  std::optional<budget::lease> large1, large2, small;
  sim.spawn(take(all, holder(1), 20 * mib, large1));
  sim.run();
  EXPECT_TRUE(large1.has_value());
  sim.spawn(take(all, holder(2, 2), 20 * mib, large2));
  sim.spawn(take(all, holder(3, 3), 1 * mib, small));
  sim.run();
  EXPECT_FALSE(large2.has_value());
  EXPECT_TRUE(small.has_value());
  large1->shrink_to(1 * mib);  // no longer above the cap: the next large one may pass
  sim.run();
  EXPECT_TRUE(large2.has_value());
}

// A silent destination never makes room: its large block must not stand at the head of the line meanwhile.
TEST(budget, a_block_above_a_cap_waits_for_the_others_of_its_destination_and_nobody_waits_for_it) {
  support::simulation sim(3);
  budget all(64 * mib, 2, 2);
  std::optional<budget::lease> silent, large, fine, next;
  sim.spawn(take(all, holder(1, 1), 28 * mib, silent));
  sim.run();
  sim.spawn(take(all, holder(1, 1), 32 * mib, large));
  sim.run();
  sim.spawn(take(all, holder(2, 2), 20 * mib, fine));
  sim.run();
  EXPECT_FALSE(large.has_value());
  EXPECT_TRUE(fine.has_value());
  sim.spawn(take(all, holder(1, 1), 1 * mib, next));  // nor may one of its own pass it
  silent.reset();
  sim.run();
  EXPECT_TRUE(large.has_value());
  EXPECT_TRUE(next.has_value());
}

TEST(budget, grows_from_the_reserve_without_waiting_and_says_no_when_that_is_used_up) {
  support::simulation sim(4);
  budget all(64 * mib, 1, 1);
  std::optional<budget::lease> a, waits;
  sim.spawn(take(all, holder(1), 30 * mib, a));
  sim.run();
  EXPECT_TRUE(a->try_grow_to(32 * mib));
  EXPECT_EQ(all.in_use(), 32 * mib);
  std::optional<budget::lease> b;
  sim.spawn(take(all, holder(1), 28 * mib, b));
  sim.run();
  sim.spawn(take(all, holder(1), 8 * mib, waits));
  sim.run();
  EXPECT_FALSE(waits.has_value());
  EXPECT_FALSE(a->try_grow_to(40 * mib));
  EXPECT_EQ(a->bytes(), 32 * mib);
  a->shrink_to(1 * mib);
  sim.run();
  EXPECT_TRUE(waits.has_value());
}

TEST(budget, tells_about_pressure_when_somebody_begins_to_wait) {
  support::simulation sim(5);
  budget all(64 * mib, 1, 1);
  int pressure = 0;
  all.on_pressure([&pressure] { ++pressure; });
  std::optional<budget::lease> a, b, c;
  sim.spawn(take(all, holder(1), 32 * mib, a));
  sim.spawn(take(all, holder(1), 20 * mib, b));
  sim.run();
  EXPECT_EQ(pressure, 0);
  sim.spawn(take(all, holder(1), 20 * mib, c));
  sim.run();
  EXPECT_EQ(pressure, 1);
  all.close();
  sim.run();
  EXPECT_FALSE(c.has_value());
  EXPECT_EQ(sim.running(), 0U);
}

TEST(budget, a_hot_account_cannot_keep_a_quiet_one_waiting_for_more_than_a_round) {
  support::simulation sim(7);
  engine::signal timer;
  budget all(64 * mib, 2, 1);
  int hot = 0;
  int quiet = 0;
  for (int i = 0; i < 100; ++i) sim.spawn(take_and_hold(sim, timer, all, holder(1), 4 * mib, 10ms, 50, hot));
  sim.spawn(take_and_hold(sim, timer, all, holder(2), 4 * mib, 10ms, 20, quiet));
  sim.run_for(20 * 25ms);
  EXPECT_EQ(quiet, 20);
  all.close();
  sim.run();
}

TEST(budget, is_never_exceeded_and_always_comes_to_an_end_under_any_schedule) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    support::simulation sim(seed);
    engine::signal timer;
    std::mt19937_64 random(seed);
    budget all(64 * mib, 5, 3);
    int done = 0;
    int expected = 0;
    for (std::uint32_t i = 0; i < 60; ++i) {
      const auto bytes = 1 + random() % (random() % 20 == 0 ? all.block_bytes_max() : 3 * mib);
      budget_holder who{.flow = {.account = i % 5, .logstore = i}, .destination = i % 3};
      sim.spawn(take_and_hold(sim, timer, all, who, bytes, std::chrono::milliseconds(1 + random() % 20), 5, done));
      expected += 5;
    }
    sim.run();
    ASSERT_EQ(done, expected) << "seed " << seed;
    ASSERT_LE(all.in_use_peak(), all.bytes_max()) << "seed " << seed;
    ASSERT_EQ(all.in_use(), 0U) << "seed " << seed;
  }
}

}  // namespace
