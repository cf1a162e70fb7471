// A queue between two paces, bounded by items and by bytes.
//
//   push    waits while the queue is full. "Admit while below": one item larger than the byte bound still passes,
//   alone. pop     waits while it is empty; nullopt once nothing will come any more. close   no more pushes; pops give
//   what is left, then nullopt: drain. cancel  pushes and pops end at once; what is left stays inside until
//   take_rest(): abort.
// No item is ever owned by a waiter, so none is lost by closing, cancelling or a deadline. Thread-safe. Meant for one
// consumer; more are correct but may barge.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "engine/flow/ports.hpp"
#include "engine/flow/task.hpp"
#include "engine/flow/waiters.hpp"

namespace engine {

enum class push_result : std::uint8_t { ok, closed, cancelled };

template <class T>
class bounded_queue {
 public:
  bounded_queue(std::size_t items_max, std::size_t bytes_max)
      : items_max_(items_max), bytes_max_(bytes_max), point_(std::make_shared<wait_point>()) {}
  bounded_queue(const bounded_queue&) = delete;
  bounded_queue& operator=(const bounded_queue&) = delete;

  // On closed or cancelled the item is destroyed with the call: it was never in the queue.
  task<push_result> push(T item, std::size_t bytes) {
    for (;;) {
      std::unique_lock lock(point_->mutex);
      if (cancelled_) co_return push_result::cancelled;
      if (closed_) co_return push_result::closed;
      if (!full()) {
        put(std::move(item), bytes, lock);
        co_return push_result::ok;
      }
      waiter w;
      co_await park(lock, pushing_, w);
    }
  }
  // False when full, closed or cancelled; then the item stays with the caller.
  bool try_push(T& item, std::size_t bytes) {
    std::unique_lock lock(point_->mutex);
    if (cancelled_ || closed_ || full()) return false;
    put(std::move(item), bytes, lock);
    return true;
  }
  task<std::optional<T>> pop() {
    for (;;) {
      std::unique_lock lock(point_->mutex);
      if (cancelled_) co_return std::nullopt;
      if (!items_.empty()) co_return take(lock);
      if (closed_) co_return std::nullopt;
      waiter w;
      co_await park(lock, point_->waiting, w);
    }
  }
  // Like pop(), but nullopt also when the deadline passes; ended() tells which.
  task<std::optional<T>> pop_until(clock& time, time_point deadline) {
    for (;;) {
      std::unique_lock lock(point_->mutex);
      if (cancelled_) co_return std::nullopt;
      if (!items_.empty()) co_return take(lock);
      if (closed_ || time.now() >= deadline) co_return std::nullopt;
      waiter w;
      co_await park_until(point_, lock, w, time, deadline);
    }
  }
  void close() { end(closed_); }
  void cancel() { end(cancelled_); }

  // What was inside when it was cancelled, for the owner to account for.
  std::deque<T> take_rest() {
    std::deque<T> rest;
    waiter* pushers = nullptr;
    {
      const std::lock_guard lock(point_->mutex);
      for (auto& e : items_) rest.push_back(std::move(e.item));
      items_.clear();
      bytes_ = 0;
      pushers = pushing_.take_all();
    }
    wake(pushers);
    return rest;
  }
  [[nodiscard]] bool ended() const {
    const std::lock_guard lock(point_->mutex);
    return cancelled_ || (closed_ && items_.empty());
  }
  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock(point_->mutex);
    return items_.size();
  }
  [[nodiscard]] std::size_t bytes() const {
    const std::lock_guard lock(point_->mutex);
    return bytes_;
  }

 private:
  struct entry {
    T item;
    std::size_t bytes;
  };
  [[nodiscard]] bool full() const { return items_.size() >= items_max_ || bytes_ >= bytes_max_; }
  void put(T item, std::size_t bytes, std::unique_lock<std::mutex>& lock) {
    items_.push_back({std::move(item), bytes});
    bytes_ += bytes;
    waiter* popper = point_->waiting.take_first();
    lock.unlock();
    wake(popper);
  }
  std::optional<T> take(std::unique_lock<std::mutex>& lock) {
    entry e = std::move(items_.front());
    items_.pop_front();
    bytes_ -= e.bytes;
    waiter* pusher = pushing_.take_first();
    lock.unlock();
    wake(pusher);
    return std::optional<T>(std::move(e.item));
  }
  void end(bool& flag) {
    waiter* poppers = nullptr;
    waiter* pushers = nullptr;
    {
      const std::lock_guard lock(point_->mutex);
      flag = true;
      poppers = point_->waiting.take_all();
      pushers = pushing_.take_all();
    }
    wake(poppers);
    wake(pushers);
  }

  const std::size_t items_max_;
  const std::size_t bytes_max_;
  std::shared_ptr<wait_point> point_;  // its list holds the poppers; shared with timers of pop_until
  wait_list pushing_;
  std::list<entry> items_;  // an empty deque takes 576 bytes, and most queues are those of idle shards
  std::size_t bytes_ = 0;
  bool closed_ = false;
  bool cancelled_ = false;
};

}  // namespace engine
