#include "stages/batch.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "stages/compress.hpp"
#include "tests/unit/stages/wire_text.hpp"

namespace stages {
namespace {

using test::joined;
using test::make_rows;
using test::text_of;

constexpr engine::time_point start{std::chrono::seconds(100)};

// Counts instead of compressing: bodies are half of their raw size, what is held inside is known only after a flush.
class null_encoder final : public encoder {
 public:
  void append(byte_view text, std::span<const std::uint32_t> row_bytes) override {
    appended.push_back(text.size());
    held_ += text.size();
    raw_ += text.size();
    rows_.insert(rows_.end(), row_bytes.begin(), row_bytes.end());
  }
  std::size_t raw_bytes() const override { return rows_.empty() ? 0 : raw_ + 1; }
  std::size_t row_count() const override { return rows_.size(); }
  std::size_t wire_bytes_bound() const override { return wire_bytes_bound_after(0); }
  std::size_t wire_bytes_bound_after(std::size_t text_bytes) const override { return out_ + held_ + text_bytes + 1; }
  void flush() override {
    ++flushes;
    out_ += held_ / 2;
    held_ = 0;
  }
  body finish() override {
    ++finished;
    body out;
    out.raw_bytes = raw_bytes();
    out.row_bytes = rows_;
    reset();
    return out;
  }
  void reset() override {
    held_ = raw_ = out_ = 0;
    rows_.clear();
  }

  std::vector<std::size_t> appended;
  int flushes = 0;
  int finished = 0;

 private:
  std::size_t held_ = 0;
  std::size_t raw_ = 0;
  std::size_t out_ = 0;
  std::vector<std::uint32_t> rows_;
};

rows equal_rows(std::size_t count, std::size_t bytes) {
  return make_rows(std::vector<std::string>(count, std::string(bytes, 'r')));
}

batch_options small_options() {
  return {.wire_bytes_max = 10'000, .raw_bytes_max = 100'000, .flushes_max = 8, .piece_bytes_min = 1'000};
}

TEST(batch, takes_all_rows_that_fit_in_one_append) {
  null_encoder encoder;
  batch fold(small_options(), encoder);
  const auto added = fold.add(equal_rows(9, 999), 0, start);
  EXPECT_EQ(added.rows, 9U);
  EXPECT_FALSE(fold.full());
  EXPECT_EQ(encoder.appended, std::vector<std::size_t>{9'000});
  EXPECT_EQ(encoder.flushes, 0);
}

TEST(batch, begins_with_the_row_it_is_given) {
  null_encoder encoder;
  batch fold(small_options(), encoder);
  EXPECT_EQ(fold.add(equal_rows(9, 999), 7, start).rows, 2U);
  EXPECT_EQ(encoder.appended, std::vector<std::size_t>{2'000});
  EXPECT_EQ(fold.add(equal_rows(9, 999), 9, start).rows, 0U);
}

TEST(batch, flushes_to_learn_the_true_size_and_goes_on) {
  null_encoder encoder;
  batch fold(small_options(), encoder);
  const auto added = fold.add(equal_rows(30, 999), 0, start);
  EXPECT_TRUE(fold.full());
  EXPECT_GT(encoder.flushes, 1);
  EXPECT_LE(encoder.flushes, 8);
  // All of 10,000 bytes at half size would be 20,000: 90 % of that is reached.
  EXPECT_GE(added.rows, 18U);
  EXPECT_LE(encoder.wire_bytes_bound(), 10'000U);
  for (const std::size_t piece : encoder.appended) EXPECT_GE(piece, 1'000U);
}

TEST(batch, flushes_no_more_often_than_it_may) {
  null_encoder encoder;
  auto options = small_options();
  options.flushes_max = 1;
  batch fold(options, encoder);
  fold.add(equal_rows(30, 999), 0, start);
  EXPECT_TRUE(fold.full());
  EXPECT_EQ(encoder.flushes, 1);
}

TEST(batch, is_full_when_the_next_row_has_no_room_and_takes_it_after_close) {
  null_encoder encoder;
  auto options = small_options();
  options.flushes_max = 0;
  batch fold(options, encoder);
  const rows in = equal_rows(15, 999);
  EXPECT_EQ(fold.add(in, 0, start).rows, 9U);
  EXPECT_TRUE(fold.full());
  EXPECT_EQ(fold.add(in, 9, start).rows, 0U);
  EXPECT_EQ(fold.close().row_bytes.size(), 9U);
  EXPECT_FALSE(fold.full());
  EXPECT_TRUE(fold.empty());
  EXPECT_EQ(fold.add(in, 9, start).rows, 6U);
}

TEST(batch, closes_at_the_raw_limit_to_the_byte) {
  null_encoder encoder;
  auto options = small_options();
  options.wire_bytes_max = 1'000'000;
  options.raw_bytes_max = 5'001;  // five rows of 999 with a separator each, and the last bracket
  batch fold(options, encoder);
  EXPECT_EQ(fold.add(equal_rows(15, 999), 0, start).rows, 5U);
  EXPECT_TRUE(fold.full());
  EXPECT_EQ(fold.close().raw_bytes, 5'001U);
  fold.set_raw_bytes_max(5'000);
  EXPECT_EQ(fold.add(equal_rows(15, 999), 0, start).rows, 4U);
}

TEST(batch, raw_limit_can_only_be_lowered) {
  null_encoder encoder;
  batch fold(small_options(), encoder);
  fold.set_raw_bytes_max(1'000'000);
  EXPECT_EQ(fold.raw_bytes_max(), 100'000U);
}

TEST(batch, sends_a_row_over_the_lowered_raw_limit_alone) {
  null_encoder encoder;
  auto options = small_options();
  options.wire_bytes_max = 100'000;
  batch fold(options, encoder);
  fold.set_raw_bytes_max(2'000);
  const rows in = make_rows({std::string(500, 'a'), std::string(3'000, 'b'), std::string(500, 'c')});
  EXPECT_EQ(fold.add(in, 0, start).rows, 1U);
  EXPECT_TRUE(fold.full());
  fold.close();
  EXPECT_EQ(fold.add(in, 1, start).rows, 1U);
  EXPECT_TRUE(fold.full());
  EXPECT_EQ(fold.close().row_bytes, std::vector<std::uint32_t>{3'000});
  EXPECT_EQ(fold.add(in, 2, start).rows, 1U);
}

TEST(batch, sends_a_row_alone_whose_bound_is_too_large_but_whose_size_is_not) {
  null_encoder encoder;
  batch fold(small_options(), encoder);
  const rows in = equal_rows(2, 15'000);
  const auto added = fold.add(in, 0, start);
  EXPECT_EQ(added.rows, 1U);
  EXPECT_FALSE(added.next_fits_nowhere);
  EXPECT_TRUE(fold.full());
  EXPECT_EQ(fold.close().row_bytes, std::vector<std::uint32_t>{15'000});
}

TEST(batch, names_a_row_that_fits_nowhere_and_stays_usable) {
  null_encoder encoder;
  batch fold(small_options(), encoder);
  const rows in = make_rows({std::string(25'000, 'x'), "small"});
  const auto added = fold.add(in, 0, start);
  EXPECT_EQ(added.rows, 0U);
  EXPECT_TRUE(added.next_fits_nowhere);
  EXPECT_TRUE(fold.empty());
  EXPECT_FALSE(fold.deadline().has_value());
  EXPECT_EQ(fold.add(in, 1, start).rows, 1U);
  const auto over_raw = fold.add(equal_rows(1, 200'000), 0, start);
  EXPECT_EQ(over_raw.rows, 0U);
  EXPECT_FALSE(over_raw.next_fits_nowhere);  // not known before it is tried alone
  fold.close();
  EXPECT_TRUE(fold.add(equal_rows(1, 200'000), 0, start).next_fits_nowhere);
}

TEST(batch, deadline_is_the_linger_after_the_first_row) {
  null_encoder encoder;
  auto options = small_options();
  options.linger = std::chrono::milliseconds(1'500);
  batch fold(options, encoder);
  EXPECT_FALSE(fold.deadline().has_value());
  fold.add(equal_rows(1, 10), 0, start);
  fold.add(equal_rows(1, 10), 0, start + std::chrono::seconds(1));
  EXPECT_EQ(fold.deadline(), start + std::chrono::milliseconds(1'500));
  fold.close();
  EXPECT_FALSE(fold.deadline().has_value());
  fold.add(equal_rows(1, 10), 0, start + std::chrono::seconds(9));
  EXPECT_EQ(fold.deadline(), start + std::chrono::milliseconds(10'500));
}

TEST(batch, reset_drops_what_was_added) {
  null_encoder encoder;
  batch fold(small_options(), encoder);
  fold.add(equal_rows(30, 999), 0, start);
  fold.reset();
  EXPECT_TRUE(fold.empty());
  EXPECT_FALSE(fold.full());
  EXPECT_EQ(encoder.finished, 0);
}

// --- with the encoders
// ---------------------------------------------------------------------------------------------------

// Runs rows through a batch; gives the bodies.
std::vector<body> fold_all(batch& fold, const std::vector<rows>& blocks) {
  std::vector<body> out;
  for (const rows& in : blocks) {
    std::size_t at = 0;
    while (at < in.refs.size()) {
      const auto added = fold.add(in, at, start);
      at += added.rows;
      EXPECT_FALSE(added.next_fits_nowhere);
      if (added.next_fits_nowhere) return out;
      if (fold.full()) out.push_back(fold.close());
    }
  }
  if (!fold.empty()) out.push_back(fold.close());
  return out;
}

// Rows like those of real events: the published samples with fresh ids.
std::vector<rows> typical_blocks(std::size_t count) {
  std::mt19937_64 random(5);
  constexpr std::string_view names[] = {"DescribeInstances", "AssumeRole", "GetObject", "Decrypt", "ConsoleSignin"};
  std::vector<rows> out;
  for (std::size_t block = 0; block < count; ++block) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < 1'000; ++i) {
      std::string id;
      for (int k = 0; k < 4; ++k) id += std::to_string(random());
      const std::string name(names[random() % 5]);
      std::string row = R"({"TimeGenerated":"2026-01-01T00:00:)" + std::to_string(10 + i / 20) +
                        R"(Z","acsRegion":"cn-hangzhou","eventId":")" + id + R"(","eventName":")" + name +
                        R"(","eventSource":"ecs.cn-hangzhou.aliyuncs.com","requestId":")" + id +
                        R"(","requestParameters":{"RegionId":"cn-hangzhou","InstanceIds":[)";
      for (int k = 0; k < 30; ++k) row += (k == 0 ? "\"i-bp1" : ",\"i-bp1") + std::to_string(random() % 9'000) + "\"";
      row += R"(]},"userIdentity":{"type":"ram-user","accountId":")" + std::to_string(random() % 6) + R"("}})";
      texts.push_back(std::move(row));
    }
    out.push_back(make_rows(texts));
  }
  return out;
}

class batch_of : public testing::TestWithParam<compression_level> {};

INSTANTIATE_TEST_SUITE_P(levels, batch_of,
                         testing::Values(compression_level::fast, compression_level::small, compression_level::none),
                         [](const auto& at) {
                           return at.param == compression_level::fast    ? "fast"
                                  : at.param == compression_level::small ? "small"
                                                                         : "none";
                         });

TEST_P(batch_of, fills_bodies_of_typical_events_to_nine_tenths_of_the_wire_limit) {
  engine::buffer_pool pool(0);
  const auto encoder = make_encoder(GetParam(), {}, pool);
  batch fold({}, *encoder);
  const auto bodies = fold_all(fold, typical_blocks(10));
  ASSERT_GE(bodies.size(), 2U);
  for (std::size_t i = 0; i + 1 < bodies.size(); ++i) {
    EXPECT_LE(bodies[i].wire.size(), 1'044'480U);
    EXPECT_GE(bodies[i].wire.size(), 940'032U);
  }
}

// Whatever comes: the bodies' rows are the rows put in, in their order, and no body exceeds a limit.
TEST_P(batch_of, bodies_hold_exactly_the_rows_in_order_for_random_input) {
  engine::buffer_pool pool(16 * engine::mib);
  for (std::uint64_t seed = 1; seed <= 24; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    test::text_source source(test::textures[seed % std::size(test::textures)], seed);
    const encoder_limits limits{.wire_bytes_max = 30'000 + source.below(200'000), .raw_bytes_max = 600'000};
    const auto encoder = make_encoder(GetParam(), limits, pool);
    batch fold({.wire_bytes_max = limits.wire_bytes_max,
                .raw_bytes_max = limits.raw_bytes_max,
                .flushes_max = static_cast<unsigned>(source.below(9)),
                .piece_bytes_min = 1 + source.below(20'000)},
               *encoder);
    if (source.below(3) == 0) fold.set_raw_bytes_max(20'000 + source.below(100'000));
    const std::size_t raw_bytes_max = fold.raw_bytes_max();
    std::vector<rows> blocks;
    std::vector<std::string> expected;
    for (std::size_t block = 0; block < 8; ++block) {
      std::vector<std::string> texts;
      const std::size_t count = source.below(40);
      const std::size_t row_bytes_max = source.below(4) == 0 ? 25'000 : 2'000;
      for (std::size_t i = 0; i < count; ++i) texts.push_back(source.take(1 + source.below(row_bytes_max)));
      blocks.push_back(make_rows(texts));
      expected.insert(expected.end(), texts.begin(), texts.end());
    }
    std::string found = "[";
    for (const body& whole : fold_all(fold, blocks)) {
      EXPECT_LE(whole.wire.size(), limits.wire_bytes_max);
      EXPECT_TRUE(whole.raw_bytes <= raw_bytes_max || whole.row_bytes.size() == 1);
      const std::string text = text_of(whole);
      EXPECT_EQ(text.size(), whole.raw_bytes);
      found.append(found.size() > 1 ? "," : "").append(text, 1, text.size() - 2);
    }
    EXPECT_EQ(found + "]" == joined(expected), true);
  }
}

}  // namespace
}  // namespace stages
