#include "stages/compress.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/unit/stages/wire_text.hpp"

namespace stages {
namespace {

using test::append_all;
using test::joined;
using test::make_rows;
using test::text_of;
using test::texture;

constexpr compression_level levels[] = {compression_level::fast, compression_level::small, compression_level::none};

std::string name_of(compression_level level) {
  return level == compression_level::fast ? "fast" : level == compression_level::small ? "small" : "none";
}

class compress : public testing::TestWithParam<compression_level> {
 protected:
  std::unique_ptr<encoder> make(const encoder_limits& limits = {}) { return make_encoder(GetParam(), limits, pool_); }
  engine::buffer_pool pool_{64 * engine::mib};
};

INSTANTIATE_TEST_SUITE_P(levels, compress, testing::ValuesIn(levels), [](const auto& at) { return name_of(at.param); });

std::vector<std::string> some_rows(std::size_t count, std::uint64_t seed = 1) {
  test::text_source source(texture::json, seed);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(source.take(1 + source.below(4'000)));
  return out;
}

// The rows a reader of the body finds, by row_bytes.
std::vector<std::string> rows_in(const body& whole) {
  const std::string text = text_of(whole);
  std::vector<std::string> out;
  std::size_t at = 1;
  for (const std::uint32_t bytes : whole.row_bytes) {
    out.push_back(at + bytes < text.size() ? text.substr(at, bytes) : "missing");
    at += bytes + 1;
  }
  return out;
}

TEST_P(compress, makes_an_array_of_the_rows_and_loses_none) {
  const auto encoder = make();
  const auto rows = some_rows(400);
  append_all(*encoder, make_rows(rows));
  encoder->flush();
  ASSERT_LE(encoder->wire_bytes_bound(), encoder_limits{}.wire_bytes_max);
  const body whole = encoder->finish();
  EXPECT_EQ(text_of(whole), joined(rows));
  EXPECT_EQ(rows_in(whole), rows);
  EXPECT_EQ(whole.raw_bytes, joined(rows).size());
  EXPECT_EQ(whole.gzip, GetParam() != compression_level::none);
}

TEST_P(compress, takes_rows_one_by_one_or_all_at_once_alike) {
  const auto encoder = make();
  const auto rows = some_rows(300);
  for (const std::string& row : rows) append_all(*encoder, make_rows({row}));
  EXPECT_EQ(encoder->row_count(), rows.size());
  EXPECT_EQ(encoder->raw_bytes(), joined(rows).size());
  EXPECT_EQ(text_of(encoder->finish()), joined(rows));
}

TEST_P(compress, makes_a_body_of_one_row) {
  const auto encoder = make();
  append_all(*encoder, make_rows({"{}"}));
  EXPECT_EQ(text_of(encoder->finish()), "[{}]");
}

TEST_P(compress, makes_one_body_after_the_other) {
  const auto encoder = make();
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const auto rows = some_rows(20 + seed * 30, seed);
    append_all(*encoder, make_rows(rows));
    EXPECT_EQ(text_of(encoder->finish()), joined(rows));
    EXPECT_EQ(encoder->row_count(), 0U);
    EXPECT_EQ(encoder->raw_bytes(), 0U);
  }
}

TEST_P(compress, reset_throws_away_what_was_appended) {
  const auto encoder = make();
  append_all(*encoder, make_rows(some_rows(100, 1)));
  encoder->flush();
  append_all(*encoder, make_rows(some_rows(10, 2)));
  encoder->reset();
  EXPECT_EQ(encoder->row_count(), 0U);
  append_all(*encoder, make_rows({"1", "2"}));
  EXPECT_EQ(text_of(encoder->finish()), "[1,2]");
}

TEST_P(compress, appending_nothing_changes_nothing) {
  const auto encoder = make();
  encoder->append({}, {});
  EXPECT_EQ(encoder->row_count(), 0U);
  append_all(*encoder, make_rows({"1"}));
  encoder->append({}, {});
  encoder->flush();
  encoder->flush();
  EXPECT_EQ(text_of(encoder->finish()), "[1]");
}

TEST_P(compress, body_sits_in_a_buffer_of_its_own_size) {
  const auto encoder = make();
  append_all(*encoder, make_rows({"{}"}));
  const body whole = encoder->finish();
  EXPECT_EQ(whole.wire.capacity(), engine::buffer_pool::rounded(whole.wire.size()));
}

TEST_P(compress, a_body_that_outgrows_the_wire_limit_says_so_and_can_be_reset) {
  constexpr encoder_limits limits{.wire_bytes_max = 50'000, .raw_bytes_max = 500'000};
  const auto encoder = make(limits);
  test::text_source source(texture::random_bytes, 7);
  append_all(*encoder, make_rows({source.take(400'000)}));
  encoder->flush();
  EXPECT_GT(encoder->wire_bytes_bound(), limits.wire_bytes_max);
  EXPECT_GT(encoder->wire_bytes_bound_after(100), limits.wire_bytes_max);
  append_all(*encoder, make_rows({source.take(1'000)}));
  EXPECT_GT(encoder->wire_bytes_bound(), limits.wire_bytes_max);
  encoder->reset();
  const auto rows = some_rows(5);
  append_all(*encoder, make_rows(rows));
  EXPECT_EQ(text_of(encoder->finish()), joined(rows));
}

// The promise batch builds on: whatever the bytes and wherever flushes fall, the bound is kept, never raised by a
// flush, and foreseen by wire_bytes_bound_after.
TEST_P(compress, keeps_its_bound_over_adversarial_texts) {
  constexpr encoder_limits limits{.wire_bytes_max = 6 * engine::mib, .raw_bytes_max = 4 * engine::mib};
  const auto encoder = make(limits);
  for (const texture kind : test::textures) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      SCOPED_TRACE(testing::Message() << "texture " << static_cast<int>(kind) << ", seed " << seed);
      test::text_source source(kind, seed);
      std::vector<std::string> rows;
      std::size_t raw = 2;
      const std::size_t raw_max = GetParam() == compression_level::small ? 700'000 : 3'000'000;
      const std::size_t row_bytes_max = seed == 1 ? 300'000 : seed == 2 ? 20'000 : 2'000;
      while (raw < raw_max) {
        std::vector<std::string> run;
        for (std::size_t i = 0; i <= source.below(4); ++i) run.push_back(source.take(1 + source.below(row_bytes_max)));
        const stages::rows in = make_rows(run);
        if (raw + in.text.size() > limits.raw_bytes_max) break;
        const std::size_t foreseen = encoder->wire_bytes_bound_after(in.text.size());
        append_all(*encoder, in);
        EXPECT_LE(encoder->wire_bytes_bound(), foreseen);
        if (source.below(5) == 0) {
          const std::size_t bound = encoder->wire_bytes_bound();
          encoder->flush();
          EXPECT_LE(encoder->wire_bytes_bound(), bound);
        }
        raw += in.text.size();
        rows.insert(rows.end(), run.begin(), run.end());
        if (source.below(12) == 0) break;  // bodies of all sizes
      }
      const std::size_t bound = encoder->wire_bytes_bound();
      const body whole = encoder->finish();
      EXPECT_LE(whole.wire.size(), bound);
      EXPECT_EQ(text_of(whole) == joined(rows), true);
    }
  }
}

TEST_P(compress, bound_is_kept_by_many_small_bodies) {
  const auto encoder = make();
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    test::text_source source(test::textures[seed % std::size(test::textures)], seed);
    const std::vector<std::string> rows = {source.take(1 + source.below(3'000))};
    append_all(*encoder, make_rows(rows));
    if (seed % 3 == 0) encoder->flush();
    const std::size_t bound = encoder->wire_bytes_bound();
    const body whole = encoder->finish();
    ASSERT_LE(whole.wire.size(), bound) << seed;
    ASSERT_EQ(text_of(whole) == joined(rows), true) << seed;
  }
}

TEST_P(compress, says_what_memory_it_holds) {
  const std::size_t bytes = encoder_bytes(GetParam(), {});
  EXPECT_GE(bytes, encoder_limits{}.wire_bytes_max);
  EXPECT_LE(bytes, GetParam() == compression_level::none ? encoder_limits{}.wire_bytes_max : 11 * engine::mib);
  EXPECT_GT(encoder_bytes(GetParam(), {.wire_bytes_max = 2 * engine::mib}), bytes);
}

// Two texts for which one Huffman code serves badly are tried apart and finished together: should the whole come out
// larger than its parts, the parts are sent.
TEST(compress_small, keeps_its_bound_when_the_whole_is_larger_than_its_parts) {
  engine::buffer_pool pool(0);
  const auto encoder = make_encoder(compression_level::small, {}, pool);
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    test::text_source plain(seed % 2 == 0 ? texture::skewed : texture::one_byte, seed);
    test::text_source random(texture::random_bytes, seed);
    std::vector<std::string> rows;
    for (int i = 0; i < 12; ++i) {
      rows.push_back(i % 2 == 0 ? plain.take(200 + plain.below(3'000)) : random.take(200 + random.below(3'000)));
      append_all(*encoder, make_rows({rows.back()}));
      encoder->flush();
    }
    const std::size_t bound = encoder->wire_bytes_bound();
    const body whole = encoder->finish();
    EXPECT_LE(whole.wire.size(), bound);
    EXPECT_EQ(text_of(whole) == joined(rows), true);
  }
}

TEST(compress_fast, compresses_events_by_more_than_three) {
  engine::buffer_pool pool(0);
  const auto encoder = make_encoder(compression_level::fast, {}, pool);
  append_all(*encoder, make_rows(some_rows(500)));
  const body whole = encoder->finish();
  EXPECT_LT(3 * whole.wire.size(), whole.raw_bytes);
}

}  // namespace
}  // namespace stages
