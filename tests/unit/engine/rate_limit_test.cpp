#include "engine/base/rate_limit.hpp"

#include <gtest/gtest.h>

namespace engine {
namespace {

using namespace std::chrono_literals;

constexpr time_point start{100s};

TEST(rate_limit, lets_a_full_bucket_through_at_once) {
  rate_limit limit(10, 5, start);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(limit.take(1, start), 0s);
  EXPECT_EQ(limit.take(1, start), 100ms);
}

TEST(rate_limit, makes_each_of_several_callers_wait_longer) {
  rate_limit limit(10, 1, start);
  EXPECT_EQ(limit.take(1, start), 0s);
  EXPECT_EQ(limit.take(1, start), 100ms);
  EXPECT_EQ(limit.take(1, start), 200ms);
}

TEST(rate_limit, refills_at_its_rate_and_no_further_than_burst) {
  rate_limit limit(10, 5, start);
  EXPECT_EQ(limit.take(5, start), 0s);
  EXPECT_EQ(limit.take(2, start + 200ms), 0s);
  EXPECT_EQ(limit.take(5, start + 1h), 0s);
  EXPECT_EQ(limit.take(1, start + 1h), 100ms);
}

TEST(rate_limit, takes_more_than_burst_as_a_debt) {
  rate_limit limit(10, 5, start);
  EXPECT_EQ(limit.take(25, start), 2s);
  EXPECT_EQ(limit.take(0, start + 1s), 1s);
  EXPECT_EQ(limit.take(0, start + 2s), 0s);
}

TEST(rate_limit, lets_nothing_flow_before_the_end_of_a_pause) {
  rate_limit limit(10, 1, start);
  EXPECT_EQ(limit.take(1, start), 0s);
  limit.pause(start + 10s);
  EXPECT_EQ(limit.take(1, start), 10s + 100ms);
  EXPECT_EQ(limit.take(1, start + 4s), 6s + 200ms);
  EXPECT_EQ(limit.take(0, start + 10s), 200ms);
}

TEST(rate_limit, makes_even_a_full_bucket_wait_for_a_pause) {
  rate_limit limit(10, 5, start);
  limit.pause(start + 3s);
  EXPECT_EQ(limit.take(1, start + 1s), 2s);
  EXPECT_EQ(limit.take(1, start + 3s), 0s);
}

TEST(rate_limit, keeps_the_longer_of_two_pauses) {
  rate_limit limit(10, 5, start);
  limit.pause(start + 3s);
  limit.pause(start + 1s);
  EXPECT_EQ(limit.take(1, start), 3s);
}

}  // namespace
}  // namespace engine
