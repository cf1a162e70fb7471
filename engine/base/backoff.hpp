// How long to wait before the next attempt: pure, so that it can be tested as a table.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/base/units.hpp"

namespace engine {

struct backoff_policy {
  duration first = std::chrono::seconds(1);
  duration max = std::chrono::seconds(60);
};

// Exponential with full jitter: uniform in (0, min(max, first * 2^attempt)], attempt counted from 0. `random` is any 64
// random bits. A retry_after from the service is a floor: that long plus up to 20 %, and it may exceed policy.max.
duration next_delay(const backoff_policy&, unsigned attempt, std::optional<duration> retry_after, std::uint64_t random);

}  // namespace engine
