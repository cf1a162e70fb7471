// A clock that stands still until it is moved. Timers fire inside advance(), in the order of their times. Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <utility>

#include "engine/flow/ports.hpp"

namespace tests {

class set_clock final : public engine::clock {
 public:
  // Starts at 20 November 2026, 08:00:00 UTC.
  set_clock() = default;

  [[nodiscard]] engine::time_point now() const override {
    const std::lock_guard lock(mutex_);
    return now_;
  }
  [[nodiscard]] engine::wall_time wall() const override {
    const std::lock_guard lock(mutex_);
    return wall_;
  }
  timer_id call_at(engine::time_point when, std::move_only_function<void()> fire) override {
    {
      const std::lock_guard lock(mutex_);
      if (when > now_) {
        timers_.emplace(std::pair(when, ++last_id_), std::move(fire));
        return last_id_;
      }
    }
    fire();
    return 0;
  }
  void cancel(timer_id id) override {
    const std::lock_guard lock(mutex_);
    std::erase_if(timers_, [id](const auto& timer) { return timer.first.second == id; });
  }

  // Both clocks go on together.
  void advance(engine::duration by) {
    engine::time_point target;
    {
      const std::lock_guard lock(mutex_);
      target = now_ + by;
      wall_ += std::chrono::duration_cast<std::chrono::milliseconds>(by);
    }
    for (;;) {
      std::move_only_function<void()> fire;
      {
        const std::lock_guard lock(mutex_);
        if (timers_.empty() || timers_.begin()->first.first > target) {
          now_ = target;
          return;
        }
        now_ = timers_.begin()->first.first;
        fire = std::move(timers_.begin()->second);
        timers_.erase(timers_.begin());
      }
      fire();
    }
  }
  // Somebody sets the machine's clock: the monotonic one does not notice.
  void set_wall(engine::wall_time to) {
    const std::lock_guard lock(mutex_);
    wall_ = to;
  }
  [[nodiscard]] std::size_t timers() const {
    const std::lock_guard lock(mutex_);
    return timers_.size();
  }

 private:
  using key = std::pair<engine::time_point, timer_id>;
  mutable std::mutex mutex_;
  engine::time_point now_ = engine::time_point(std::chrono::hours(1));
  engine::wall_time wall_ = std::chrono::sys_days(std::chrono::year(2026) / 11 / 20) + std::chrono::hours(8);
  timer_id last_id_ = 0;
  std::map<key, std::move_only_function<void()>> timers_;
};

}  // namespace tests
