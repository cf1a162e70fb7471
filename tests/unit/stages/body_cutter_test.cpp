#include "stages/body_cutter.hpp"

#include <gtest/gtest.h>

#include <barrier>
#include <string>
#include <thread>
#include <vector>

#include "stages/compress.hpp"
#include "tests/unit/stages/wire_text.hpp"

namespace stages {
namespace {

using test::append_all;
using test::joined;
using test::make_rows;
using test::text_of;

constexpr encoder_limits limits{.wire_bytes_max = service_wire_bytes_max, .raw_bytes_max = 4 * engine::mib};

struct cutting_in_two : testing::TestWithParam<compression_level> {
  std::unique_ptr<encoder> make() { return make_encoder(GetParam(), limits, pool); }
  body body_of(const std::vector<std::string>& texts) {
    const auto with = make();
    append_all(*with, make_rows(texts));
    return with->finish();
  }
  engine::buffer_pool pool{16 * engine::mib};
};

INSTANTIATE_TEST_SUITE_P(levels, cutting_in_two,
                         testing::Values(compression_level::fast, compression_level::small, compression_level::none),
                         [](const auto& at) {
                           return at.param == compression_level::fast    ? "fast"
                                  : at.param == compression_level::small ? "small"
                                                                         : "none";
                         });

std::vector<std::string> some_rows(std::size_t count) {
  test::text_source source(test::texture::json, 11);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(source.take(1 + source.below(2'000)));
  return out;
}

std::vector<std::uint32_t> sizes_of(const std::vector<std::string>& texts) {
  std::vector<std::uint32_t> out;
  for (const std::string& text : texts) out.push_back(static_cast<std::uint32_t>(text.size()));
  return out;
}

TEST_P(cutting_in_two, gives_the_rows_before_and_after_the_middle) {
  const auto texts = some_rows(8);
  const body whole = body_of(texts);
  body_cutter cutter(limits.raw_bytes_max, make());
  for (std::size_t middle = 1; middle < texts.size(); ++middle) {
    const std::vector<std::string> first(texts.begin(), texts.begin() + static_cast<std::ptrdiff_t>(middle));
    const std::vector<std::string> second(texts.begin() + static_cast<std::ptrdiff_t>(middle), texts.end());
    const auto halves = cutter.in_two(whole, middle);
    ASSERT_TRUE(halves.has_value()) << halves.error();
    EXPECT_EQ(text_of(halves->first), joined(first));
    EXPECT_EQ(text_of(halves->second), joined(second));
    EXPECT_EQ(halves->first.row_bytes, sizes_of(first));
    EXPECT_EQ(halves->second.row_bytes, sizes_of(second));
    EXPECT_EQ(halves->first.raw_bytes, joined(first).size());
    EXPECT_EQ(halves->second.raw_bytes, joined(second).size());
    EXPECT_EQ(halves->first.gzip, whole.gzip);
  }
  EXPECT_EQ(text_of(whole), joined(texts));
}

TEST_P(cutting_in_two, goes_on_down_to_single_rows) {
  const auto texts = some_rows(5);
  body_cutter cutter(limits.raw_bytes_max, make());
  std::vector<std::string> seen;
  body rest = body_of(texts);
  while (rest.row_bytes.size() > 1) {
    auto halves = cutter.in_two(rest, 1);
    ASSERT_TRUE(halves.has_value()) << halves.error();
    seen.push_back(text_of(halves->first));
    rest = std::move(halves->second);
  }
  seen.push_back(text_of(rest));
  std::vector<std::string> expected;
  for (const std::string& text : texts) expected.push_back(joined({text}));
  EXPECT_EQ(seen, expected);
}

TEST_P(cutting_in_two, a_damaged_body_is_an_error_and_the_next_one_is_cut_all_the_same) {
  body_cutter cutter(limits.raw_bytes_max, make());
  body damaged = body_of(some_rows(4));
  damaged.row_bytes[3] += 1;
  EXPECT_EQ(cutter.in_two(damaged, 2).error(), "damaged");
  const auto texts = some_rows(4);
  const auto halves = cutter.in_two(body_of(texts), 3);
  ASSERT_TRUE(halves.has_value());
  EXPECT_EQ(text_of(halves->second), joined({texts[3]}));
}

TEST_P(cutting_in_two, a_body_beyond_the_raw_limit_is_not_taken) {
  const auto texts = some_rows(6);
  const body whole = body_of(texts);
  body_cutter smaller(whole.raw_bytes - 1, make());
  EXPECT_EQ(smaller.in_two(whole, 3).error(), "damaged");
  body_cutter exact(whole.raw_bytes, make());
  EXPECT_TRUE(exact.in_two(whole, 3).has_value());
}

TEST(body_cutter, a_half_that_no_longer_fits_the_wire_is_too_large) {
  engine::buffer_pool pool(0);
  // Compressed it fits; cut by an encoder that does not compress, its second half does not.
  const std::vector<std::string> texts{"{}", std::string(service_wire_bytes_max, 'a')};
  const auto fast = make_encoder(compression_level::fast, limits, pool);
  append_all(*fast, make_rows(texts));
  const body whole = fast->finish();
  body_cutter cutter(limits.raw_bytes_max, make_encoder(compression_level::none, limits, pool));
  EXPECT_EQ(cutter.in_two(whole, 1).error(), "too large");
}

TEST(body_cutter, serves_several_threads_with_one_buffer) {
  constexpr std::size_t threads = 3;
  constexpr std::size_t rounds = 40;
  constexpr std::size_t middle = 700;
  engine::buffer_pool pool(0);
  body_cutter cutter(limits.raw_bytes_max, make_encoder(compression_level::fast, limits, pool));
  std::vector<std::vector<std::string>> texts;
  std::vector<body> bodies;
  for (std::size_t t = 0; t < threads; ++t) {
    texts.push_back(std::vector<std::string>(2'000, std::string(200 + t, static_cast<char>('a' + t))));
    const auto with = make_encoder(compression_level::fast, limits, pool);
    append_all(*with, make_rows(texts[t]));
    bodies.push_back(with->finish());
  }
  std::vector<std::vector<std::expected<std::pair<body, body>, std::string>>> halves(threads);
  std::barrier together(threads);
  {
    std::vector<std::jthread> running;
    for (std::size_t t = 0; t < threads; ++t) {
      running.emplace_back([&, t] {
        together.arrive_and_wait();
        for (std::size_t i = 0; i < rounds; ++i) halves[t].push_back(cutter.in_two(bodies[t], middle));
      });
    }
  }
  for (std::size_t t = 0; t < threads; ++t) {
    for (const auto& cut : halves[t]) {
      ASSERT_TRUE(cut.has_value()) << cut.error();
      ASSERT_EQ(text_of(cut->first), joined({texts[t].begin(), texts[t].begin() + middle}));
      ASSERT_EQ(text_of(cut->second), joined({texts[t].begin() + middle, texts[t].end()}));
    }
  }
}

}  // namespace
}  // namespace stages
