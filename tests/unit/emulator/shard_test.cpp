#include "tools/emulator/sls/shard.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tools/emulator/seeded_random.hpp"
#include "tools/emulator/sls/log_group.hpp"

namespace emulator::sls {
namespace {

struct fixture {
  reply_cache cache{1U << 20U};
  std::uint64_t announced = 0;
  shard_limits limits;
  std::unique_ptr<shard> one;

  explicit fixture(std::size_t chunk_bytes = 2000, std::size_t chunk_groups = 16)
      : limits{chunk_bytes, chunk_groups},
        one(std::make_unique<shard>(1'000'000, limits, cache, [this](std::uint64_t count) { announced = count; })) {}
};

// Not a LogGroup: shards do not look inside. Sizes around the varint border and beyond a whole chunk occur.
std::string any_group(seeded_random& random, std::uint64_t index) {
  const std::size_t sizes[] = {20, 127, 128, 400, 5000};
  std::string bytes = "group " + std::to_string(index) + " ";
  const auto size = sizes[random.below(5)];
  while (bytes.size() < size) bytes += static_cast<char>('a' + random.below(4));
  return bytes;
}

std::vector<std::string> unframed(std::string_view list) {
  std::vector<std::string> groups;
  while (!list.empty()) {
    EXPECT_EQ(list.front(), '\x0a');
    list.remove_prefix(1);
    std::size_t size = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(list.front());
      list.remove_prefix(1);
      size |= static_cast<std::size_t>(byte & 0x7fU) << shift;
      if (byte < 0x80) break;
    }
    groups.emplace_back(list.substr(0, size));
    list.remove_prefix(size);
  }
  return groups;
}

std::vector<std::string> groups_in(const pulled& reply) {
  if (!reply.body) return {};
  const auto raw = decompress(reply.how, *reply.body, reply.raw_size);
  EXPECT_TRUE(raw.has_value());
  return unframed(raw.value_or(""));
}

std::vector<std::string> fill_randomly(shard& into, seeded_random& random, std::uint64_t count) {
  std::vector<std::string> all;
  while (all.size() < count) {
    std::vector<new_group> some;
    for (auto n = 1 + random.below(3); n > 0; --n) {
      all.push_back(any_group(random, all.size()));
      some.push_back({all.back(), static_cast<std::int64_t>(100 + all.size() / 5), 0, 0});
    }
    EXPECT_TRUE(into.append(std::move(some)));
    if (random.below(20) == 0) into.seal();
  }
  return all;
}

TEST(shard, any_sequence_of_cursors_counts_and_ends_gives_exactly_the_stored_groups) {
  constexpr coding codings[] = {coding::none, coding::lz4, coding::zstd, coding::deflate};
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    seeded_random random(seed);
    fixture f;
    const auto stored = fill_randomly(*f.one, random, 120);
    EXPECT_EQ(f.announced, stored.size());
    EXPECT_EQ(f.one->size(), stored.size());
    for (int pull = 0; pull < 200; ++pull) {
      const auto first = random.below(stored.size() + 1);
      const auto last = random.below(3) == 0 ? stored.size() : random.below(stored.size() + 20);
      const auto count = random.below(40);
      const auto how = codings[random.below(4)];
      const auto reply = f.one->pull(first, last, count, how, 0);
      const auto bound = std::min<std::uint64_t>({stored.size(), first + count, last});
      ASSERT_EQ(reply.first, first);
      ASSERT_GE(reply.next, first);
      ASSERT_LE(reply.next, std::max(bound, first));
      ASSERT_EQ(reply.next > first, bound > first);
      ASSERT_EQ(reply.at_end, reply.next == stored.size());
      const std::vector<std::string> expected(stored.begin() + static_cast<std::ptrdiff_t>(first),
                                              stored.begin() + static_cast<std::ptrdiff_t>(reply.next));
      ASSERT_EQ(groups_in(reply), expected);
    }
  }
}

TEST(shard, following_the_cursor_reads_every_group_once) {
  seeded_random random(7);
  fixture f;
  const auto stored = fill_randomly(*f.one, random, 500);
  std::vector<std::string> read;
  std::uint64_t at = 0;
  while (at < stored.size()) {
    const auto reply = f.one->pull(at, stored.size(), 1 + random.below(30), coding::lz4, 0);
    for (auto& group : groups_in(reply)) read.push_back(std::move(group));
    ASSERT_GT(reply.next, at);
    at = reply.next;
  }
  EXPECT_EQ(read, stored);
}

TEST(shard, read_gives_the_groups_of_any_range) {
  seeded_random random(11);
  fixture f;
  const auto stored = fill_randomly(*f.one, random, 200);
  for (int i = 0; i < 100; ++i) {
    const auto first = random.below(stored.size());
    const auto last = first + random.below(stored.size() - first + 30);
    const std::vector<std::string> expected(
        stored.begin() + static_cast<std::ptrdiff_t>(first),
        stored.begin() + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(last, stored.size())));
    ASSERT_EQ(f.one->read(first, last), expected);
  }
}

TEST(shard, whole_chunks_are_served_from_one_shared_body) {
  seeded_random random(3);
  fixture f;
  fill_randomly(*f.one, random, 60);
  f.one->seal();
  const auto once = f.one->pull(0, 60, 1000, coding::lz4, 0);
  const auto again = f.one->pull(0, 60, 1000, coding::lz4, 0);
  EXPECT_EQ(once.body.get(), again.body.get());
  const auto cut = f.one->pull(1, 60, 1000, coding::zstd, 0);
  EXPECT_EQ(cut.body.get(), f.one->pull(1, 60, 1000, coding::zstd, 0).body.get());
  EXPECT_EQ(cut.next, once.next);
}

TEST(shard, an_empty_shard_answers_with_nothing_at_its_end) {
  fixture f;
  const auto reply = f.one->pull(0, 0, 1000, coding::lz4, 77);
  EXPECT_EQ(reply.next, 0U);
  EXPECT_TRUE(reply.at_end);
  EXPECT_EQ(reply.time_s, 77);
  EXPECT_EQ(reply.body, nullptr);
  EXPECT_EQ(f.one->first_received_at(0), 0U);
  EXPECT_FALSE(f.one->receive_time(0));
}

TEST(shard, readonly_takes_nothing_and_keeps_what_it_has) {
  seeded_random random(5);
  fixture f;
  const auto stored = fill_randomly(*f.one, random, 10);
  f.one->make_readonly();
  EXPECT_FALSE(f.one->append({{"more", 1, 1, 1}}));
  EXPECT_EQ(f.one->size(), stored.size());
  EXPECT_EQ(f.one->read(0, 100), stored);
}

TEST(shard, finds_the_first_group_received_at_a_second) {
  fixture f(200, 3);
  for (const std::int64_t second : {10, 10, 12, 12, 12, 15}) ASSERT_TRUE(f.one->append({{"g", second, 0, 0}}));
  EXPECT_EQ(f.one->first_received_at(9), 0U);
  EXPECT_EQ(f.one->first_received_at(10), 0U);
  EXPECT_EQ(f.one->first_received_at(11), 2U);
  EXPECT_EQ(f.one->first_received_at(13), 5U);
  EXPECT_EQ(f.one->first_received_at(16), 6U);
  EXPECT_EQ(f.one->receive_time(4), 12);
}

TEST(shard, names_only_chunks_whose_logs_touch_the_window) {
  fixture f(200, 1);
  for (const std::int64_t time : {100, 200, 300}) ASSERT_TRUE(f.one->append({{"g", 1, time, time + 50}}));
  const std::vector<std::pair<std::uint64_t, std::uint64_t>> middle{{1, 2}};
  EXPECT_EQ(f.one->ranges_with_times(200, 300), middle);
  EXPECT_EQ(f.one->ranges_with_times(0, 1000).size(), 3U);
  EXPECT_TRUE(f.one->ranges_with_times(400, 500).empty());
}

}  // namespace
}  // namespace emulator::sls
