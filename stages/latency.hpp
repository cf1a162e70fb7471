// How long events took, as counts per exponential bucket: each bucket is 12 % wide, from 0.1 ms to over an hour.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>

#include "engine/base/units.hpp"

namespace stages {

// Thread-safe; reading while others write gives a value between before and after.
class latency_counts {
 public:
  void add(engine::duration took, std::uint64_t events) {
    buckets_[bucket_of(took)].fetch_add(events, std::memory_order_relaxed);
  }
  // Upper edge of the bucket in which that share (0..1) of the events lies, in milliseconds; 0 when there are none.
  [[nodiscard]] double quantile_ms(double share) const {
    std::uint64_t all = 0;
    for (const auto& b : buckets_) all += b.load(std::memory_order_relaxed);
    if (all == 0) return 0;
    const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(all)));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      seen += buckets_[i].load(std::memory_order_relaxed);
      if (seen >= wanted) return smallest_ms * std::pow(growth, static_cast<double>(i));
    }
    return smallest_ms * std::pow(growth, static_cast<double>(buckets_.size()));
  }

 private:
  static constexpr double smallest_ms = 0.1;
  static constexpr double growth = 1.12;
  static std::size_t bucket_of(engine::duration took) {
    const double ms = std::chrono::duration<double, std::milli>(took).count();
    if (ms <= smallest_ms) return 0;
    const double i = std::ceil(std::log(ms / smallest_ms) / std::log(growth));
    return std::min(static_cast<std::size_t>(i), bucket_count - 1);
  }
  static constexpr std::size_t bucket_count = 160;
  std::array<std::atomic<std::uint64_t>, bucket_count> buckets_{};
};

}  // namespace stages
