// Who passes a gate and when, in virtual time. The whole of parking is in tests/flow/parking_test.cpp.
#include "stages/gate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/simulated_executor.hpp"

namespace stages {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using pass = gate::pass;

// Callers with a number each, and what they were answered in the order of the answers.
struct visitors {
  support::simulation sim{1};
  gate at{sim, 60s};
  std::vector<std::pair<int, pass>> answers;
  std::map<int, std::uint64_t> seen;

  void enter(int number) { sim.spawn(visit(number)); }
  engine::task<> visit(int number) {
    const pass got = co_await at.enter(seen[number]);
    answers.emplace_back(number, got);
  }
  // One after the other, so that the order of arrival is known.
  void enter_all(int count) {
    for (int i = 0; i < count; ++i) {
      enter(i);
      run();
    }
  }
  void run(engine::duration length = 0s) { EXPECT_TRUE(sim.run(sim.now() + length)); }
  std::vector<std::pair<int, pass>> take() { return std::exchange(answers, {}); }
  ~visitors() {
    at.close();
    sim.run();
  }
};

TEST(gate, lets_everybody_pass_while_it_is_open) {
  visitors v;
  v.enter_all(2);
  EXPECT_THAT(v.take(), ElementsAre(std::pair(0, pass::open), std::pair(1, pass::open)));
  EXPECT_TRUE(v.at.open());
}

TEST(gate, tells_only_the_first_that_parks_it) {
  visitors v;
  EXPECT_TRUE(v.at.park("403", false));
  EXPECT_FALSE(v.at.park("404", false));
  EXPECT_FALSE(v.at.open());
  EXPECT_EQ(v.at.now().reason, "403");
  EXPECT_EQ(v.at.now().probes_failed, 0U);
}

TEST(gate, lets_the_one_that_waited_longest_probe_after_the_interval_and_nobody_else) {
  visitors v;
  v.at.park("403", false);
  v.enter_all(3);
  v.run(59s);
  EXPECT_THAT(v.take(), IsEmpty());
  v.run(1s);
  EXPECT_THAT(v.take(), ElementsAre(std::pair(0, pass::probe)));
  v.run(10min);  // as long as the probe is out
  EXPECT_THAT(v.take(), IsEmpty());
}

TEST(gate, gives_a_turn_that_is_handed_on_to_the_next_at_once_and_to_each_once_in_an_interval) {
  visitors v;
  v.at.park("403", false);
  v.enter_all(3);
  v.run(60s);
  std::vector<int> order;
  for (int turns = 0; turns < 3; ++turns) {
    const auto got = v.take();
    ASSERT_EQ(got.size(), 1U);
    EXPECT_EQ(got[0].second, pass::probe);
    order.push_back(got[0].first);
    v.at.hand_on();
    v.enter(got[0].first);
    v.run();
  }
  EXPECT_THAT(order, ElementsAre(0, 1, 2));
  v.run(59s);
  EXPECT_THAT(v.take(), IsEmpty());  // each had its turn
  v.run(1s);
  EXPECT_THAT(v.take(), ElementsAre(std::pair(0, pass::probe)));
}

TEST(gate, gives_a_free_turn_to_one_that_comes_late_before_those_that_had_theirs) {
  visitors v;
  v.at.park("403", false);
  v.enter_all(1);
  v.run(60s);
  v.take();
  v.at.hand_on();
  v.enter(0);
  v.run();
  EXPECT_THAT(v.take(), IsEmpty());
  v.enter(7);
  v.run();
  EXPECT_THAT(v.take(), ElementsAre(std::pair(7, pass::probe)));
}

TEST(gate, opens_for_all_when_the_probe_is_accepted) {
  visitors v;
  v.at.park("403", false);
  v.enter_all(3);
  v.run(60s);
  v.take();
  EXPECT_FALSE(v.at.accepted(false));  // one that left before: says nothing about the refusal
  EXPECT_TRUE(v.at.accepted(true));
  v.run();
  EXPECT_THAT(v.take(), testing::UnorderedElementsAre(std::pair(1, pass::open), std::pair(2, pass::open)));
  EXPECT_TRUE(v.at.open());
}

TEST(gate, opens_at_any_answer_when_it_was_parked_for_silence) {
  visitors v;
  v.at.park("silent", false, gate::reopens::by_any_answer);
  EXPECT_TRUE(v.at.accepted(false));
  EXPECT_TRUE(v.at.open());
}

TEST(gate, counts_failed_probes_and_begins_a_new_interval_with_each) {
  visitors v;
  v.at.park("403", false);
  v.enter_all(2);
  v.run(60s);
  v.take();
  EXPECT_FALSE(v.at.park("404", true));
  EXPECT_EQ(v.at.now().probes_failed, 1U);
  EXPECT_EQ(v.at.now().reason, "404");
  EXPECT_FALSE(v.at.park("404", true));  // a second body of the same probe
  EXPECT_EQ(v.at.now().probes_failed, 1U);
  v.run(59s);
  EXPECT_THAT(v.take(), IsEmpty());
  v.run(1s);
  EXPECT_THAT(v.take(), ElementsAre(std::pair(1, pass::probe)));
}

TEST(gate, ends_all_waiting_when_it_is_closed_and_refuses_later_comers) {
  visitors v;
  v.at.park("403", false);
  v.enter_all(2);
  v.at.close();
  v.run();
  EXPECT_THAT(v.take(), testing::UnorderedElementsAre(std::pair(0, pass::closed), std::pair(1, pass::closed)));
  v.enter(5);
  v.run();
  EXPECT_THAT(v.take(), ElementsAre(std::pair(5, pass::closed)));
}

// 10,000 idle routes hand the turn round once per interval: one wake-up each, not one for everybody each time.
TEST(gate, wakes_only_the_one_whose_turn_it_is) {
  constexpr int routes = 10'000;
  visitors v;
  v.at.park("403", false);
  for (int i = 0; i < routes; ++i) v.enter(i);
  v.run(60s);
  std::size_t turns = 0;
  for (;;) {
    const auto got = v.take();
    if (got.empty()) break;
    turns += got.size();
    v.at.hand_on();
    v.enter(got[0].first);
    ASSERT_TRUE(v.sim.run(v.sim.now(), 100));  // a handful of steps for each turn
  }
  EXPECT_EQ(turns, std::size_t{routes});
}

}  // namespace
}  // namespace stages
