#include "engine/host/cpu_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <chrono>
#include <latch>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "engine/host/io_context.hpp"
#include "host_test_support.hpp"

namespace engine {
namespace {

using namespace std::chrono_literals;

struct tally {
  std::atomic<int> running = 0;
  std::atomic<int> running_max = 0;
  std::atomic<int> entries = 0;
  std::atomic<int> on_wrong_thread = 0;
};

task<void> enter_often(cpu_pool& pool, cpu_flow flow, int times, tally& t, std::thread::id io_thread) {
  for (int i = 0; i < times; ++i) {
    co_await pool.enter(flow, 1000);
    if (std::this_thread::get_id() == io_thread) ++t.on_wrong_thread;
    const int now = ++t.running;
    int seen = t.running_max;
    while (now > seen && !t.running_max.compare_exchange_weak(seen, now)) {
    }
    ++t.entries;
    --t.running;
    co_await pool.leave();
    if (std::this_thread::get_id() != io_thread) ++t.on_wrong_thread;
  }
}

TEST(cpu_pool, resumes_on_a_worker_and_goes_back_ten_thousand_times) {
  metric_registry metrics;
  asio::io_context io(1);
  cpu_pool pool(2, 1000, metrics);
  EXPECT_EQ(pool.workers(), 2u);
  tally t;
  for (std::uint32_t i = 0; i < 50; ++i) {
    start(io.get_executor(), enter_often(pool, {i % 5, i}, 200, t, std::this_thread::get_id()));
  }
  io.run();
  EXPECT_EQ(t.entries, 10'000);
  EXPECT_EQ(t.on_wrong_thread, 0);
  EXPECT_LE(t.running_max, 2);
  pool.stop();
  EXPECT_NE(metrics.prometheus_text().find("penstock_cpu_wait_seconds_count 10000"), std::string::npos)
      << metrics.prometheus_text();
  EXPECT_EQ(metrics.gauge("penstock_cpu_waiting", "Blocks that wait for a CPU worker.").value(), 0);
  EXPECT_GT(metrics.counter("penstock_cpu_busy_seconds_total", "Time CPU workers spent on blocks.").value(), 0);
}

TEST(cpu_pool, serves_coroutines_of_several_io_threads) {
  metric_registry metrics;
  tally t;
  {
    io_context io(2);
    cpu_pool pool(2, 1000, metrics);
    for (std::uint32_t i = 0; i < 20; ++i) {
      start(io.get_executor(), enter_often(pool, {i, 0}, 250, t, std::this_thread::get_id()));
    }
    io.start();
    io.join();
  }
  EXPECT_EQ(t.entries, 5000);
}

task<void> note_turn(cpu_pool& pool, cpu_flow flow, std::size_t cost, std::string& order, char name) {
  co_await pool.enter(flow, cost);
  order += name;  // one worker, so nothing else writes here
  co_await pool.leave();
}

task<void> block_worker(cpu_pool& pool, std::latch& entered, std::latch& go_on) {
  co_await pool.enter({99, 99}, 1);
  entered.count_down();
  go_on.wait();
  co_await pool.leave();
}

TEST(cpu_pool, gives_every_light_logstore_its_turn_beside_a_hot_one) {
  metric_registry metrics;
  asio::io_context io(1);
  cpu_pool pool(1, 1000, metrics);
  std::latch entered(1);
  std::latch go_on(1);
  std::string order;
  start(io.get_executor(), block_worker(pool, entered, go_on));
  for (int i = 0; i < 1000; ++i) start(io.get_executor(), note_turn(pool, {1, 0}, 1000, order, 'H'));
  for (std::uint32_t i = 1; i <= 200; ++i) start(io.get_executor(), note_turn(pool, {1, i}, 100, order, 'l'));
  // The queue is full before the worker is free again.
  while (io.poll_one() != 0) {
  }
  entered.wait();
  go_on.count_down();
  io.run();
  ASSERT_EQ(order.size(), 1200u);
  const std::size_t last_light = order.rfind('l');
  const auto hot_before = std::count(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(last_light), 'H');
  EXPECT_LE(hot_before, 2) << "one round: one quantum of the hot logstore, and the turn it had";
}

TEST(cpu_pool, stop_lets_what_waits_run_on_the_workers) {
  metric_registry metrics;
  asio::io_context io(1);
  cpu_pool pool(1, 1000, metrics);
  std::latch entered(1);
  std::latch go_on(1);
  std::string order;
  start(io.get_executor(), block_worker(pool, entered, go_on));
  for (char name = 'a'; name < 'f'; ++name) start(io.get_executor(), note_turn(pool, {1, 0}, 1, order, name));
  while (io.poll_one() != 0) {
  }
  entered.wait();
  std::jthread stopper([&] { pool.stop(); });
  while (!pool.stopped()) std::this_thread::yield();
  go_on.count_down();
  stopper.join();
  io.run();
  EXPECT_EQ(order, "abcde");
}

task<void> enter_once(cpu_pool& pool, std::thread::id& inside) {
  co_await pool.enter({1, 1}, 1);
  inside = std::this_thread::get_id();
  co_await pool.leave();
}

TEST(cpu_pool, enter_after_stop_returns_on_the_callers_own_executor) {
  metric_registry metrics;
  asio::io_context io(1);
  cpu_pool pool(2, 1000, metrics);
  EXPECT_FALSE(pool.stopped());
  pool.stop();
  pool.stop();
  EXPECT_TRUE(pool.stopped());
  std::thread::id inside;
  start(io.get_executor(), enter_once(pool, inside));
  io.run();
  EXPECT_EQ(inside, std::this_thread::get_id());
}

task<void> enter_until_stopped(cpu_pool& pool, std::atomic<int>& left) {
  while (!pool.stopped()) {
    co_await pool.enter({1, 1}, 1);
    co_await pool.leave();
  }
  co_await pool.enter({1, 1}, 1);
  co_await pool.leave();
  --left;
}

TEST(cpu_pool, no_coroutine_hangs_whenever_stop_comes) {
  for (int round = 0; round < 20; ++round) {
    metric_registry metrics;
    io_context io(1);
    cpu_pool pool(2, 1000, metrics);
    std::atomic<int> left = 8;
    for (int i = 0; i < 8; ++i) start(io.get_executor(), enter_until_stopped(pool, left));
    io.start();
    for (int i = 0; i < round * 10; ++i) std::this_thread::yield();
    pool.stop();
    io.join();
    ASSERT_EQ(left, 0);
  }
}

}  // namespace
}  // namespace engine
