// signal, scope and permits.
#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

#include "engine/flow/permits.hpp"
#include "engine/flow/scope.hpp"
#include "engine/flow/signal.hpp"
#include "tests/support/simulated_executor.hpp"

namespace {

using engine::permits;
using engine::scope;
using engine::signal;
using engine::task;
using engine::woken;
using namespace std::chrono_literals;

task<> wait_for_news(signal& s, std::uint64_t seen, std::optional<woken>& out) { out = co_await s.wait(seen); }
task<> wait_with_deadline(signal& s, engine::clock& c, engine::time_point t, std::optional<woken>& out) {
  const auto seen = s.version();
  out = co_await s.wait_until(seen, c, t);
}

TEST(signal, news_between_the_look_and_the_wait_are_not_missed) {
  support::simulation sim(1);
  signal s;
  const auto seen = s.version();
  s.notify();
  std::optional<woken> out;
  sim.spawn(wait_for_news(s, seen, out));
  sim.run();
  EXPECT_EQ(out, woken::by_news);
}

TEST(signal, wakes_by_news_by_deadline_and_by_close_and_says_which) {
  support::simulation sim(1);
  signal s;
  std::optional<woken> news, late, closed;
  sim.spawn(wait_with_deadline(s, sim, sim.now() + 5ms, late));
  sim.run();
  EXPECT_EQ(late, woken::by_deadline);
  sim.spawn(wait_with_deadline(s, sim, sim.now() + 1h, news));
  sim.run_for(1ms);
  s.notify();
  sim.run_for(1ms);
  EXPECT_EQ(news, woken::by_news);
  sim.spawn(wait_with_deadline(s, sim, sim.now() + 1h, closed));
  sim.run_for(1ms);
  s.close();
  sim.run_for(1ms);
  EXPECT_EQ(closed, woken::by_close);
}

TEST(signal, may_be_destroyed_while_a_timer_of_it_is_still_set) {
  support::simulation sim(1);
  std::optional<woken> out;
  {
    signal s;
    sim.spawn(wait_with_deadline(s, sim, sim.now() + 1h, out));
    sim.run_for(1ms);
    s.notify();
    sim.run_for(1ms);
  }
  sim.run();
  EXPECT_EQ(out, woken::by_news);
}

task<> fail_after(signal& timer, engine::clock& c, engine::time_point t) {
  co_await timer.sleep_until(c, t);
  throw std::runtime_error("first");
}
task<> until_closed(signal& s, int& ended) {
  const auto seen = s.version();
  co_await s.wait(seen);
  ++ended;
}
task<> join_and_record(scope& children, std::string& out) {
  try {
    co_await children.join();
    out = "ok";
  } catch (const std::exception& e) {
    out = e.what();
  }
}

TEST(scope, joins_all_children_and_throws_the_first_failure) {
  support::simulation sim(3);
  signal stop;
  signal timer;
  int ended = 0;
  std::string outcome;
  scope children(sim.get_executor(), [&stop] { stop.close(); });
  children.spawn(until_closed(stop, ended));
  children.spawn(until_closed(stop, ended));
  children.spawn(fail_after(timer, sim, sim.now() + 3ms));
  sim.spawn(join_and_record(children, outcome));
  sim.run();
  EXPECT_EQ(outcome, "first");
  EXPECT_EQ(ended, 2);
  EXPECT_EQ(children.running(), 0U);
}

TEST(scope, join_of_an_empty_scope_returns_at_once) {
  support::simulation sim(3);
  std::string outcome;
  scope children(sim.get_executor());
  sim.spawn(join_and_record(children, outcome));
  sim.run();
  EXPECT_EQ(outcome, "ok");
}

task<> hold(permits& from, engine::cpu_flow flow, signal& timer, engine::clock& c, engine::duration d, int rounds,
            std::vector<std::uint32_t>& order) {
  for (int i = 0; i < rounds; ++i) {
    auto p = co_await from.acquire(flow);
    if (!p) co_return;
    order.push_back(flow.account);
    const auto until = c.now() + d;
    co_await timer.sleep_until(c, until);
  }
}

TEST(permits, never_more_are_out_than_there_are) {
  support::simulation sim(5);
  signal timer;
  permits gate(3, 3);
  std::vector<std::uint32_t> order;
  for (std::uint32_t i = 0; i < 10; ++i) sim.spawn(hold(gate, {i, 0}, timer, sim, 10ms, 1, order));
  sim.run_for(1ms);
  EXPECT_EQ(gate.in_use(), 3U);
  EXPECT_EQ(gate.waiting(), 7U);
  sim.run();
  EXPECT_EQ(order.size(), 10U);
  EXPECT_EQ(gate.in_use(), 0U);
}

TEST(permits, an_account_gets_more_than_its_share_only_while_nobody_else_waits) {
  support::simulation sim(5);
  signal timer;
  permits gate(8, 2);
  std::vector<std::uint32_t> order;
  for (int i = 0; i < 20; ++i) sim.spawn(hold(gate, {1, 0}, timer, sim, 10ms, 20, order));
  sim.run_for(1ms);
  EXPECT_EQ(gate.in_use(), 8U);
  std::vector<std::uint32_t> quiet;
  sim.spawn(hold(gate, {2, 0}, timer, sim, 1ms, 1, quiet));
  sim.run_for(10ms);
  EXPECT_EQ(quiet.size(), 1U);  // the first permit that came back was its
  gate.close();
  sim.run();
  EXPECT_EQ(sim.running(), 0U);
}

TEST(permits, a_permit_taken_by_force_is_paid_back_before_anybody_is_served) {
  support::simulation sim(6);
  signal timer;
  permits gate(1, 1);
  auto forced = gate.take_by_force({1, 0});
  auto forced2 = gate.take_by_force({1, 0});
  std::vector<std::uint32_t> order;
  sim.spawn(hold(gate, {2, 0}, timer, sim, 1ms, 1, order));
  sim.run();
  EXPECT_TRUE(order.empty());
  forced.give_back();
  sim.run();
  EXPECT_TRUE(order.empty());
  forced2.give_back();
  sim.run();
  EXPECT_EQ(order, std::vector<std::uint32_t>{2});
}

}  // namespace
