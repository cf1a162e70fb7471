#include "tools/emulator/sls/hash_range.hpp"

#include <gtest/gtest.h>

namespace emulator::sls {
namespace {

TEST(hash_range, keys_are_32_hex_digits_and_short_ones_left_aligned) {
  EXPECT_EQ(hex32(hash_key_of("14d2f850ad6ea48e46e4547edbbb27e0").value()), "14d2f850ad6ea48e46e4547edbbb27e0");
  EXPECT_EQ(hex32(hash_key_of("8").value()), "8" + std::string(31, '0'));
  EXPECT_EQ(hash_key_of("ABCDEF"), hash_key_of("abcdef"));
  EXPECT_FALSE(hash_key_of(""));
  EXPECT_FALSE(hash_key_of("xyz"));
  EXPECT_FALSE(hash_key_of(std::string(33, '0')));
}

TEST(hash_range, even_bounds_cover_the_range_without_gaps) {
  for (std::size_t parts = 1; parts <= 64; ++parts) {
    const auto bounds = even_bounds(0, hash_key_max, parts);
    ASSERT_EQ(bounds.size(), parts + 1);
    EXPECT_TRUE(bounds.front() == 0);
    EXPECT_TRUE(bounds.back() == hash_key_max);
    for (std::size_t i = 0; i < parts; ++i) EXPECT_TRUE(bounds[i] < bounds[i + 1]) << parts;
  }
  EXPECT_EQ(hex32(even_bounds(0, hash_key_max, 2)[1]), "8" + std::string(31, '0'));
}

}  // namespace
}  // namespace emulator::sls
