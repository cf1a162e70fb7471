#include "engine/flow/ack.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace {

using engine::ack_line;

TEST(ack_line, commits_a_position_only_when_every_unit_up_to_it_is_delivered) {
  ack_line line("start", {});
  auto a = line.open("a", 2, nullptr);
  auto b = line.open("b", 1, nullptr);
  EXPECT_EQ(line.committable(), "start");
  b.delivered();
  EXPECT_EQ(line.committable(), "start");
  auto half = a.split(1);
  half.delivered();
  EXPECT_EQ(line.committable(), "start");
  a.delivered();
  EXPECT_EQ(line.committable(), "b");
  EXPECT_EQ(line.outstanding(), 0U);
}

TEST(ack_line, a_block_without_units_is_delivered_in_its_turn) {
  ack_line line("start", {});
  auto a = line.open("a", 1, nullptr);
  auto empty = line.open("b", 0, nullptr);
  EXPECT_EQ(line.committable(), "start");
  a.delivered();
  EXPECT_EQ(line.committable(), "b");
}

TEST(ack_line, a_share_destroyed_unresolved_counts_as_not_delivered_and_breaks_the_line) {
  ack_line line("start", {});
  auto a = line.open("a", 1, nullptr);
  {
    auto b = line.open("b", 3, nullptr);
    b.split(1).delivered();
  }
  auto c = line.open("c", 1, nullptr);
  c.delivered();
  EXPECT_TRUE(line.broken());
  EXPECT_EQ(line.committable(), "start");
  a.delivered();
  EXPECT_EQ(line.committable(), "a");  // what stood before the gap still counts
  EXPECT_EQ(line.outstanding(), 0U);
}

TEST(ack_line, keeps_what_belongs_to_a_block_until_its_last_unit_ended) {
  auto kept = std::make_shared<int>(7);
  std::weak_ptr<int> watch = kept;
  ack_line line("", {});
  auto a = line.open("a", 2, std::move(kept));
  auto b = a.split(1);
  a.delivered();
  EXPECT_FALSE(watch.expired());
  b.abandon();
  EXPECT_TRUE(watch.expired());
}

TEST(ack_line, tells_about_every_change_that_matters_to_its_route) {
  int calls = 0;
  ack_line line("", [&calls] { ++calls; });
  auto a = line.open("a", 1, nullptr);
  auto b = line.open("b", 1, nullptr);
  b.delivered();
  EXPECT_EQ(calls, 0);
  a.delivered();
  EXPECT_EQ(calls, 1);
  line.open("c", 1, nullptr).abandon();
  EXPECT_EQ(calls, 2);
}

TEST(ack_line, deliveries_may_outlive_the_line) {
  ack_line::delivery d;
  {
    ack_line line("", {});
    d = line.open("a", 1, nullptr);
  }
  d.delivered();
  EXPECT_EQ(d.units(), 0U);
}

TEST(ack_line, never_passes_a_gap_whatever_the_order) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    std::mt19937_64 random(seed);
    ack_line line("0", {});
    std::vector<ack_line::delivery> shares;
    std::vector<std::size_t> owner;
    std::vector<bool> whole(21, true);
    for (std::size_t i = 1; i <= 20; ++i) {
      auto all = line.open(std::to_string(i), 3, nullptr);
      for (int k = 0; k < 3; ++k) {
        shares.push_back(all.split(1));
        owner.push_back(i);
      }
    }
    while (!shares.empty()) {
      const std::size_t k = random() % shares.size();
      if (random() % 40 == 0) {
        whole[owner[k]] = false;
        shares[k].abandon();
      } else {
        shares[k].delivered();
      }
      shares.erase(shares.begin() + static_cast<std::ptrdiff_t>(k));
      owner.erase(owner.begin() + static_cast<std::ptrdiff_t>(k));
    }
    std::size_t last = 0;
    while (last < 20 && whole[last + 1]) ++last;
    ASSERT_EQ(line.committable(), std::to_string(last)) << "seed " << seed;
    ASSERT_EQ(line.outstanding(), 0U);
  }
}

}  // namespace
