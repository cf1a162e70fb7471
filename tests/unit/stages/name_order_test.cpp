#include "stages/name_order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/counted_allocations.hpp"

namespace stages {
namespace {

std::vector<record> events_of(const std::vector<std::uint32_t>& hashes) {
  std::vector<record> events(hashes.size());
  for (std::size_t i = 0; i < hashes.size(); ++i) events[i].name_hash = hashes[i];
  return events;
}

std::vector<std::uint32_t> ordered(name_order& order, const std::vector<std::uint32_t>& hashes) {
  const auto found = order(events_of(hashes));
  return {found.begin(), found.end()};
}

// Slow and obvious.
std::vector<std::uint32_t> expected(const std::vector<std::uint32_t>& hashes) {
  std::map<std::uint32_t, std::size_t> first;
  for (std::size_t i = hashes.size(); i-- > 0;) first[hashes[i]] = i;
  std::vector<std::uint32_t> out(hashes.size());
  for (std::uint32_t i = 0; i < out.size(); ++i) out[i] = i;
  std::ranges::sort(out, {}, [&](std::uint32_t i) { return std::pair(first[hashes[i]], i); });
  return out;
}

TEST(name_order, of_nothing_is_nothing) {
  name_order order;
  EXPECT_EQ(ordered(order, {}), std::vector<std::uint32_t>());
}

TEST(name_order, puts_names_by_their_first_event_and_events_of_one_name_as_they_came) {
  name_order order;
  EXPECT_EQ(ordered(order, {7, 3, 7, 0xffffffff, 3, 0}), (std::vector<std::uint32_t>{0, 2, 1, 4, 3, 5}));
}

TEST(name_order, forgets_the_block_before) {
  name_order order;
  ordered(order, {1, 2, 3, 1, 2, 3});
  EXPECT_EQ(ordered(order, {3, 1, 3}), (std::vector<std::uint32_t>{0, 2, 1}));
}

TEST(name_order, is_right_for_any_number_of_names_and_events) {
  constexpr unsigned seed = 20'261'124;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  name_order order;
  for (int i = 0; i < 300; ++i) {
    std::vector<std::uint32_t> names(1 + random() % 700);
    for (std::uint32_t& name : names) name = i % 3 == 0 ? random() % 64 * 4'096 : static_cast<std::uint32_t>(random());
    std::vector<std::uint32_t> hashes(random() % 3'000);
    for (std::uint32_t& hash : hashes) hash = names[random() % names.size()];
    ASSERT_EQ(ordered(order, hashes), expected(hashes)) << i;
  }
}

TEST(name_order, allocates_nothing_for_a_block_like_the_one_before) {
  if (!tests::counts_allocations()) GTEST_SKIP() << "another allocator is counting";
  std::vector<std::uint32_t> hashes;
  for (std::uint32_t i = 0; i < 1'000; ++i) hashes.push_back(i % 150 * 2'654'435'761);
  const std::vector<record> events = events_of(hashes);
  name_order order;
  order(events);
  const std::size_t before = tests::allocations();
  order(events);
  EXPECT_EQ(tests::allocations(), before);
}

// 65,536 names in one chain: compared with each other they would take minutes.
TEST(name_order, stays_linear_when_all_hashes_collide) {
  std::vector<std::uint32_t> hashes;
  for (std::uint32_t i = 0; i < 65'536; ++i) hashes.push_back(i << 17);
  for (std::uint32_t i = 0; i < 65'536; ++i) hashes.push_back(i << 17);
  name_order order;
  auto found = ordered(order, hashes);
  std::ranges::sort(found);
  for (std::uint32_t i = 0; i < found.size(); ++i) ASSERT_EQ(found[i], i);
}

}  // namespace
}  // namespace stages
