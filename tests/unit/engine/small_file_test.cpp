#include "engine/host/small_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <string>

#include "engine/base/units.hpp"
#include "host_test_support.hpp"

namespace engine {
namespace {

// The text, or "error: " and why not.
std::string read(const std::filesystem::path& path, std::size_t bytes_max = 64 * kib) {
  const auto text = read_small_file(path, bytes_max);
  return text ? *text : "error: " + text.error();
}

std::string numbered(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 7 % 251);
  return text;
}

TEST(small_file, gives_the_bytes_as_they_are) {
  const temporary_directory root;
  for (const std::string& text :
       {std::string(), std::string("a"), std::string("line\r\n\n"), std::string("\0\xff\0", 3)}) {
    write_whole(root / "f", text);
    EXPECT_EQ(read(root / "f"), text);
  }
}

// The file is read in steps of 16 KiB.
TEST(small_file, reads_every_size_around_its_steps_and_its_limit) {
  const temporary_directory root;
  for (const std::size_t step : {16 * kib, 32 * kib, 48 * kib}) {
    for (const std::size_t size : {step - 1, step, step + 1}) {
      const std::string text = numbered(size);
      write_whole(root / "f", text);
      EXPECT_EQ(read(root / "f", 64 * kib), text) << size;
      EXPECT_EQ(read(root / "f", size), text) << size;
      EXPECT_EQ(read(root / "f", size + 1), text) << size;
      EXPECT_EQ(read(root / "f", size - 1), "error: is larger than " + format_size(size - 1)) << size;
    }
  }
}

TEST(small_file, refuses_one_byte_too_many) {
  const temporary_directory root;
  write_whole(root / "f", "ab");
  EXPECT_EQ(read(root / "f", 2), "ab");
  EXPECT_EQ(read(root / "f", 1), "error: is larger than 1B");
  EXPECT_EQ(read(root / "f", 0), "error: is larger than 0B");
  write_whole(root / "f", "");
  EXPECT_EQ(read(root / "f", 0), "");
  // Far larger than the limit: not read whole first.
  std::filesystem::resize_file(root / "f", std::size_t{1} << 30);
  EXPECT_EQ(read(root / "f", 4 * mib), "error: is larger than 4MiB");
}

TEST(small_file, believes_no_size_that_a_file_claims) {
  ASSERT_EQ(std::filesystem::file_size("/proc/self/status"), 0u);
  const std::string text = read("/proc/self/status");
  EXPECT_NE(text.find("\nPid:\t" + std::to_string(::getpid()) + "\n"), std::string::npos) << text;
  EXPECT_EQ(read("/proc/self/status", 10), "error: is larger than 10B");
}

TEST(small_file, follows_links) {
  const temporary_directory root;
  write_whole(root / "f", "text");
  std::filesystem::create_symlink("f", root / "link");
  EXPECT_EQ(read(root / "link"), "text");
  std::filesystem::create_symlink("absent", root / "dangling");
  EXPECT_EQ(read(root / "dangling"), "error: cannot be read: No such file or directory");
  std::filesystem::create_symlink("circle", root / "circle");
  EXPECT_EQ(read(root / "circle"), "error: cannot be read: Too many levels of symbolic links");
}

TEST(small_file, reads_no_directory_no_device_and_no_pipe_and_waits_for_none) {
  const temporary_directory root;
  ASSERT_EQ(::mkfifo((root / "pipe").c_str(), 0600), 0);
  std::filesystem::create_symlink("/dev/zero", root / "zeros");
  for (const std::string& path : {root.path(), root / "pipe", root / "zeros", std::string("/dev/null")}) {
    EXPECT_EQ(read(path), "error: is not a regular file") << path;
  }
}

TEST(small_file, says_why_it_cannot_be_read) {
  const temporary_directory root;
  write_whole(root / "f", "text");
  EXPECT_EQ(read(root / "absent"), "error: cannot be read: No such file or directory");
  EXPECT_EQ(read(root / "f/x"), "error: cannot be read: Not a directory");
  EXPECT_EQ(read(""), "error: cannot be read: No such file or directory");
  EXPECT_EQ(read(root / std::string(300, 'x')), "error: cannot be read: File name too long");
}

std::ptrdiff_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return std::distance(begin(all), end(all));
}

TEST(small_file, leaves_no_descriptor_open) {
  const temporary_directory root;
  write_whole(root / "f", "text");
  const auto before = open_descriptors();
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(read(root / "f"), "text");
    EXPECT_EQ(read(root / "f", 3), "error: is larger than 3B");
    EXPECT_EQ(read(root.path()), "error: is not a regular file");
  }
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace engine
