#include "engine/base/buffer_pool.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <thread>
#include <vector>

namespace engine {
namespace {

TEST(buffer_pool, hands_out_at_least_what_was_asked_for) {
  buffer_pool pool(1 << 20);
  for (const std::size_t size : {0U, 1U, 4096U, 4097U, 6144U, 6145U, 100'000U}) {
    const buffer b = pool.take(size);
    EXPECT_GE(b.capacity(), size);
    EXPECT_EQ(b.capacity(), buffer_pool::rounded(size));
    EXPECT_EQ(b.size(), 0U);
  }
}

TEST(buffer_pool, wastes_at_most_a_third_above_the_smallest_size) {
  EXPECT_EQ(buffer_pool::rounded(0), 4096U);
  EXPECT_EQ(buffer_pool::rounded(4097), 6144U);
  EXPECT_EQ(buffer_pool::rounded(6145), 8192U);
  EXPECT_EQ(buffer_pool::rounded(8193), 12'288U);
  for (std::size_t size = 4096; size < 1 << 20; size += 777) {
    const std::size_t rounded = buffer_pool::rounded(size);
    EXPECT_GE(rounded, size);
    EXPECT_LE((rounded - size) * 3, rounded);
  }
}

TEST(buffer_pool, does_not_overflow_on_absurd_sizes) {
  const std::size_t largest = std::numeric_limits<std::size_t>::max();
  EXPECT_EQ(buffer_pool::rounded(largest), largest);
  EXPECT_EQ(buffer_pool::rounded(largest / 2 + 1), largest / 2 + 1);
}

TEST(buffer_pool, gives_the_same_bytes_again) {
  buffer_pool pool(1 << 20);
  buffer first = pool.take(10'000);
  const char* bytes = first.data();
  first = buffer();
  EXPECT_EQ(pool.kept_bytes(), buffer_pool::rounded(10'000));
  const buffer second = pool.take(9'000);
  EXPECT_EQ(second.data(), bytes);
  EXPECT_EQ(pool.kept_bytes(), 0U);
}

TEST(buffer_pool, keeps_no_more_than_its_limit) {
  buffer_pool pool(10'000);
  {
    const buffer a = pool.take(4096);
    const buffer b = pool.take(4096);
    const buffer c = pool.take(4096);
  }
  EXPECT_EQ(pool.kept_bytes(), 8192U);
}

TEST(buffer_pool, keeps_nothing_when_the_limit_is_zero) {
  buffer_pool pool(0);
  {
    const buffer b = pool.take(1);
  }
  EXPECT_EQ(pool.kept_bytes(), 0U);
}

TEST(buffer_pool, may_be_destroyed_before_its_buffers) {
  std::optional<buffer_pool> pool(1 << 20);
  buffer b = pool->take(100);
  pool.reset();
  b.append("still usable");
  EXPECT_EQ(b.view(), "still usable");
}

TEST(buffer_pool, moves_leave_the_source_empty) {
  buffer_pool pool(1 << 20);
  buffer a = pool.take(100);
  a.append("abc");
  const buffer b(std::move(a));
  EXPECT_EQ(b.view(), "abc");
  EXPECT_EQ(a.capacity(), 0U);  // NOLINT(bugprone-use-after-move): what a move leaves behind is promised
  EXPECT_TRUE(a.empty());
}

TEST(buffer_pool, serves_several_threads) {
  buffer_pool pool(1 << 20);
  const auto work = [&pool] {
    for (std::size_t i = 0; i < 1000; ++i) {
      buffer b = pool.take(4096 + i * 7);
      b.append("x");
    }
  };
  std::thread one(work);
  std::thread two(work);
  one.join();
  two.join();
  EXPECT_LE(pool.kept_bytes(), std::size_t{1} << 20);
}

}  // namespace
}  // namespace engine
