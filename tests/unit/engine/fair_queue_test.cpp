#include "engine/flow/fair_queue.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace engine {
namespace {

TEST(fair_queue, is_empty_at_first) {
  fair_queue<int> q(10);
  EXPECT_TRUE(q.empty());
  EXPECT_EQ(q.size(), 0u);
  EXPECT_EQ(q.peek(), nullptr);
  EXPECT_EQ(q.pop(), std::nullopt);
}

TEST(fair_queue, keeps_the_order_within_a_flow) {
  fair_queue<int> q(10);
  for (int i = 0; i < 100; ++i) q.push({1, 1}, static_cast<std::size_t>(i * 7 % 31), i);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(q.pop(), i);
  EXPECT_TRUE(q.empty());
}

TEST(fair_queue, shows_the_cost_and_then_gives_what_it_showed) {
  fair_queue<std::string> q(10);
  q.push({1, 1}, 25, "first");
  std::size_t cost = 0;
  ASSERT_NE(q.peek(&cost), nullptr);
  EXPECT_EQ(*q.peek(), "first");
  EXPECT_EQ(cost, 25u);
  EXPECT_EQ(q.pop(), "first");
}

TEST(fair_queue, a_shown_head_keeps_its_turn_whatever_is_pushed) {
  fair_queue<int> q(10);
  q.push({1, 1}, 1000, 1);
  ASSERT_EQ(*q.peek(), 1);
  for (int i = 0; i < 50; ++i) {
    q.push({2, static_cast<std::uint32_t>(i)}, 1, 100 + i);
    ASSERT_EQ(*q.peek(), 1) << i;
  }
  EXPECT_EQ(q.pop(), 1);
}

// One logstore with 1,000 items of a whole quantum, 200 with one small item each, pushed after them.
TEST(fair_queue, each_light_logstore_waits_at_most_one_round_beside_a_hot_one) {
  for (const bool same_account : {true, false}) {
    fair_queue<int> q(1000);
    for (int i = 0; i < 1000; ++i) q.push({1, 0}, 1000, -1);
    EXPECT_EQ(q.pop(), -1);  // the hot flow has the turn when the others come
    for (int i = 0; i < 200; ++i) q.push({same_account ? 1u : 2u, static_cast<std::uint32_t>(i + 1)}, 5, i);
    int hot_before = 0;
    for (int seen = 0; seen < 200;) {
      const auto item = q.pop();
      ASSERT_TRUE(item.has_value());
      if (*item == -1) {
        ++hot_before;
      } else {
        EXPECT_EQ(*item, seen++);  // light ones in the order they came
      }
    }
    // One account: every light logstore has its turn within the round. Two accounts: the light account's 200 x 5 are
    // one quantum, so one turn again.
    EXPECT_LE(hot_before, 1) << "same account: " << same_account;
  }
}

TEST(fair_queue, a_light_item_that_comes_late_waits_for_one_quantum_of_each_other_flow) {
  fair_queue<int> q(100);
  for (std::uint32_t flow = 0; flow < 20; ++flow) {
    for (int i = 0; i < 50; ++i) q.push({flow, flow}, 50, static_cast<int>(flow));
  }
  for (int i = 0; i < 7; ++i) (void)q.pop();
  q.push({99, 0}, 100, 99);
  int before = 0;
  while (q.pop() != 99) ++before;
  EXPECT_LE(before, 20 * 2 + 1);  // 20 flows, two items of half a quantum each; the current turn may be half used
}

TEST(fair_queue, shares_are_by_account_first_however_many_logstores_it_has) {
  fair_queue<int> q(10);
  for (std::uint32_t logstore = 0; logstore < 100; ++logstore) {
    for (int i = 0; i < 10; ++i) q.push({1, logstore}, 10, 1);
  }
  for (int i = 0; i < 1000; ++i) q.push({2, 0}, 10, 2);
  int one = 0;
  for (int i = 0; i < 1000; ++i) one += q.pop() == 1 ? 1 : 0;
  EXPECT_EQ(one, 500);
}

TEST(fair_queue, shares_are_by_cost_not_by_count) {
  fair_queue<int> q(1000);
  for (int i = 0; i < 100; ++i) q.push({1, 0}, 1000, 1);
  for (int i = 0; i < 1000; ++i) q.push({2, 0}, 100, 2);
  std::size_t big = 0;
  std::size_t small = 0;
  for (int i = 0; i < 550; ++i) {
    if (q.pop() == 1) {
      big += 1000;
    } else {
      small += 100;
    }
  }
  EXPECT_EQ(big, 50'000u);
  EXPECT_EQ(small, 50'000u);
}

TEST(fair_queue, an_item_of_many_quanta_gets_its_turn_after_as_many_rounds) {
  fair_queue<int> q(10);
  q.push({1, 0}, 95, -1);
  for (int i = 0; i < 1000; ++i) q.push({2, 0}, 10, i);
  int before = 0;
  while (q.pop() != -1) ++before;
  // ceil(95 / 10) = 10 rounds; the logstore level accumulates while the account level does.
  EXPECT_GE(before, 9);
  EXPECT_LE(before, 10);
}

TEST(fair_queue, an_item_of_a_million_million_quanta_takes_no_longer_to_find) {
  fair_queue<int> q(1);
  q.push({1, 0}, 1'000'000'000'000, 1);
  q.push({2, 0}, 2'000'000'000'000, 2);
  q.push({3, 7}, 3'000'000'000'001, 3);
  EXPECT_EQ(q.pop(), 1);
  EXPECT_EQ(q.pop(), 2);
  EXPECT_EQ(q.pop(), 3);
}

TEST(fair_queue, free_items_do_not_keep_the_turn_for_ever) {
  fair_queue<int> q(10);
  for (int i = 0; i < 100; ++i) q.push({1, 0}, 0, 1);
  q.push({2, 0}, 10, 2);
  int before = 0;
  while (q.pop() != 2) ++before;
  EXPECT_EQ(before, 10);
}

TEST(fair_queue, idle_time_earns_no_credit) {
  fair_queue<int> q(10);
  for (int i = 0; i < 100; ++i) q.push({1, 0}, 10, 1);
  q.push({2, 0}, 1, 2);  // served once with nine to spare, then idle
  for (int i = 0; i < 50; ++i) (void)q.pop();
  for (int i = 0; i < 10; ++i) q.push({2, 0}, 10, 2);
  std::string turns;
  for (int i = 0; i < 8; ++i) turns += q.pop() == 1 ? 'a' : 'b';
  EXPECT_EQ(turns, "babababa");  // with credit for its idle time it would start with "bb"
}

TEST(fair_queue, takes_out_a_match_wherever_it_stands_and_forgets_the_emptied_flow) {
  fair_queue<int> q(10);
  q.push({1, 0}, 10, 1);
  q.push({1, 0}, 10, 2);
  q.push({2, 5}, 10, 3);
  EXPECT_EQ(q.remove_if([](int i) { return i == 9; }), std::nullopt);
  EXPECT_EQ(q.remove_if([](int i) { return i == 3; }), 3);
  EXPECT_EQ(q.size(), 2u);
  EXPECT_EQ(q.remove_if([](int i) { return i == 1; }), 1);
  EXPECT_EQ(q.pop(), 2);
  EXPECT_TRUE(q.empty());
  EXPECT_EQ(q.remove_if([](int) { return true; }), std::nullopt);
}

TEST(fair_queue, holds_move_only_items) {
  fair_queue<std::unique_ptr<int>> q(10);
  q.push({1, 1}, 1, std::make_unique<int>(4));
  q.push({1, 1}, 1, std::make_unique<int>(5));
  const auto removed = q.remove_if([](const std::unique_ptr<int>& p) { return *p == 5; });
  ASSERT_TRUE(removed.has_value());
  EXPECT_EQ(**removed, 5);
  EXPECT_EQ(**q.pop(), 4);
}

// Two-level deficit round robin in its plainest form: every round is walked, nothing is cached.
class model {
  struct logstore {
    std::uint32_t id = 0;
    std::size_t deficit = 0;
    bool turn = false;
    std::deque<std::pair<std::size_t, int>> items;
  };
  struct account {
    std::uint32_t id = 0;
    std::size_t deficit = 0;
    bool turn = false;
    std::deque<logstore> logstores;
  };
  template <class List>
  static auto& find(List& list, std::uint32_t id) {
    for (auto& member : list) {
      if (member.id == id) return member;
    }
    list.emplace_back();
    list.back().id = id;
    return list.back();
  }
  template <class List, class Cost>
  void advance(List& list, Cost cost) {
    while (true) {
      auto& first = list.front();
      if (!first.turn) {
        first.turn = true;
        first.deficit += quantum_;
      }
      if (first.deficit >= cost(first)) return;
      first.turn = false;
      list.push_back(std::move(first));
      list.pop_front();
    }
  }
  void sweep() {
    for (account& a : accounts_) std::erase_if(a.logstores, [](const logstore& l) { return l.items.empty(); });
    std::erase_if(accounts_, [](const account& a) { return a.logstores.empty(); });
  }
  std::size_t quantum_;
  std::deque<account> accounts_;

 public:
  explicit model(std::size_t quantum) : quantum_(quantum) {}

  void push(cpu_flow flow, std::size_t cost, int item) {
    account& a = find(accounts_, flow.account);
    find(a.logstores, flow.logstore).items.push_back({std::max<std::size_t>(cost, 1), item});
  }
  int peek() {
    advance(accounts_, [this](account& a) {
      advance(a.logstores, [](logstore& l) { return l.items.front().first; });
      return a.logstores.front().items.front().first;
    });
    return accounts_.front().logstores.front().items.front().second;
  }
  int pop() {
    const int item = peek();
    account& a = accounts_.front();
    logstore& l = a.logstores.front();
    a.deficit -= l.items.front().first;
    l.deficit -= l.items.front().first;
    l.items.pop_front();
    sweep();
    return item;
  }
  bool remove(int item) {
    for (account& a : accounts_) {
      for (logstore& l : a.logstores) {
        for (auto at = l.items.begin(); at != l.items.end(); ++at) {
          if (at->second != item) continue;
          l.items.erase(at);
          sweep();
          return true;
        }
      }
    }
    return false;
  }
};

TEST(fair_queue, agrees_with_a_slow_and_obvious_model) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    const std::size_t quantum = 1 + random() % 50;
    fair_queue<int> q(quantum);
    model m(quantum);
    std::size_t held = 0;
    for (int step = 0; step < 3000; ++step) {
      const auto what = random() % 10;
      if (what < 5) {
        const cpu_flow flow{static_cast<std::uint32_t>(random() % 5), static_cast<std::uint32_t>(random() % 7)};
        const std::size_t cost = random() % (random() % 20 == 0 ? 2000 : 60);
        q.push(flow, cost, step);
        m.push(flow, cost, step);
        ++held;
      } else if (what < 9) {
        if (held == 0) continue;
        if (what == 8) {
          ASSERT_EQ(*q.peek(), m.peek());
        }
        ASSERT_EQ(q.pop(), m.pop());
        --held;
      } else {
        const int wanted = static_cast<int>(random() % 3000);
        const bool found = m.remove(wanted);
        ASSERT_EQ(q.remove_if([wanted](int i) { return i == wanted; }).has_value(), found);
        held -= found ? 1 : 0;
      }
      ASSERT_EQ(q.size(), held);
    }
    while (held-- > 0) ASSERT_EQ(q.pop(), m.pop());
    EXPECT_TRUE(q.empty());
  }
}

}  // namespace
}  // namespace engine
