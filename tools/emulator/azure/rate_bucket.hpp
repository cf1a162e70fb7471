// How much of a per-minute allowance is left; takes the time as an argument. Not thread-safe.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>

namespace emulator {

class rate_bucket {
 public:
  using time = std::chrono::system_clock::time_point;

  // per_minute 0: no limit.
  explicit rate_bucket(double per_minute) : per_minute_(per_minute), level_(per_minute) {}

  // Zero when something is left; else how long until there is.
  std::chrono::seconds wait(time now) {
    if (per_minute_ <= 0) return std::chrono::seconds(0);
    if (last_ != time{}) {
      const double minutes = std::chrono::duration<double, std::ratio<60>>(now - last_).count();
      level_ = std::min(per_minute_, level_ + std::max(0.0, minutes) * per_minute_);
    }
    last_ = now;
    if (level_ > 0) return std::chrono::seconds(0);
    return std::chrono::seconds(1 + static_cast<int>(std::floor(-level_ * 60 / per_minute_)));
  }

  // May go below zero: what an upload weighs is known only after it was read.
  void take(double amount) {
    if (per_minute_ > 0) level_ -= amount;
  }

 private:
  double per_minute_;
  double level_;
  time last_{};
};

}  // namespace emulator
