#include "stages/outgoing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/stages/spine_parts.hpp"

namespace stages {
namespace {

using testing::ElementsAre;

// A body with rows of two blocks: three of the first, two of the second.
struct taking_the_front : testing::Test {
  taking_the_front() {
    parts.push_back(test::part_of(line, first, {5, 6, 9}));
    parts.push_back(test::part_of(line, second, {0, 4}));
  }
  engine::ack_line line{"begin", [] {}};
  std::shared_ptr<held_block> first = test::held(test::reply_of_events({}, "c0", "c1"));
  std::shared_ptr<held_block> second = test::held(test::reply_of_events({}, "c1", "c2"));
  std::vector<part> parts;
};

void expect_part(const part& p, const std::shared_ptr<held_block>& block, const std::vector<std::uint32_t>& indexes) {
  EXPECT_EQ(p.block, block);
  EXPECT_EQ(p.indexes, indexes);
  EXPECT_EQ(p.rows.units(), indexes.size());
}

TEST_F(taking_the_front, of_no_rows_leaves_all) {
  EXPECT_TRUE(take_front(parts, 0).empty());
  ASSERT_EQ(parts.size(), 2U);
  expect_part(parts[0], first, {5, 6, 9});
  expect_part(parts[1], second, {0, 4});
}

TEST_F(taking_the_front, moves_a_whole_part) {
  const auto front = take_front(parts, 3);
  ASSERT_EQ(front.size(), 1U);
  expect_part(front[0], first, {5, 6, 9});
  ASSERT_EQ(parts.size(), 1U);
  expect_part(parts[0], second, {0, 4});
}

TEST_F(taking_the_front, cuts_inside_the_first_part) {
  const auto front = take_front(parts, 2);
  ASSERT_EQ(front.size(), 1U);
  expect_part(front[0], first, {5, 6});
  ASSERT_EQ(parts.size(), 2U);
  expect_part(parts[0], first, {9});
  expect_part(parts[1], second, {0, 4});
}

TEST_F(taking_the_front, cuts_inside_a_later_part) {
  const auto front = take_front(parts, 4);
  ASSERT_EQ(front.size(), 2U);
  expect_part(front[0], first, {5, 6, 9});
  expect_part(front[1], second, {0});
  ASSERT_EQ(parts.size(), 1U);
  expect_part(parts[0], second, {4});
}

TEST_F(taking_the_front, of_all_rows_leaves_none) {
  const auto front = take_front(parts, 5);
  ASSERT_EQ(front.size(), 2U);
  expect_part(front[0], first, {5, 6, 9});
  expect_part(front[1], second, {0, 4});
  EXPECT_TRUE(parts.empty());
}

TEST_F(taking_the_front, row_by_row_gives_every_row_once) {
  std::vector<std::pair<held_block*, std::uint32_t>> seen;
  while (!parts.empty()) {
    auto one = take_front(parts, 1);
    ASSERT_EQ(one.size(), 1U);
    ASSERT_EQ(one[0].indexes.size(), 1U);
    seen.emplace_back(one[0].block.get(), one[0].indexes[0]);
    one[0].rows.delivered();
  }
  EXPECT_THAT(seen, ElementsAre(std::pair(first.get(), 5U), std::pair(first.get(), 6U), std::pair(first.get(), 9U),
                                std::pair(second.get(), 0U), std::pair(second.get(), 4U)));
  EXPECT_EQ(line.committable(), "c2");
  EXPECT_EQ(line.outstanding(), 0U);
}

TEST_F(taking_the_front, both_sides_of_a_cut_owe_the_same_block) {
  auto front = take_front(parts, 2);
  EXPECT_TRUE(front[0].rows.same_block(parts[0].rows));
  front[0].rows.delivered();
  EXPECT_EQ(line.committable(), "begin");  // a row of it is still out
  parts[0].rows.delivered();
  EXPECT_EQ(line.committable(), "c1");
}

TEST_F(taking_the_front, what_is_left_can_end_undelivered_alone) {
  auto front = take_front(parts, 3);
  parts.clear();
  front[0].rows.delivered();
  EXPECT_TRUE(line.broken());
  EXPECT_EQ(line.committable(), "c1");  // the block in front is whole, the one behind it is not
}

TEST_F(taking_the_front, a_block_is_kept_until_its_last_row_ends) {
  const std::weak_ptr<held_block> watched = first;
  first.reset();
  auto front = take_front(parts, 1);
  const auto end_all = [](std::vector<part>& some) {
    for (part& p : some) {
      p.block.reset();
      p.rows.delivered();
    }
  };
  end_all(front);
  EXPECT_FALSE(watched.expired());
  end_all(parts);
  EXPECT_TRUE(watched.expired());
}

TEST(outgoing, counts_the_rows_of_its_body) {
  outgoing out;
  EXPECT_EQ(out.row_count(), 0U);
  out.body.row_bytes = {10, 20, 30};
  EXPECT_EQ(out.row_count(), 3U);
}

}  // namespace
}  // namespace stages
