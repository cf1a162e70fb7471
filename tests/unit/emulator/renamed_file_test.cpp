#include "tools/emulator/renamed_file.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace emulator {
namespace {

TEST(renamed_file, replaces_the_file_whole_and_leaves_nothing_beside_it) {
  const auto path = std::filesystem::path(testing::TempDir()) / "penstock_renamed_file_test";
  write_renamed(path.string(), "first, longer");
  write_renamed(path.string(), "second");
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), "second");
  EXPECT_FALSE(std::filesystem::exists(path.string() + ".part"));
  const auto others = std::filesystem::perms::group_all | std::filesystem::perms::others_all;
  EXPECT_EQ(std::filesystem::status(path).permissions() & others, std::filesystem::perms::none);
  std::filesystem::remove(path);
}

TEST(renamed_file, a_path_that_cannot_be_written_is_an_error_naming_it) {
  try {
    write_renamed("/nowhere/at/all", "x");
    FAIL() << "written";
  } catch (const std::runtime_error& refused) {
    EXPECT_STREQ(refused.what(), "cannot write /nowhere/at/all");
  }
}

}  // namespace
}  // namespace emulator
