#include "stages/latency.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace stages {
namespace {

using namespace std::chrono_literals;

constexpr double bucket_width = 1.12;
constexpr double rounding = 1e-9;  // of logarithms and powers

double milliseconds(engine::duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

// The upper edge of the bucket: never less than what was measured, at most one width more.
void expect_within_a_bucket(double told_ms, engine::duration took) {
  EXPECT_GE(told_ms, milliseconds(took) * (1 - rounding)) << took.count() << " ns";
  EXPECT_LE(told_ms, milliseconds(took) * bucket_width * (1 + rounding)) << took.count() << " ns";
}

TEST(latency, of_nothing_is_zero) {
  const latency_counts counts;
  EXPECT_EQ(counts.quantile_ms(0.5), 0);
  EXPECT_EQ(counts.quantile_ms(1), 0);
}

TEST(latency, is_told_within_an_eighth_above_from_a_tenth_of_a_millisecond_to_over_an_hour) {
  for (engine::duration took = 100us; took < 90min; took += took / 29) {
    latency_counts counts;
    counts.add(took, 1);
    expect_within_a_bucket(counts.quantile_ms(0.5), took);
  }
}

TEST(latency, below_the_smallest_bucket_is_told_as_the_smallest) {
  latency_counts counts;
  counts.add(engine::duration::zero(), 1);
  counts.add(99us, 1);
  EXPECT_DOUBLE_EQ(counts.quantile_ms(1), 0.1);
}

TEST(latency, beyond_the_largest_bucket_is_told_as_the_largest) {
  latency_counts day;
  day.add(24h, 1);
  latency_counts week;
  week.add(24h * 7, 1);
  EXPECT_GT(day.quantile_ms(1), milliseconds(1h));
  EXPECT_DOUBLE_EQ(day.quantile_ms(1), week.quantile_ms(1));
}

TEST(latency, a_share_is_found_among_events_not_among_measurements) {
  latency_counts counts;
  counts.add(10ms, 500);
  counts.add(200ms, 490);
  counts.add(30s, 10);
  expect_within_a_bucket(counts.quantile_ms(0.50), 10ms);
  expect_within_a_bucket(counts.quantile_ms(0.501), 200ms);
  expect_within_a_bucket(counts.quantile_ms(0.99), 200ms);
  expect_within_a_bucket(counts.quantile_ms(0.991), 30s);
  expect_within_a_bucket(counts.quantile_ms(1), 30s);
}

TEST(latency, the_order_of_measurements_does_not_matter) {
  latency_counts up;
  latency_counts down;
  for (int i = 1; i <= 100; ++i) {
    up.add(i * 1ms, 3);
    down.add((101 - i) * 1ms, 3);
  }
  for (const double share : {0.01, 0.25, 0.5, 0.9, 0.99}) {
    EXPECT_DOUBLE_EQ(up.quantile_ms(share), down.quantile_ms(share));
    expect_within_a_bucket(up.quantile_ms(share), engine::duration(static_cast<std::int64_t>(share * 100) * 1ms));
  }
}

TEST(latency, events_of_several_threads_are_all_counted) {
  latency_counts counts;
  std::vector<std::jthread> threads;
  for (const engine::duration took : {10ms, 10ms, 1'000ms, 1'000ms}) {
    threads.emplace_back([&counts, took] {
      for (int i = 0; i < 10'000; ++i) counts.add(took, 1);
    });
  }
  threads.clear();
  expect_within_a_bucket(counts.quantile_ms(0.5), 10ms);  // exactly half of them: one lost and it would be the others
  expect_within_a_bucket(counts.quantile_ms(0.5001), 1'000ms);
}

}  // namespace
}  // namespace stages
