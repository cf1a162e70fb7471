#include "engine/host/steady_clock.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <future>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "engine/host/io_context.hpp"
#include "engine/host/system_rng.hpp"

namespace engine {
namespace {

using namespace std::chrono_literals;

TEST(steady_clock, calls_in_order_of_time_and_of_asking_where_times_are_equal) {
  asio::io_context io(1);
  steady_clock time(io.get_executor());
  std::string order;
  const time_point start = time.now();
  time.call_at(start + 3ms, [&] { order += 'd'; });
  time.call_at(start + 1ms, [&] { order += 'a'; });
  time.call_at(start + 2ms, [&] { order += 'b'; });
  time.call_at(start + 2ms, [&] { order += 'c'; });
  io.run();  // returns, so nothing is left waiting
  EXPECT_EQ(order, "abcd");
}

TEST(steady_clock, never_calls_before_the_time) {
  asio::io_context io(1);
  steady_clock time(io.get_executor());
  std::vector<duration> early;
  for (int i = 0; i < 50; ++i) {
    const time_point when = time.now() + std::chrono::microseconds(100 * i);
    time.call_at(when, [&, when] {
      if (time.now() < when) early.push_back(when - time.now());
    });
  }
  io.run();
  EXPECT_TRUE(early.empty());
}

TEST(steady_clock, calls_at_once_what_is_past_but_not_inside_call_at) {
  asio::io_context io(1);
  steady_clock time(io.get_executor());
  int calls = 0;
  time.call_at(time_point(), [&] { ++calls; });
  EXPECT_EQ(calls, 0);
  io.run();
  EXPECT_EQ(calls, 1);
}

TEST(steady_clock, does_not_call_what_was_cancelled) {
  asio::io_context io(1);
  steady_clock time(io.get_executor());
  std::string order;
  const time_point start = time.now();
  const auto first = time.call_at(start + 1ms, [&] { order += 'a'; });
  clock::timer_id third = 0;
  time.call_at(start + 2ms, [&] {
    order += 'b';
    time.cancel(third);
  });
  third = time.call_at(start + 2ms, [&] { order += 'c'; });
  time.call_at(start + 3ms, [&] { order += 'd'; });
  time.cancel(first);
  time.cancel(first);
  time.cancel(12345);
  io.run();
  EXPECT_EQ(order, "bd");
}

TEST(steady_clock, nothing_keeps_the_context_running_after_the_last_cancel) {
  asio::io_context io(1);
  steady_clock time(io.get_executor());
  const auto id = time.call_at(time.now() + 24h, [] { FAIL(); });
  time.cancel(id);
  io.run();  // would wait a day
  SUCCEED();
}

TEST(steady_clock, an_earlier_call_is_not_held_up_by_a_later_one) {
  asio::io_context io(1);
  steady_clock time(io.get_executor());
  int calls = 0;
  const auto far = time.call_at(time_point::max(), [] { FAIL(); });
  time.call_at(time.now() + 1ms, [&] {
    ++calls;
    time.call_at(time.now() + 1ms, [&] {
      ++calls;
      time.cancel(far);
    });
  });
  io.run();
  EXPECT_EQ(calls, 2);
}

TEST(steady_clock, drops_what_waits_when_it_is_destroyed) {
  asio::io_context io(1);
  const auto held = std::make_shared<int>(1);
  {
    steady_clock time(io.get_executor());
    time.call_at(time.now() + 1h, [held] { FAIL(); });
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
  io.run();
}

TEST(steady_clock, shows_utc_and_monotonic_time) {
  asio::io_context io(1);
  const steady_clock time(io.get_executor());
  const auto before = std::chrono::system_clock::now() - 1ms;
  EXPECT_GE(time.wall(), std::chrono::floor<std::chrono::milliseconds>(before));
  const time_point first = time.now();
  EXPECT_LE(first, time.now());
}

TEST(steady_clock, each_call_is_made_once_or_cancelled_with_many_threads_at_once) {
  constexpr int threads = 3;
  constexpr int each = 2000;
  std::atomic<int> fired = 0;
  std::atomic<int> surely_cancelled = 0;
  std::atomic<int> maybe_cancelled = 0;
  std::promise<void> all_seen;
  io_context io(2);
  steady_clock time(io.get_executor());
  io.start();
  {
    std::vector<std::jthread> callers;
    for (int t = 0; t < threads; ++t) {
      callers.emplace_back([&, t] {
        std::mt19937_64 random(static_cast<unsigned>(t));
        for (int i = 0; i < each; ++i) {
          if (i % 4 == 0) {
            time.cancel(time.call_at(time.now() + 1h, [&] { ++fired; }));
            ++surely_cancelled;
          } else {
            const auto delay = std::chrono::microseconds(random() % 3000);
            const auto id = time.call_at(time.now() + delay, [&] { ++fired; });
            if (i % 4 != 1) continue;
            time.cancel(id);
            ++maybe_cancelled;
          }
        }
      });
    }
  }
  time.call_at(time.now() + 10ms, [&] { all_seen.set_value(); });
  all_seen.get_future().wait();
  io.join();  // the set is empty, so the threads run out of work
  const int made = threads * each;
  EXPECT_LE(fired, made - surely_cancelled);
  EXPECT_GE(fired, made - surely_cancelled - maybe_cancelled);
}

TEST(system_rng, a_fixed_seed_gives_a_fixed_sequence) {
  system_rng one(7);
  system_rng two(7);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(one.next(), two.next());
  EXPECT_EQ(system_rng(0).next(), 0xe220a8397b1dcdafu);  // the published first number of splitmix64 from 0
}

TEST(system_rng, seeds_of_the_system_differ_and_numbers_do_not_repeat) {
  system_rng one;
  system_rng two;
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) {
    seen.insert(one.next());
    seen.insert(two.next());
  }
  EXPECT_EQ(seen.size(), 2000u);
}

TEST(io_context, runs_what_is_posted_on_its_threads_and_joins_when_nothing_is_left) {
  io_context io(2);
  std::atomic<int> ran = 0;
  const auto outside = std::this_thread::get_id();
  io.start();
  for (int i = 0; i < 100; ++i) {
    asio::post(io.get_executor(), [&] { ran += std::this_thread::get_id() == outside ? 0 : 1; });
  }
  io.join();
  EXPECT_EQ(ran, 100);
}

TEST(io_context, stops_with_work_left) {
  io_context io(1);
  steady_clock time(io.get_executor());
  time.call_at(time.now() + 1h, [] { FAIL(); });
  io.start();
  io.stop();
  io.join();
  SUCCEED();
}

}  // namespace
}  // namespace engine
