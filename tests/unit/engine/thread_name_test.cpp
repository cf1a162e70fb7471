#include "engine/host/thread_name.hpp"

#include <gtest/gtest.h>
#include <pthread.h>

#include <array>
#include <string>
#include <thread>

namespace engine {
namespace {

std::string name_here() {
  std::array<char, 16> name{};
  ::pthread_getname_np(::pthread_self(), name.data(), name.size());
  return name.data();
}

// What a fresh thread is called after `give` has run in it.
template <class Give>
std::string name_after(Give give) {
  std::string name;
  std::thread([&] {
    give();
    name = name_here();
  }).join();
  return name;
}

TEST(thread_name, is_the_prefix_and_the_number) {
  EXPECT_EQ(name_after([] { name_this_thread("io-", 3); }), "io-3");
  EXPECT_EQ(name_after([] { name_this_thread("cpu-", 4294967295u); }), "cpu-4294967295");
  EXPECT_EQ(name_after([] { name_this_thread(std::string_view("io-and-more").substr(0, 3), 0); }), "io-0");
}

TEST(thread_name, is_the_text_given) {
  EXPECT_EQ(name_after([] { name_this_thread("store"); }), "store");
  EXPECT_EQ(name_after([] { name_this_thread(""); }), "");
}

// The kernel refuses a longer name and keeps the old one.
TEST(thread_name, is_cut_to_what_the_kernel_keeps) {
  EXPECT_EQ(name_after([] { name_this_thread("123456789012345"); }), "123456789012345");
  EXPECT_EQ(name_after([] { name_this_thread("1234567890123456"); }), "123456789012345");
  EXPECT_EQ(name_after([] { name_this_thread("a-very-long-prefix-", 7); }), "a-very-long-pre");
}

TEST(thread_name, belongs_to_one_thread_alone) {
  const std::string before = name_here();
  EXPECT_EQ(name_after([] { name_this_thread("other"); }), "other");
  EXPECT_EQ(name_here(), before);
}

}  // namespace
}  // namespace engine
