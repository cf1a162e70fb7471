// Token bucket: pure, takes the time as an argument. Not thread-safe; its owner serialises calls.
#pragma once

#include "engine/base/units.hpp"

namespace engine {

class rate_limit {
 public:
  // `per_second` tokens flow in, up to `burst`; the bucket starts full.
  rate_limit(double per_second, double burst, time_point now);

  // Takes `tokens` (more than `burst` is allowed and leaves a debt) and returns how long the caller must wait first.
  duration take(double tokens, time_point now);
  // Nothing flows before `until`: the service asked for silence.
  void pause(time_point until);

 private:
  double per_second_;
  double burst_;
  double tokens_;
  time_point last_;
};

}  // namespace engine
