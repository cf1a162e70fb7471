#include "engine/base/backoff.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace engine {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t lowest = 0;
constexpr std::uint64_t highest = std::numeric_limits<std::uint64_t>::max();
const backoff_policy policy{.first = 1s, .max = 60s};

TEST(backoff, doubles_the_ceiling_up_to_the_maximum) {
  const duration ceilings[] = {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s};
  for (unsigned attempt = 0; attempt < std::size(ceilings); ++attempt) {
    EXPECT_EQ(next_delay(policy, attempt, std::nullopt, highest), ceilings[attempt]) << attempt;
  }
}

TEST(backoff, is_never_zero) { EXPECT_EQ(next_delay(policy, 3, std::nullopt, lowest), 1ns); }

TEST(backoff, spreads_evenly_below_the_ceiling) {
  EXPECT_EQ(next_delay(policy, 0, std::nullopt, highest / 2), 500ms);
  EXPECT_EQ(next_delay(policy, 6, std::nullopt, highest / 4), 15s);
}

TEST(backoff, takes_retry_after_as_a_floor_and_adds_up_to_a_fifth) {
  EXPECT_EQ(next_delay(policy, 0, 10s, lowest), 10s + 1ns);
  EXPECT_EQ(next_delay(policy, 9, 10s, highest), 12s);
  EXPECT_EQ(next_delay(policy, 0, 300s, highest), 360s);
  EXPECT_EQ(next_delay(policy, 0, 0s, highest), 1ns);
}

TEST(backoff, survives_any_attempt_and_policy) {
  EXPECT_EQ(next_delay(policy, std::numeric_limits<unsigned>::max(), std::nullopt, highest), 60s);
  const backoff_policy huge{.first = 1s, .max = duration::max()};
  EXPECT_EQ(next_delay(huge, 1'000, std::nullopt, highest), duration::max());
  const backoff_policy none{.first = 0s, .max = 60s};
  EXPECT_EQ(next_delay(none, std::numeric_limits<unsigned>::max(), std::nullopt, highest), 1ns);
  const backoff_policy first_above_max{.first = 90s, .max = 60s};
  EXPECT_EQ(next_delay(first_above_max, 0, std::nullopt, highest), 60s);
}

}  // namespace
}  // namespace engine
