#include "stages/lanes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "stages/compress.hpp"
#include "tests/unit/stages/spine_parts.hpp"
#include "tests/unit/stages/wire_text.hpp"

namespace stages {
namespace {

using namespace std::chrono_literals;
using test::joined;
using test::text_of;
using testing::ElementsAre;
using testing::IsEmpty;

using texts = std::vector<std::string>;

constexpr engine::time_point start{100s};
constexpr std::size_t row_bytes = 9;          // with its comma 10
constexpr std::size_t five_rows_a_body = 51;  // five rows, their separators and the last bracket
constexpr std::size_t two_rows_a_body = 21;

// An encoder that tells when rows come, while its worker holds the lane.
class watched_encoder final : public encoder {
 public:
  watched_encoder(std::unique_ptr<encoder> real, const std::function<void()>& on_append)
      : real_(std::move(real)), on_append_(on_append) {}
  void append(byte_view text, std::span<const std::uint32_t> sizes) override {
    real_->append(text, sizes);
    if (on_append_) on_append_();
  }
  std::size_t raw_bytes() const override { return real_->raw_bytes(); }
  std::size_t row_count() const override { return real_->row_count(); }
  std::size_t wire_bytes_bound() const override { return real_->wire_bytes_bound(); }
  std::size_t wire_bytes_bound_after(std::size_t bytes) const override { return real_->wire_bytes_bound_after(bytes); }
  void flush() override { real_->flush(); }
  body finish() override { return real_->finish(); }
  void reset() override { real_->reset(); }

 private:
  std::unique_ptr<encoder> real_;
  const std::function<void()>& on_append_;
};

// Blocks of small rows with texts of their own; a block's line tells how its rows ended.
struct filling_lanes : testing::Test {
  std::unique_ptr<encoder> make_watched() {
    ++encoders_made;
    auto real = make_encoder(compression_level::none, {.wire_bytes_max = 1'000, .raw_bytes_max = 1'000}, pool);
    return std::make_unique<watched_encoder>(std::move(real), on_append);
  }
  std::unique_ptr<lanes> with_encoders(std::size_t encoders_max) {
    return std::make_unique<lanes>(
        [this] { return make_watched(); }, encoders_max,
        batch_options{.wire_bytes_max = 1'000, .raw_bytes_max = five_rows_a_body, .linger = 1s});
  }
  struct appended {
    std::shared_ptr<held_block> block = test::held(test::reply_of_events({}));
    engine::ack_line line{"begin", [] {}};
    texts written;
    lanes::misfits left;
  };
  std::unique_ptr<appended> append(lanes& to, std::uint32_t destination, const texts& written,
                                   std::vector<closed_body>& out, engine::time_point now = start,
                                   bool close_after = false) {
    auto one = std::make_unique<appended>();
    one->written = written;
    rows all = test::make_rows(written);
    for (auto& ref : all.refs) ref.index += 100;  // as if others of the block had been set aside
    auto units = one->line.open("after", static_cast<std::uint32_t>(written.size()), one->block);
    one->left = to.append(destination, all, std::move(units), one->block, now, close_after, out);
    return one;
  }
  std::unique_ptr<appended> append(lanes& to, std::uint32_t destination, std::size_t count,
                                   engine::time_point now = start, bool close_after = false) {
    return append(to, destination, new_rows(count), closed, now, close_after);
  }
  texts new_rows(std::size_t count) {
    texts out;
    for (std::size_t i = 0; i < count; ++i) out.push_back(std::to_string(100'000'000 + ++last_row));
    return out;
  }
  static texts some(const texts& all, std::size_t first, std::size_t last) {
    return {all.begin() + static_cast<std::ptrdiff_t>(first), all.begin() + static_cast<std::ptrdiff_t>(last)};
  }
  static void deliver(std::vector<closed_body>& bodies) {
    for (auto& one : bodies) {
      for (part& p : one.out.parts) p.rows.delivered();
    }
  }

  std::function<void()> on_append;
  engine::buffer_pool pool{0};
  std::size_t encoders_made = 0;
  std::vector<closed_body> closed;
  std::size_t last_row = 0;
};

void expect_body(const closed_body& one, std::uint32_t destination, const texts& expected) {
  EXPECT_EQ(one.destination, destination);
  EXPECT_EQ(text_of(one.out.body), joined(expected));
  EXPECT_EQ(one.out.row_count(), expected.size());
  std::size_t rows = 0;
  for (const part& p : one.out.parts) {
    EXPECT_EQ(p.rows.units(), p.indexes.size());
    rows += p.indexes.size();
  }
  EXPECT_EQ(rows, expected.size());
}

TEST_F(filling_lanes, closes_full_bodies_and_leaves_the_rest_open) {
  const auto to = with_encoders(2);
  const auto block = append(*to, 7, 12);
  ASSERT_EQ(closed.size(), 2U);
  expect_body(closed[0], 7, some(block->written, 0, 5));
  expect_body(closed[1], 7, some(block->written, 5, 10));
  EXPECT_EQ(to->open_count(), 1U);
  to->close_due(start, true, closed);
  ASSERT_EQ(closed.size(), 3U);
  expect_body(closed[2], 7, some(block->written, 10, 12));
  EXPECT_EQ(to->open_count(), 0U);
  EXPECT_THAT(closed[1].out.parts[0].indexes, ElementsAre(105, 106, 107, 108, 109));
  EXPECT_EQ(closed[1].out.parts[0].block, block->block);
  EXPECT_THAT(block->left.rows, IsEmpty());
  deliver(closed);
  EXPECT_EQ(block->line.committable(), "after");
}

TEST_F(filling_lanes, rows_of_several_blocks_share_a_body_in_their_order) {
  const auto to = with_encoders(2);
  const auto first = append(*to, 0, 3);
  const auto second = append(*to, 0, 4);
  ASSERT_EQ(closed.size(), 1U);
  texts expected = first->written;
  expected.insert(expected.end(), second->written.begin(), second->written.begin() + 2);
  expect_body(closed[0], 0, expected);
  ASSERT_EQ(closed[0].out.parts.size(), 2U);
  EXPECT_EQ(closed[0].out.parts[0].block, first->block);
  EXPECT_EQ(closed[0].out.parts[1].block, second->block);
  EXPECT_THAT(closed[0].out.parts[0].indexes, ElementsAre(100, 101, 102));
  EXPECT_THAT(closed[0].out.parts[1].indexes, ElementsAre(100, 101));
  deliver(closed);
  EXPECT_EQ(first->line.committable(), "after");
  EXPECT_EQ(second->line.committable(), "begin");  // two of its rows are in the open body
}

TEST_F(filling_lanes, destinations_never_share_a_body) {
  const auto to = with_encoders(3);
  const auto one = append(*to, 1, 2);
  const auto two = append(*to, 2, 2);
  EXPECT_EQ(to->open_count(), 2U);
  to->close_due(start, true, closed);
  ASSERT_EQ(closed.size(), 2U);
  expect_body(closed[0], 1, one->written);
  expect_body(closed[1], 2, two->written);
}

TEST_F(filling_lanes, close_after_leaves_nothing_open) {
  const auto to = with_encoders(2);
  const auto block = append(*to, 0, 7, start, true);
  ASSERT_EQ(closed.size(), 2U);
  expect_body(closed[1], 0, some(block->written, 5, 7));
  EXPECT_EQ(to->open_count(), 0U);
}

TEST_F(filling_lanes, a_block_without_rows_opens_nothing) {
  const auto to = with_encoders(2);
  append(*to, 0, 0);
  EXPECT_EQ(to->open_count(), 0U);
  EXPECT_EQ(encoders_made, 0U);
}

TEST_F(filling_lanes, a_body_is_due_a_linger_after_its_first_row) {
  const auto to = with_encoders(3);
  EXPECT_EQ(to->next_deadline(), std::nullopt);
  const auto first = append(*to, 1, 2);
  const auto second = append(*to, 2, 2, start + 300ms);
  const auto more = append(*to, 1, 1, start + 900ms);  // does not put off what is open
  EXPECT_EQ(to->next_deadline(), start + 1s);
  to->close_due(start + 1s - 1ns, false, closed);
  EXPECT_TRUE(closed.empty());
  to->close_due(start + 1s, false, closed);
  ASSERT_EQ(closed.size(), 1U);
  expect_body(closed[0], 1, {first->written[0], first->written[1], more->written[0]});
  EXPECT_EQ(to->next_deadline(), start + 1300ms);
  to->close_due(start + 1300ms, false, closed);
  ASSERT_EQ(closed.size(), 2U);
  expect_body(closed[1], 2, second->written);
  EXPECT_EQ(to->next_deadline(), std::nullopt);
}

TEST_F(filling_lanes, the_linger_begins_anew_with_each_body) {
  const auto to = with_encoders(1);
  append(*to, 0, 3);
  append(*to, 0, 3, start + 700ms);  // fills the first body and begins another
  ASSERT_EQ(closed.size(), 1U);
  EXPECT_EQ(to->next_deadline(), start + 1700ms);
}

TEST_F(filling_lanes, the_one_open_longest_is_closed_first) {
  const auto to = with_encoders(3);
  const auto second = append(*to, 2, 1, start + 1ms);
  const auto first = append(*to, 1, 1, start);
  const auto third = append(*to, 3, 1, start + 2ms);
  for (int i = 0; i < 4; ++i) to->close_oldest(closed);  // the last finds nothing
  ASSERT_EQ(closed.size(), 3U);
  expect_body(closed[0], 1, first->written);
  expect_body(closed[1], 2, second->written);
  expect_body(closed[2], 3, third->written);
}

TEST_F(filling_lanes, with_no_encoder_left_the_oldest_open_body_is_closed_early) {
  const auto to = with_encoders(2);
  const auto first = append(*to, 1, 1);
  const auto second = append(*to, 2, 1, start + 1ms);
  EXPECT_TRUE(closed.empty());
  const auto third = append(*to, 3, 2, start + 2ms);
  ASSERT_EQ(closed.size(), 1U);
  expect_body(closed[0], 1, first->written);
  EXPECT_EQ(encoders_made, 2U);
  to->close_due(start, true, closed);
  ASSERT_EQ(closed.size(), 3U);
  expect_body(closed[1], 2, second->written);
  expect_body(closed[2], 3, third->written);
}

TEST_F(filling_lanes, an_idle_encoder_is_used_again) {
  const auto to = with_encoders(4);
  for (std::uint32_t destination = 0; destination < 9; ++destination) {
    const auto block = append(*to, destination, 2, start, true);
    expect_body(closed.back(), destination, block->written);
  }
  EXPECT_EQ(encoders_made, 1U);
}

TEST_F(filling_lanes, a_dropped_destination_gives_its_rows_back_and_no_others) {
  const auto to = with_encoders(2);
  const auto dropped = append(*to, 1, 6);
  const auto kept = append(*to, 2, 2);
  ASSERT_EQ(closed.size(), 1U);
  to->drop(1);
  EXPECT_TRUE(dropped->line.broken());
  EXPECT_EQ(dropped->line.outstanding(), 1U);  // five rows are in the closed body
  EXPECT_FALSE(kept->line.broken());
  EXPECT_EQ(to->open_count(), 1U);
  deliver(closed);
  EXPECT_EQ(dropped->line.outstanding(), 0U);
  EXPECT_EQ(dropped->line.committable(), "begin");
  closed.clear();
  const auto after = append(*to, 1, 2, start, true);  // nothing of the dropped body is left in the encoder
  ASSERT_EQ(closed.size(), 1U);
  expect_body(closed[0], 1, after->written);
  EXPECT_EQ(encoders_made, 2U);
}

TEST_F(filling_lanes, cleared_lanes_give_everything_back) {
  const auto to = with_encoders(2);
  const auto one = append(*to, 1, 2);
  const auto two = append(*to, 2, 2);
  to->clear();
  EXPECT_EQ(to->open_count(), 0U);
  for (const auto* block : {one.get(), two.get()}) {
    EXPECT_TRUE(block->line.broken());
    EXPECT_EQ(block->line.outstanding(), 0U);
  }
}

TEST_F(filling_lanes, two_workers_fill_two_lanes_of_one_destination) {
  const auto to = with_encoders(2);
  const texts others = new_rows(2);
  std::unique_ptr<appended> other;
  on_append = [&] {  // the other worker comes while the first one holds its lane
    if (other) return;
    other = std::make_unique<appended>();
    std::vector<closed_body> none;
    other = append(*to, 0, others, none);
    EXPECT_TRUE(none.empty());
  };
  const auto block = append(*to, 0, 3);
  EXPECT_EQ(to->open_count(), 2U);
  EXPECT_EQ(encoders_made, 2U);
  to->close_due(start, true, closed);
  ASSERT_EQ(closed.size(), 2U);
  expect_body(closed[0], 0, block->written);
  expect_body(closed[1], 0, others);
}

TEST_F(filling_lanes, a_lane_that_is_worked_on_is_not_closed_by_others) {
  const auto to = with_encoders(2);
  std::vector<closed_body> meanwhile;
  on_append = [&] {
    to->close_due(start + 1h, true, meanwhile);
    to->close_oldest(meanwhile);
    EXPECT_EQ(to->next_deadline(), std::nullopt);
  };
  append(*to, 0, 3);
  EXPECT_TRUE(meanwhile.empty());
  EXPECT_EQ(to->open_count(), 1U);
}

TEST_F(filling_lanes, a_lane_dropped_while_it_is_worked_on_ends_when_the_worker_is_done) {
  const auto to = with_encoders(1);
  on_append = [&] { to->drop(0); };
  const auto block = append(*to, 0, 3);
  EXPECT_EQ(to->open_count(), 0U);
  EXPECT_TRUE(block->line.broken());
  EXPECT_EQ(block->line.outstanding(), 0U);
  on_append = {};
  const auto after = append(*to, 0, 1, start, true);
  expect_body(closed.at(0), 0, after->written);
}

TEST_F(filling_lanes, a_row_that_fits_no_body_comes_back_with_its_unit) {
  const auto to = with_encoders(1);
  texts written = new_rows(4);
  written[1] = written[3] = std::string(five_rows_a_body, 'x');
  const auto block = append(*to, 0, written, closed, start, true);
  EXPECT_THAT(block->left.rows, ElementsAre(1, 3));
  EXPECT_EQ(block->left.units.units(), 2U);
  ASSERT_EQ(closed.size(), 2U);
  expect_body(closed[0], 0, {written[0]});
  expect_body(closed[1], 0, {written[2]});
  EXPECT_THAT(closed[1].out.parts[0].indexes, ElementsAre(102));
  deliver(closed);
  EXPECT_EQ(block->line.committable(), "begin");
  block->left.units.delivered();  // dead-lettered, say
  EXPECT_EQ(block->line.committable(), "after");
}

TEST_F(filling_lanes, a_block_of_misfits_alone_opens_nothing) {
  const auto to = with_encoders(1);
  const auto block = append(*to, 0, {std::string(60, 'x'), std::string(70, 'y')}, closed);
  EXPECT_THAT(block->left.rows, ElementsAre(0, 1));
  EXPECT_EQ(block->left.units.units(), 2U);
  EXPECT_TRUE(closed.empty());
  EXPECT_EQ(to->open_count(), 0U);
}

TEST_F(filling_lanes, a_lower_raw_limit_holds_for_its_destination_alone) {
  const auto to = with_encoders(2);
  to->set_raw_bytes_max(1, two_rows_a_body);
  const auto lowered = append(*to, 1, 4, start, true);
  ASSERT_EQ(closed.size(), 2U);
  expect_body(closed[0], 1, some(lowered->written, 0, 2));
  expect_body(closed[1], 1, some(lowered->written, 2, 4));
  const auto other = append(*to, 2, 5, start, true);
  ASSERT_EQ(closed.size(), 3U);
  expect_body(closed[2], 2, other->written);
}

TEST_F(filling_lanes, a_raw_limit_is_only_lowered) {
  const auto to = with_encoders(1);
  to->set_raw_bytes_max(1, 1'000);  // above what the lanes are made for
  append(*to, 1, 6, start, true);
  ASSERT_EQ(closed.size(), 2U);
  EXPECT_EQ(closed[0].out.row_count(), 5U);
  to->set_raw_bytes_max(1, two_rows_a_body);
  to->set_raw_bytes_max(1, five_rows_a_body);
  closed.clear();
  append(*to, 1, 2 + row_bytes % 2, start, true);
  ASSERT_EQ(closed.size(), 2U);
  EXPECT_EQ(closed[0].out.row_count(), 2U);
}

TEST_F(filling_lanes, a_lower_raw_limit_holds_for_the_next_body_of_a_lane_that_stays_open) {
  const auto to = with_encoders(1);
  append(*to, 1, 6);  // a closed body of five; the lane stays open with one row
  to->set_raw_bytes_max(1, two_rows_a_body);
  append(*to, 1, 6);
  append(*to, 1, 6);
  ASSERT_GE(closed.size(), 3U);
  for (std::size_t i = 2; i < closed.size(); ++i) EXPECT_LE(closed[i].out.body.raw_bytes, two_rows_a_body);
}

TEST_F(filling_lanes, a_row_over_the_lowered_raw_limit_goes_alone) {
  const auto to = with_encoders(1);
  to->set_raw_bytes_max(1, two_rows_a_body);
  texts written = new_rows(3);
  written[1] = std::string(30, 'x');  // above the lowered limit, within what the encoder takes
  const auto block = append(*to, 1, written, closed, start, true);
  EXPECT_THAT(block->left.rows, IsEmpty());
  ASSERT_EQ(closed.size(), 3U);
  expect_body(closed[1], 1, {written[1]});
}

}  // namespace
}  // namespace stages
