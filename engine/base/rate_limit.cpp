#include "engine/base/rate_limit.hpp"

#include <algorithm>
#include <cassert>

namespace engine {

rate_limit::rate_limit(double per_second, double burst, time_point now)
    : per_second_(per_second), burst_(burst), tokens_(burst), last_(now) {
  assert(per_second > 0 && burst > 0);
}

duration rate_limit::take(double tokens, time_point now) {
  if (now > last_) {
    const double seconds = std::chrono::duration<double>(now - last_).count();
    tokens_ = std::min(burst_, tokens_ + seconds * per_second_);
    last_ = now;
  }
  tokens_ -= tokens;
  const duration paused = last_ > now ? last_ - now : duration::zero();
  if (tokens_ >= 0) return paused;
  return paused + std::chrono::ceil<duration>(std::chrono::duration<double>(-tokens_ / per_second_));
}

void rate_limit::pause(time_point until) { last_ = std::max(last_, until); }

}  // namespace engine
