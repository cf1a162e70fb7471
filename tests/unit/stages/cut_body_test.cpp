#include "stages/cut_body.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "stages/compress.hpp"
#include "tests/unit/stages/wire_text.hpp"

namespace stages {
namespace {

using test::append_all;
using test::joined;
using test::make_rows;
using test::text_of;
using test::texture;

constexpr cut_body_options options{.wire_bytes_max = 1'044'480, .raw_bytes_max = 4 * engine::mib};

class cutting : public testing::TestWithParam<compression_level> {
 protected:
  body make(const std::vector<std::string>& texts) {
    append_all(*encoder_, make_rows(texts));
    return encoder_->finish();
  }
  engine::buffer_pool pool_{16 * engine::mib};
  std::unique_ptr<encoder> encoder_ = make_encoder(GetParam(), {}, pool_);
  cut_body cut_{options};
};

INSTANTIATE_TEST_SUITE_P(levels, cutting,
                         testing::Values(compression_level::fast, compression_level::small, compression_level::none),
                         [](const auto& at) {
                           return at.param == compression_level::fast    ? "fast"
                                  : at.param == compression_level::small ? "small"
                                                                         : "none";
                         });

std::vector<std::string> some_rows(std::size_t count) {
  test::text_source source(texture::json, 3);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(source.take(1 + source.below(3'000)));
  return out;
}

TEST_P(cutting, makes_a_body_of_just_the_rows_asked_for) {
  const auto rows = some_rows(9);
  const body whole = make(rows);
  for (std::size_t first = 0; first < rows.size(); ++first) {
    for (std::size_t last = first + 1; last <= rows.size(); ++last) {
      const auto part = cut_(whole, first, last, *encoder_);
      ASSERT_TRUE(part.has_value());
      const std::vector<std::string> expected(rows.begin() + static_cast<std::ptrdiff_t>(first),
                                              rows.begin() + static_cast<std::ptrdiff_t>(last));
      EXPECT_EQ(text_of(*part), joined(expected));
      EXPECT_EQ(part->raw_bytes, joined(expected).size());
      EXPECT_EQ(part->row_bytes.size(), last - first);
      EXPECT_EQ(encoder_->row_count(), 0U);
    }
  }
}

TEST_P(cutting, halves_again_and_again_lose_nothing) {
  const auto rows = some_rows(100);
  std::vector<body> waiting;
  waiting.push_back(make(rows));
  std::vector<std::string> found;
  while (!waiting.empty()) {
    const body whole = std::move(waiting.back());
    waiting.pop_back();
    const std::size_t count = whole.row_bytes.size();
    if (count == 1) {
      found.emplace_back(*cut_.row(whole, 0));
      continue;
    }
    waiting.push_back(*cut_(whole, count / 2, count, *encoder_));
    waiting.push_back(*cut_(whole, 0, count / 2, *encoder_));
  }
  EXPECT_EQ(found, rows);
}

TEST_P(cutting, gives_each_rows_text) {
  const auto rows = some_rows(30);
  const body whole = make(rows);
  for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(cut_.row(whole, i), rows[i]);
}

TEST_P(cutting, a_part_too_large_for_the_wire_is_refused_and_the_encoder_empty) {
  test::text_source source(texture::random_bytes, 1);
  const body whole = make({source.take(9'000), source.take(9'000)});
  cut_body strict({.wire_bytes_max = 10'000, .raw_bytes_max = 100'000});
  EXPECT_EQ(strict(whole, 0, 2, *encoder_).error(), cut_body_errc::too_large);
  EXPECT_EQ(encoder_->row_count(), 0U);
  EXPECT_TRUE(strict(whole, 0, 1, *encoder_).has_value());
}

TEST_P(cutting, wrong_sizes_are_reported_as_damage) {
  body whole = make(some_rows(5));
  whole.row_bytes[2] += 1;
  EXPECT_EQ(cut_.row(whole, 0).error(), cut_body_errc::damaged);
  whole.raw_bytes += 1;
  EXPECT_EQ(cut_.row(whole, 0).error(), cut_body_errc::damaged);
  EXPECT_EQ(cut_(whole, 0, 1, *encoder_).error(), cut_body_errc::damaged);
  EXPECT_EQ(engine::fault::malformed, fault_of(cut_body_errc::damaged));
}

TEST_P(cutting, a_body_larger_than_the_buffer_is_refused) {
  const body whole = make(some_rows(40));
  cut_body small({.wire_bytes_max = 10'000, .raw_bytes_max = whole.raw_bytes - 1});
  EXPECT_EQ(small.row(whole, 0).error(), cut_body_errc::damaged);
  cut_body exact({.wire_bytes_max = 10'000, .raw_bytes_max = whole.raw_bytes});
  EXPECT_TRUE(exact.row(whole, 0).has_value());
}

TEST(cutting_gzip, a_changed_byte_is_damage) {
  engine::buffer_pool pool(0);
  const auto encoder = make_encoder(compression_level::fast, {}, pool);
  append_all(*encoder, make_rows(some_rows(5)));
  body whole = encoder->finish();
  cut_body cut(options);
  for (std::size_t i = whole.wire.size() - 8; i < whole.wire.size(); ++i) {  // CRC and size
    whole.wire.data()[i] ^= 1;
    EXPECT_EQ(cut.row(whole, 0).error(), cut_body_errc::damaged);
    whole.wire.data()[i] ^= 1;
  }
  whole.wire.resize(whole.wire.size() - 1);
  EXPECT_EQ(cut.row(whole, 0).error(), cut_body_errc::damaged);
}

}  // namespace
}  // namespace stages
