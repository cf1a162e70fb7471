#include "engine/flow/bounded_queue.hpp"

#include <gtest/gtest.h>

#include <boost/asio/thread_pool.hpp>
#include <numeric>
#include <vector>

#include "engine/flow/scope.hpp"
#include "tests/support/simulated_executor.hpp"

namespace {

using engine::bounded_queue;
using engine::push_result;
using engine::task;
using namespace std::chrono_literals;

task<> push_all(bounded_queue<int>& queue, int first, int last, std::size_t bytes, std::vector<push_result>& results) {
  for (int i = first; i < last; ++i) {
    const auto r = co_await queue.push(i, bytes);
    results.push_back(r);
  }
}
task<> pop_all(bounded_queue<int>& queue, std::vector<int>& out) {
  for (;;) {
    auto item = co_await queue.pop();
    if (!item) break;
    out.push_back(*item);
  }
}
task<> pop_one_until(bounded_queue<int>& queue, engine::clock& clock, engine::time_point deadline,
                     std::optional<int>& out) {
  out = co_await queue.pop_until(clock, deadline);
}

TEST(bounded_queue, never_holds_more_items_than_its_bound) {
  support::simulation sim(1);
  bounded_queue<int> queue(3, 1000);
  std::vector<push_result> results;
  sim.spawn(push_all(queue, 0, 10, 1, results));
  sim.run();
  EXPECT_EQ(queue.size(), 3U);
  EXPECT_EQ(results.size(), 3U);
  queue.cancel();
  sim.run();
  sim.check();
}

TEST(bounded_queue, admits_while_below_the_byte_bound_so_that_one_oversize_item_passes_alone) {
  support::simulation sim(1);
  bounded_queue<int> queue(100, 1000);
  std::vector<push_result> results;
  sim.spawn(push_all(queue, 0, 3, 5000, results));
  sim.run();
  EXPECT_EQ(queue.size(), 1U);
  EXPECT_EQ(queue.bytes(), 5000U);
  std::vector<int> out;
  queue.close();
  sim.spawn(pop_all(queue, out));
  sim.run();
  EXPECT_EQ(out, std::vector<int>{0});
  EXPECT_EQ(results, (std::vector{push_result::ok, push_result::closed, push_result::closed}));
}

TEST(bounded_queue, gives_what_is_left_after_close_and_then_ends) {
  support::simulation sim(2);
  bounded_queue<int> queue(10, 1000);
  std::vector<push_result> results;
  sim.spawn(push_all(queue, 0, 5, 1, results));
  sim.run();
  queue.close();
  std::vector<int> out;
  sim.spawn(pop_all(queue, out));
  sim.run();
  EXPECT_EQ(out, (std::vector{0, 1, 2, 3, 4}));
  EXPECT_TRUE(queue.ended());
  EXPECT_EQ(sim.running(), 0U);
}

TEST(bounded_queue, wakes_every_waiting_push_and_pop_on_cancel_and_keeps_the_items_for_its_owner) {
  support::simulation sim(3);
  bounded_queue<int> full(1, 1000);
  bounded_queue<int> empty(1, 1000);
  std::vector<push_result> results;
  std::vector<int> out;
  sim.spawn(push_all(full, 0, 2, 1, results));
  sim.spawn(pop_all(empty, out));
  sim.run();
  EXPECT_EQ(sim.running(), 2U);
  full.cancel();
  empty.cancel();
  sim.run();
  EXPECT_EQ(sim.running(), 0U);
  EXPECT_EQ(results, (std::vector{push_result::ok, push_result::cancelled}));
  EXPECT_EQ(full.take_rest(), std::deque<int>{0});
}

TEST(bounded_queue, pop_until_returns_at_its_deadline_and_loses_no_item) {
  support::simulation sim(4);
  bounded_queue<int> queue(4, 1000);
  std::optional<int> first;
  std::optional<int> second;
  sim.spawn(pop_one_until(queue, sim, sim.now() + 10ms, first));
  sim.run();
  EXPECT_EQ(first, std::nullopt);
  EXPECT_EQ(sim.now(), engine::time_point(10ms));
  std::vector<push_result> results;
  sim.spawn(pop_one_until(queue, sim, sim.now() + 10ms, second));
  sim.spawn(push_all(queue, 7, 8, 1, results));
  sim.run();
  EXPECT_EQ(second, 7);
}

TEST(bounded_queue, loses_and_doubles_nothing_under_any_schedule) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    support::simulation sim(seed);
    bounded_queue<int> queue(1 + seed % 5, 3 + seed % 40);
    std::vector<push_result> results;
    std::vector<int> out;
    for (int p = 0; p < 3; ++p) sim.spawn(push_all(queue, p * 100, p * 100 + 50, 1 + seed % 9, results));
    sim.spawn(pop_all(queue, out));
    sim.run();
    queue.close();
    sim.run();
    std::sort(out.begin(), out.end());
    std::vector<int> expected;
    for (int p = 0; p < 3; ++p) {
      for (int i = 0; i < 50; ++i) expected.push_back(p * 100 + i);
    }
    ASSERT_EQ(out, expected) << "seed " << seed;
    ASSERT_EQ(sim.running(), 0U) << "seed " << seed;
  }
}

// Real threads: for ThreadSanitizer, and for what the simulation cannot show.
TEST(bounded_queue, keeps_every_item_with_two_threads_and_a_close_at_any_time) {
  for (unsigned round = 0; round < 200; ++round) {
    boost::asio::thread_pool pool(2);
    bounded_queue<int> queue(2, 10);
    std::vector<push_result> results[2];
    std::vector<int> out;
    engine::scope children(pool.get_executor());
    children.spawn(push_all(queue, 0, 100, 3, results[0]));
    children.spawn(push_all(queue, 100, 200, 3, results[1]));
    children.spawn(pop_all(queue, out));
    for (unsigned spin = 0; spin < round * 50; ++spin) asm volatile("" ::: "memory");
    queue.close();
    pool.join();
    const auto accepted = [](const std::vector<push_result>& r) {
      return static_cast<std::size_t>(std::count(r.begin(), r.end(), push_result::ok));
    };
    ASSERT_EQ(out.size(), accepted(results[0]) + accepted(results[1]));
    ASSERT_EQ(children.running(), 0U);
  }
}

}  // namespace
