#include "tools/emulator/sls/coding.hpp"

#include <gtest/gtest.h>

namespace emulator::sls {
namespace {

constexpr coding all_codings[] = {coding::none, coding::lz4, coding::zstd, coding::deflate};

TEST(coding, every_coding_gives_back_what_it_was_given) {
  for (const auto how : all_codings) {
    for (const std::size_t size : {0U, 1U, 1000U, 300'000U}) {
      std::string plain(size, 'x');
      for (std::size_t i = 0; i < size; i += 3) plain[i] = static_cast<char>(i * 2654435761U >> 13U);
      EXPECT_EQ(decompress(how, compress(how, plain), plain.size()), plain) << name_of(how) << size;
    }
  }
}

TEST(coding, another_size_or_damaged_bytes_are_refused) {
  const std::string plain(1000, 'x');
  for (const auto how : all_codings) {
    const auto packed = compress(how, plain);
    EXPECT_FALSE(decompress(how, packed, 999)) << name_of(how);
    EXPECT_FALSE(decompress(how, packed, 1001)) << name_of(how);
    EXPECT_FALSE(decompress(how, packed.substr(0, packed.size() - 1), 1000)) << name_of(how);
  }
}

TEST(coding, accept_encoding_prefers_lz4_and_takes_gzip_as_deflate) {
  EXPECT_EQ(accepted_coding("lz4"), coding::lz4);
  EXPECT_EQ(accepted_coding("deflate, zstd, lz4"), coding::lz4);
  EXPECT_EQ(accepted_coding("deflate, zstd"), coding::zstd);
  EXPECT_EQ(accepted_coding("gzip"), coding::deflate);
  EXPECT_EQ(accepted_coding(""), coding::none);
  EXPECT_EQ(accepted_coding("identity"), coding::none);
}

TEST(coding, names_are_those_of_the_compress_type_header) {
  for (const auto how : all_codings) EXPECT_EQ(coding_named(name_of(how)), how);
  EXPECT_FALSE(coding_named("snappy"));
}

}  // namespace
}  // namespace emulator::sls
