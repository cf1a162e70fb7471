#include "engine/base/backoff.hpp"

#include <algorithm>

namespace engine {
namespace {
// Uniform in [1, limit]; the bias of a 128-bit multiply is below 2^-32 for any duration used here.
std::int64_t within(std::int64_t limit, std::uint64_t random) {
  __extension__ using wide = unsigned __int128;
  return 1 +
         static_cast<std::int64_t>(wide{random} * static_cast<std::uint64_t>(std::max<std::int64_t>(limit, 1)) >> 64);
}
}  // namespace

duration next_delay(const backoff_policy& policy, unsigned attempt, std::optional<duration> retry_after,
                    std::uint64_t random) {
  if (retry_after) return *retry_after + duration(within(retry_after->count() / 5, random));
  duration ceiling = policy.first;
  for (unsigned i = 0; i < attempt && ceiling.count() > 0 && ceiling < policy.max; ++i) {
    ceiling = ceiling > policy.max / 2 ? policy.max : ceiling * 2;  // doubling first could overflow
  }
  ceiling = std::min(ceiling, policy.max);
  return duration(within(ceiling.count(), random));
}

}  // namespace engine
