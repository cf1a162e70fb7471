// Deficit round robin over accounts, then over logstores, then first in first out: whose turn it is.
//
// Shared by CPU slots, fetch permits, the byte budget and encoders. Pure and not thread-safe: the owner holds its lock.
// A flow that was idle gets no credit for it; one with work waits at most one round of the others' quanta. The head of
// a flow is never overtaken within the flow.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <utility>

#include "engine/flow/ports.hpp"

namespace engine {

// The two shapes a fair_queue is made of; a lane has push, head, head_cost, pop, remove_if and empty.
namespace fair {

// First in, first out.
template <class T>
class line {
 public:
  void push(cpu_flow, std::size_t cost, T item) { items_.push_back({cost, std::move(item)}); }
  [[nodiscard]] bool empty() const { return items_.empty(); }
  T& head() { return items_.front().item; }
  std::size_t head_cost() { return items_.front().cost; }
  T pop() {
    T item = std::move(items_.front().item);
    items_.pop_front();
    return item;
  }
  template <class F>
  std::optional<T> remove_if(F& match) {
    const auto found = std::find_if(items_.begin(), items_.end(), [&](const entry& e) { return match(e.item); });
    if (found == items_.end()) return std::nullopt;
    std::optional<T> item(std::move(found->item));
    items_.erase(found);
    return item;
  }

 private:
  struct entry {
    std::size_t cost;
    T item;
  };
  std::list<entry> items_;  // not a deque: that costs 576 bytes per flow even for its first item
};

// Deficit round robin over lanes; Key says which part of cpu_flow tells them apart. A lane exists while it holds
// something.
template <class Lane, std::uint32_t cpu_flow::* Key>
class rounds {
 public:
  explicit rounds(std::size_t quantum) : quantum_(std::max<std::size_t>(quantum, 1)) {}

  template <class T>
  void push(cpu_flow flow, std::size_t cost, T item) {
    const auto [at, added] = seats_.try_emplace(flow.*Key, make_lane());
    if (added) order_.push_back(at);
    at->second.lane.push(flow, cost, std::move(item));
  }
  [[nodiscard]] bool empty() const { return order_.empty(); }
  auto& head() { return settle().lane.head(); }
  std::size_t head_cost() { return settle().lane.head_cost(); }
  auto pop() {
    seat& turn = settle();
    turn.deficit -= charge(turn);
    auto item = turn.lane.pop();
    if (turn.lane.empty()) {
      seats_.erase(order_.front());
      order_.pop_front();
    }
    return item;
  }
  template <class F>
  auto remove_if(F& match) -> decltype(std::declval<Lane&>().remove_if(match)) {
    for (auto at = order_.begin(); at != order_.end(); ++at) {
      auto item = (*at)->second.lane.remove_if(match);
      if (!item) continue;
      if ((*at)->second.lane.empty()) {
        seats_.erase(*at);
        order_.erase(at);
      }
      return item;
    }
    return std::nullopt;
  }

 private:
  struct seat {
    explicit seat(Lane l) : lane(std::move(l)) {}
    Lane lane;
    std::size_t deficit = 0;  // what it may still use; below the dearest head plus one quantum
    bool has_turn = false;    // got its quantum for this round
  };
  using seats = std::map<std::uint32_t, seat>;

  Lane make_lane() const {
    if constexpr (std::is_constructible_v<Lane, std::size_t>) {
      return Lane(quantum_);
    } else {
      return Lane();
    }
  }
  // Free items would keep the turn for ever.
  static std::size_t charge(seat& s) { return std::max<std::size_t>(s.lane.head_cost(), 1); }

  // Brings the lane whose turn it is to the front. Asked again without a change it finds the same one at once.
  seat& settle() {
    assert(!order_.empty());
    for (std::size_t seen = 0;; ++seen) {
      if (seen == order_.size() + 1) skip_empty_rounds();
      seat& first = order_.front()->second;
      if (!first.has_turn) {
        first.has_turn = true;
        first.deficit += quantum_;
      }
      if (first.deficit >= charge(first)) return first;
      first.has_turn = false;
      order_.splice(order_.end(), order_, order_.begin());
    }
  }

  // After a whole round in which nobody could afford its head: the rounds until somebody can, all at once, so that an
  // item of many quanta costs no more time than a small one.
  void skip_empty_rounds() {
    std::size_t wanted = SIZE_MAX;
    for (const auto& at : order_) {
      const std::size_t missing = charge(at->second) - at->second.deficit;
      wanted = std::min(wanted, (missing - 1) / quantum_);
    }
    for (const auto& at : order_) at->second.deficit += wanted * quantum_;
  }

  std::size_t quantum_;
  seats seats_;
  std::list<typename seats::iterator> order_;  // the next turn first
};

}  // namespace fair

template <class T>
class fair_queue {
 public:
  // `quantum`: cost a flow may use per round; about one typical item.
  explicit fair_queue(std::size_t quantum) : accounts_(quantum) {}

  void push(cpu_flow flow, std::size_t cost, T item) {
    accounts_.push(flow, cost, std::move(item));
    ++size_;
  }
  // The item whose turn it is and its cost, still in the queue; nullptr when empty. Stable until the next pop or
  // remove: asking twice gives the same item, also after a push, so a head that does not fit yet keeps its turn.
  T* peek(std::size_t* cost = nullptr) {
    if (empty()) return nullptr;
    if (cost != nullptr) *cost = accounts_.head_cost();
    return &accounts_.head();
  }
  // Takes what peek() showed.
  std::optional<T> pop() {
    if (empty()) return std::nullopt;
    --size_;
    return accounts_.pop();
  }
  // Takes out the first item for which match(item) is true, wherever it stands.
  template <class F>
  std::optional<T> remove_if(F match) {
    std::optional<T> item = accounts_.remove_if(match);
    if (item) --size_;
    return item;
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

 private:
  using logstores = fair::rounds<fair::line<T>, &cpu_flow::logstore>;
  fair::rounds<logstores, &cpu_flow::account> accounts_;
  std::size_t size_ = 0;
};

}  // namespace engine
