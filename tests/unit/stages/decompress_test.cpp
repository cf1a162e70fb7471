#include "stages/decompress.hpp"

#include <gtest/gtest.h>
#include <libdeflate.h>
#include <lz4.h>
#include <zstd.h>

#include <string>

namespace stages {
namespace {

using engine::byte_view;

std::string sample_text(std::size_t size) {
  std::string text;
  for (std::uint32_t i = 0; text.size() < size; ++i)
    text += R"({"eventId":")" + std::to_string(i * 2654435761U) + R"("},)";
  text.resize(size);
  return text;
}

std::string lz4_of(byte_view text) {
  std::string out(static_cast<std::size_t>(LZ4_compressBound(static_cast<int>(text.size()))), '\0');
  const int size =
      LZ4_compress_default(text.data(), out.data(), static_cast<int>(text.size()), static_cast<int>(out.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

std::string zstd_of(byte_view text, bool with_size = true) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, with_size ? 1 : 0);
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress2(context, out.data(), out.size(), text.data(), text.size()));
  ZSTD_freeCCtx(context);
  return out;
}

std::string deflate_of(byte_view text) {
  libdeflate_compressor* compressor = libdeflate_alloc_compressor(6);
  std::string out(libdeflate_zlib_compress_bound(compressor, text.size()), '\0');
  out.resize(libdeflate_zlib_compress(compressor, text.data(), text.size(), out.data(), out.size()));
  libdeflate_free_compressor(compressor);
  return out;
}

std::string encoded(codec coding, byte_view text) {
  switch (coding) {
    case codec::none:
      return std::string(text);
    case codec::lz4:
      return lz4_of(text);
    case codec::zstd:
      return zstd_of(text);
    case codec::deflate:
      return deflate_of(text);
  }
  return {};
}

fetched_block block_of(codec coding, byte_view bytes, std::uint64_t plain_bytes) {
  fetched_block block;
  block.bytes = engine::buffer(bytes.size());
  block.bytes.append(bytes);
  block.coding = coding;
  block.plain_bytes = plain_bytes;
  return block;
}

class decompress_test : public testing::Test {
 protected:
  std::expected<plain_block, decompress_errc> run(codec coding, byte_view bytes, std::uint64_t plain_bytes) {
    return stage_(block_of(coding, bytes, plain_bytes), storage_);
  }
  void expect_error(codec coding, byte_view bytes, std::uint64_t plain_bytes, decompress_errc wanted) {
    const auto result = run(coding, bytes, plain_bytes);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(name_of(result.error()), name_of(wanted));
  }

  engine::buffer_pool pool_{8 * engine::mib};
  engine::buffer storage_;
  decompress stage_{pool_};
};

constexpr codec all_codecs[] = {codec::none, codec::lz4, codec::zstd, codec::deflate};
constexpr codec compressing_codecs[] = {codec::lz4, codec::zstd, codec::deflate};

TEST_F(decompress_test, gives_back_what_each_codec_packed) {
  for (const codec coding : all_codecs) {
    for (const std::size_t size : {1UL, 63UL, 4096UL, 1'500'000UL}) {
      const std::string text = sample_text(size);
      const auto result = run(coding, encoded(coding, text), size);
      ASSERT_TRUE(result.has_value());
      EXPECT_EQ(result->size, size);
      EXPECT_TRUE(result->view() == text);
      EXPECT_EQ(result->storage, &storage_);
    }
  }
}

TEST_F(decompress_test, puts_spaces_behind_the_end) {
  storage_ = pool_.take(100'000);
  storage_.resize(storage_.capacity());
  std::fill_n(storage_.data(), storage_.capacity(), 'x');
  const std::string text = sample_text(500);
  const auto result = run(codec::lz4, lz4_of(text), text.size());
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(byte_view(storage_.data() + text.size(), padding_bytes), std::string(padding_bytes, ' '));
}

TEST_F(decompress_test, reads_a_zstd_frame_that_does_not_tell_its_size) {
  const std::string text = sample_text(5000);
  const auto result = run(codec::zstd, zstd_of(text, false), text.size());
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(result->view() == text);
}

TEST_F(decompress_test, reads_an_lz4_block_of_literals_only) {
  const auto result = run(codec::lz4, byte_view("\x50hello", 6), 5);
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->view(), "hello");
}

TEST_F(decompress_test, ignores_the_body_when_no_data_is_declared) {
  for (const codec coding : all_codecs) {
    const auto result = run(coding, "whatever", 0);
    ASSERT_TRUE(result.has_value());
    EXPECT_EQ(result->size, 0U);
    EXPECT_EQ(result->view(), "");
  }
}

TEST_F(decompress_test, refuses_a_declared_size_that_is_too_small) {
  const std::string text = sample_text(5000);
  expect_error(codec::none, text, 4999, decompress_errc::size_mismatch);
  expect_error(codec::lz4, lz4_of(text), 4999, decompress_errc::bad_frame);
  expect_error(codec::zstd, zstd_of(text), 4999, decompress_errc::size_mismatch);
  expect_error(codec::zstd, zstd_of(text, false), 4999, decompress_errc::size_mismatch);
  expect_error(codec::deflate, deflate_of(text), 4999, decompress_errc::size_mismatch);
}

TEST_F(decompress_test, refuses_a_declared_size_that_is_too_large) {
  const std::string text = sample_text(5000);
  for (const codec coding : all_codecs) {
    expect_error(coding, encoded(coding, text), 5001, decompress_errc::size_mismatch);
  }
  expect_error(codec::zstd, zstd_of(text, false), 5001, decompress_errc::size_mismatch);
}

TEST_F(decompress_test, refuses_every_truncation) {
  const std::string text = sample_text(3000);
  for (const codec coding : compressing_codecs) {
    const std::string whole = encoded(coding, text);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      EXPECT_FALSE(run(coding, byte_view(whole).substr(0, size), text.size()).has_value());
    }
  }
}

TEST_F(decompress_test, refuses_bytes_after_the_end) {
  const std::string text = sample_text(3000);
  for (const codec coding : compressing_codecs) {
    EXPECT_FALSE(run(coding, encoded(coding, text) + "more", text.size()).has_value());
  }
}

TEST_F(decompress_test, refuses_a_changed_checksum_as_a_bad_frame) {
  const std::string text = sample_text(3000);
  std::string packed = deflate_of(text);
  packed.back() = static_cast<char>(packed.back() ^ 1);
  expect_error(codec::deflate, packed, text.size(), decompress_errc::bad_frame);
}

TEST_F(decompress_test, refuses_a_zstd_stream_that_begins_with_another_frame) {
  const std::string text = sample_text(100);
  const std::string skippable("\x50\x2a\x4d\x18\x04\0\0\0abcd", 12);
  expect_error(codec::zstd, skippable + zstd_of(text), text.size(), decompress_errc::bad_frame);
}

TEST_F(decompress_test, survives_garbage_in_every_codec) {
  std::uint64_t state = 88172645463325252U;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes;
    for (std::uint64_t i = 0; i < 1 + state % 200; ++i) {
      state ^= state << 13;
      state ^= state >> 7;
      state ^= state << 17;
      bytes += static_cast<char>(state);
    }
    const codec coding = compressing_codecs[round % 3];
    if (coding == codec::zstd) bytes.insert(0, "\x28\xb5\x2f\xfd");
    const auto result = run(coding, bytes, 1000);
    if (result.has_value()) {
      EXPECT_EQ(result->size, 1000U);
    }
  }
}

TEST_F(decompress_test, refuses_a_claim_of_four_gibibytes_before_allocating) {
  for (const codec coding : all_codecs) {
    expect_error(coding, "abc", 4 * engine::gib, decompress_errc::too_large);
    expect_error(coding, "abc", ~std::uint64_t{0}, decompress_errc::too_large);
  }
  expect_error(codec::lz4, "abc", plain_bytes_max + 1, decompress_errc::too_large);
  EXPECT_EQ(storage_.capacity(), 0U);
}

TEST_F(decompress_test, accepts_the_largest_block) {
  const std::string text(plain_bytes_max, 'a');
  const auto result = run(codec::lz4, lz4_of(text), text.size());
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(result->view() == text);
}

TEST_F(decompress_test, keeps_storage_that_is_large_enough) {
  const std::string large = sample_text(100'000);
  ASSERT_TRUE(run(codec::lz4, lz4_of(large), large.size()).has_value());
  const char* const where = storage_.data();
  const std::string small = sample_text(100);
  ASSERT_TRUE(run(codec::zstd, zstd_of(small), small.size()).has_value());
  EXPECT_EQ(storage_.data(), where);
}

TEST_F(decompress_test, works_again_after_a_failure) {
  const std::string text = sample_text(3000);
  for (const codec coding : all_codecs) {
    EXPECT_FALSE(run(coding, "\x28\xb5\x2f\xfd nonsense", text.size()).has_value());
    const auto result = run(coding, encoded(coding, text), text.size());
    ASSERT_TRUE(result.has_value());
    EXPECT_TRUE(result->view() == text);
  }
}

TEST_F(decompress_test, leaves_the_reply_as_it_was) {
  const std::string text = sample_text(3000);
  const fetched_block block = block_of(codec::lz4, lz4_of(text), text.size());
  ASSERT_TRUE(stage_(block, storage_).has_value());
  EXPECT_EQ(block.bytes.view(), lz4_of(text));
}

TEST(decompress, names_the_class_of_each_error) {
  EXPECT_EQ(fault_of(decompress_errc::bad_frame), engine::fault::malformed);
  EXPECT_EQ(fault_of(decompress_errc::size_mismatch), engine::fault::malformed);
  EXPECT_EQ(fault_of(decompress_errc::too_large), engine::fault::refused);
}

}  // namespace
}  // namespace stages
