// The Clock port over real time: one ordered set of calls and one timer of the system for the earliest of them.
#pragma once

#include <memory>

#include "engine/flow/ports.hpp"

namespace engine {

// Thread-safe. Calls are made on the threads of the executor, in order of their time, and of call_at() where that is
// equal; with several threads they may overlap. A call that runs already, or is about to, when cancel() is called is
// completed. What has not fired when the clock is destroyed never does; destroy it before the executor's context.
class steady_clock final : public clock {
 public:
  explicit steady_clock(executor);
  ~steady_clock() override;

  [[nodiscard]] time_point now() const override;
  [[nodiscard]] wall_time wall() const override;
  timer_id call_at(time_point when, std::move_only_function<void()> fire) override;
  void cancel(timer_id) override;

 private:
  class timers;
  std::shared_ptr<timers> timers_;  // shared with the wait in flight, which may end after the clock
};

}  // namespace engine
