#include "engine/host/system_rng.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <barrier>
#include <cstddef>
#include <cstdint>
#include <span>
#include <thread>
#include <vector>

namespace engine {
namespace {

TEST(system_rng, gives_the_published_numbers_of_splitmix64) {
  system_rng numbers(1234567);
  for (const std::uint64_t expected : {6457827717110365317u, 3203168211198807973u, 9817491932198370423u,
                                       4593380528125082431u, 16408922859458223821u}) {
    EXPECT_EQ(numbers.next(), expected);
  }
}

TEST(system_rng, gives_other_numbers_for_another_seed) {
  EXPECT_NE(system_rng(1).next(), system_rng(2).next());
  EXPECT_NE(system_rng(0).next(), system_rng(UINT64_MAX).next());
}

// Which thread gets which number is not fixed, but together they get the sequence, each number of it once.
TEST(system_rng, gives_each_number_once_whatever_number_of_threads_ask) {
  constexpr std::size_t threads = 4;
  constexpr std::size_t each = 50'000;
  std::vector<std::uint64_t> expected(threads * each);
  system_rng alone(42);
  for (auto& number : expected) number = alone.next();

  system_rng shared(42);
  std::barrier<> together(threads);  // or the first would be done before the last begins
  std::vector<std::uint64_t> got(threads * each);
  std::vector<std::thread> asking;
  for (std::size_t t = 0; t < threads; ++t) {
    asking.emplace_back([&, mine = std::span(got).subspan(t * each, each)] {
      together.arrive_and_wait();
      for (auto& number : mine) number = shared.next();
    });
  }
  for (auto& one : asking) one.join();
  std::ranges::sort(expected);
  std::ranges::sort(got);
  EXPECT_TRUE(got == expected);
}

}  // namespace
}  // namespace engine
