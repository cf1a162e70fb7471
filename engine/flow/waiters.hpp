// Parked coroutines: the one way in which anything here waits for something that is not the network.
//
// A waiter lives in the frame of the suspended coroutine, so parking allocates nothing. Queues and signals only wake:
// no item is handed over while the waiter sleeps, and whoever wakes looks again. Permits and budgets, where a turn must
// not be overtaken, grant under their lock before they wake; a granted waiter always resumes, since nothing here
// destroys one.
#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cassert>
#include <memory>
#include <mutex>
#include <optional>

#include "engine/flow/ports.hpp"
#include "engine/flow/task.hpp"

namespace engine {

class wait_list;

// One parked coroutine. Constructed before park(), destroyed after it returned; never moved.
class waiter {
 public:
  waiter() = default;
  waiter(const waiter&) = delete;
  waiter& operator=(const waiter&) = delete;
  ~waiter() { assert(!linked_); }
  [[nodiscard]] bool timed_out() const { return timed_out_; }

 private:
  friend class wait_list;
  friend task<> park(std::unique_lock<std::mutex>&, wait_list&, waiter&);
  friend void wake(waiter*);
  using handler = asio::async_result<asio::use_awaitable_t<>, void()>::handler_type;  // concrete: no allocation

  waiter* next_ = nullptr;
  waiter* previous_ = nullptr;
  std::optional<handler> resume_;
  std::uint64_t ticket_ = 0;
  bool linked_ = false;
  bool timed_out_ = false;
};

// Waiters in the order they came. Guarded by the mutex of its owner.
class wait_list {
 public:
  wait_list() = default;
  wait_list(const wait_list&) = delete;
  wait_list& operator=(const wait_list&) = delete;
  ~wait_list() { assert(empty()); }

  [[nodiscard]] bool empty() const { return first_ == nullptr; }
  void push(waiter& w) {
    assert(!w.linked_);
    w.linked_ = true;
    w.next_ = nullptr;
    w.previous_ = last_;
    (last_ == nullptr ? first_ : last_->next_) = &w;
    last_ = &w;
  }
  // The one that waited longest, alone; nullptr when nobody waits.
  waiter* take_first() {
    waiter* w = first_;
    if (w != nullptr) remove(*w);
    return w;
  }
  // All of them as a chain for wake().
  waiter* take_all() {
    waiter* chain = first_;
    for (waiter* w = chain; w != nullptr; w = w->next_) w->linked_ = false;
    first_ = last_ = nullptr;
    return chain;
  }
  void remove(waiter& w) {
    assert(w.linked_);
    (w.previous_ == nullptr ? first_ : w.previous_->next_) = w.next_;
    (w.next_ == nullptr ? last_ : w.next_->previous_) = w.previous_;
    w.next_ = w.previous_ = nullptr;
    w.linked_ = false;
  }
  // Takes out the one parked with that ticket, marked as timed out; nullptr when it was woken already.
  waiter* take_ticket(std::uint64_t ticket) {
    for (waiter* w = first_; w != nullptr; w = w->next_) {
      if (w->ticket_ != ticket) continue;
      remove(*w);
      w->timed_out_ = true;
      return w;
    }
    return nullptr;
  }
  static void set_ticket(waiter& w, std::uint64_t ticket) { w.ticket_ = ticket; }

 private:
  waiter* first_ = nullptr;
  waiter* last_ = nullptr;
};

// Suspends the caller on `list` and releases `lock`, as one step. On return the caller runs on its own executor and the
// lock is not held.
inline task<> park(std::unique_lock<std::mutex>& lock, wait_list& list, waiter& w) {
  auto* held = &lock;
  auto* on = &list;
  auto* node = &w;
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(
      [held, on, node](auto handler) {
        node->resume_.emplace(std::move(handler));
        std::mutex* mutex = held->release();
        on->push(*node);
        mutex->unlock();  // from here on the frame may already run elsewhere, or be gone: nothing of it is touched
      },
      asio::use_awaitable);
}

// Resumes a chain of waiters taken from a list; called without the lock. nullptr is allowed.
inline void wake(waiter* chain) {
  while (chain != nullptr) {
    waiter* next = chain->next_;
    auto handler = std::move(*chain->resume_);
    chain->resume_.reset();
    auto where = asio::get_associated_executor(handler);
    asio::post(where, std::move(handler));
    chain = next;
  }
}

// A mutex with its list, shared with timers that may fire after the owner is gone.
struct wait_point {
  std::mutex mutex;
  wait_list waiting;
  std::uint64_t last_ticket = 0;
};

// Like park(), but also woken at `deadline`; then w.timed_out() is true.
inline task<> park_until(std::shared_ptr<wait_point> point, std::unique_lock<std::mutex>& lock, waiter& w, clock& time,
                         time_point deadline) {
  const std::uint64_t ticket = ++point->last_ticket;
  wait_list::set_ticket(w, ticket);
  std::weak_ptr<wait_point> weak = point;  // the owner may be destroyed before the timer is
  const auto timer = time.call_at(deadline, [weak, ticket] {
    const auto alive = weak.lock();
    if (alive == nullptr) return;
    waiter* found = nullptr;
    {
      const std::lock_guard guard(alive->mutex);
      found = alive->waiting.take_ticket(ticket);
    }
    wake(found);
  });
  co_await park(lock, point->waiting, w);
  time.cancel(timer);
}

}  // namespace engine
