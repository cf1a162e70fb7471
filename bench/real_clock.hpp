// The Clock port for code that only reads the time: on a bench nothing waits.
#pragma once

#include <chrono>

#include "bench/row.hpp"
#include "engine/flow/ports.hpp"

namespace bench {

class real_clock final : public engine::clock {
 public:
  [[nodiscard]] engine::time_point now() const override {
    return engine::time_point(std::chrono::steady_clock::now().time_since_epoch());
  }
  [[nodiscard]] engine::wall_time wall() const override {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  }
  timer_id call_at(engine::time_point, std::move_only_function<void()>) override {
    demand(false, "something wants to wait where nothing may");
    return 0;
  }
  void cancel(timer_id) override {}
};

}  // namespace bench
