// signal: "something changed, look again". The only way here to sleep, alone or until news come.
//
// Read version() before looking at the state, then wait for a change past it: news between the look and the wait are
// not missed. close() wakes everybody for good: that is how a sleeper is cancelled. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

#include "engine/flow/ports.hpp"
#include "engine/flow/task.hpp"
#include "engine/flow/waiters.hpp"

namespace engine {

enum class woken : std::uint8_t { by_news, by_deadline, by_close };

class signal {
 public:
  signal() : point_(std::make_shared<wait_point>()) {}
  signal(const signal&) = delete;
  signal& operator=(const signal&) = delete;

  [[nodiscard]] std::uint64_t version() const {
    const std::lock_guard lock(point_->mutex);
    return version_;
  }
  [[nodiscard]] bool closed() const {
    const std::lock_guard lock(point_->mutex);
    return closed_;
  }
  void notify() {
    waiter* all = nullptr;
    {
      const std::lock_guard lock(point_->mutex);
      ++version_;
      all = point_->waiting.take_all();
    }
    wake(all);
  }
  void close() {
    waiter* all = nullptr;
    {
      const std::lock_guard lock(point_->mutex);
      closed_ = true;
      all = point_->waiting.take_all();
    }
    wake(all);
  }

  // Returns at once when version() has passed `seen` or the signal is closed.
  task<woken> wait(std::uint64_t seen) {
    for (;;) {
      std::unique_lock lock(point_->mutex);
      if (closed_) co_return woken::by_close;
      if (version_ != seen) co_return woken::by_news;
      waiter w;
      co_await park(lock, point_->waiting, w);
    }
  }
  task<woken> wait_until(std::uint64_t seen, clock& time, time_point deadline) {
    for (;;) {
      std::unique_lock lock(point_->mutex);
      if (closed_) co_return woken::by_close;
      if (version_ != seen) co_return woken::by_news;
      if (time.now() >= deadline) co_return woken::by_deadline;
      waiter w;
      co_await park_until(point_, lock, w, time, deadline);
    }
  }
  // Sleeps whatever the news; false when closed meanwhile.
  task<bool> sleep_until(clock& time, time_point deadline) {
    for (;;) {
      std::unique_lock lock(point_->mutex);
      if (closed_) co_return false;
      if (time.now() >= deadline) co_return true;
      waiter w;
      co_await park_until(point_, lock, w, time, deadline);
    }
  }

 private:
  std::shared_ptr<wait_point> point_;  // shared with timers that have not fired yet
  std::uint64_t version_ = 0;
  bool closed_ = false;
};

}  // namespace engine
