#include "tools/emulator/sls/reply_cache.hpp"

#include <gtest/gtest.h>

namespace emulator::sls {
namespace {

reply_cache::reply body(std::size_t size) { return {std::make_shared<const std::string>(size, 'x'), 7}; }
reply_cache::key at(std::uint64_t first) { return {nullptr, first, first + 1, coding::zstd}; }

TEST(reply_cache, gives_back_what_it_keeps) {
  reply_cache cache(1000);
  EXPECT_EQ(cache.find(at(1)).body, nullptr);
  cache.keep(at(1), body(10));
  ASSERT_NE(cache.find(at(1)).body, nullptr);
  EXPECT_EQ(cache.find(at(1)).raw_size, 7U);
  EXPECT_EQ(cache.find({nullptr, 1, 2, coding::none}).body, nullptr);
}

TEST(reply_cache, forgets_the_least_recently_used_beyond_its_size) {
  reply_cache cache(100);
  cache.keep(at(1), body(40));
  cache.keep(at(2), body(40));
  EXPECT_NE(cache.find(at(1)).body, nullptr);
  cache.keep(at(3), body(40));
  EXPECT_NE(cache.find(at(1)).body, nullptr);
  EXPECT_EQ(cache.find(at(2)).body, nullptr);
  EXPECT_NE(cache.find(at(3)).body, nullptr);
}

TEST(reply_cache, does_not_keep_what_is_larger_than_itself) {
  reply_cache cache(100);
  cache.keep(at(1), body(50));
  cache.keep(at(2), body(101));
  EXPECT_NE(cache.find(at(1)).body, nullptr);
  EXPECT_EQ(cache.find(at(2)).body, nullptr);
}

}  // namespace
}  // namespace emulator::sls
