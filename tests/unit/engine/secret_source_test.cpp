#include "engine/host/secret_source.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "engine/host/small_file.hpp"

namespace engine {
namespace {

class secret_source_test : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "penstock-secret-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  void write(const std::string& name, std::string_view text) {
    std::ofstream(directory_ / name, std::ios::binary) << text;
  }
  std::string resolved(const std::string& reference) {
    const auto value = secret_source(directory_, [](const std::string& name) -> std::optional<std::string> {
                         if (name == "SET") return "from env";
                         if (name == "EMPTY") return "";
                         if (name == "ONLY_NEWLINE") return "\n";
                         if (name == "TWO_LINES") return "a\nb";
                         return std::nullopt;
                       }).resolve(reference);
    return value ? "=" + std::string(value->reveal()) : value.error();
  }
  std::string path(const std::string& name) { return (directory_ / name).string(); }

  std::filesystem::path directory_;
};

TEST_F(secret_source_test, reads_the_environment) { EXPECT_EQ(resolved("${env:SET}"), "=from env"); }

TEST_F(secret_source_test, reads_files_beside_the_configuration_and_absolute_ones) {
  write("sk", "from file");
  EXPECT_EQ(resolved("${file:sk}"), "=from file");
  EXPECT_EQ(resolved("${file:" + path("sk") + "}"), "=from file");
}

TEST_F(secret_source_test, trims_line_ends_and_nothing_else) {
  write("a", " value \n");
  write("b", "value\r\n");
  EXPECT_EQ(resolved("${file:a}"), "= value ");
  EXPECT_EQ(resolved("${file:b}"), "=value");
}

TEST_F(secret_source_test, refuses_what_is_not_set_or_empty) {
  write("empty", "");
  write("newline", "\n");
  EXPECT_EQ(resolved("${env:NOT_SET}"), "environment variable NOT_SET is not set (${env:NAME} or ${file:PATH})");
  EXPECT_EQ(resolved("${env:EMPTY}"), "environment variable EMPTY is empty (${env:NAME} or ${file:PATH})");
  EXPECT_EQ(resolved("${env:ONLY_NEWLINE}"),
            "environment variable ONLY_NEWLINE is empty (${env:NAME} or ${file:PATH})");
  EXPECT_EQ(resolved("${file:empty}"), "file " + path("empty") + " is empty (${env:NAME} or ${file:PATH})");
  EXPECT_EQ(resolved("${file:newline}"), "file " + path("newline") + " is empty (${env:NAME} or ${file:PATH})");
}

TEST_F(secret_source_test, refuses_values_that_could_break_a_request) {
  write("nul", std::string_view("a\0b", 3));
  EXPECT_EQ(resolved("${env:TWO_LINES}"),
            "environment variable TWO_LINES has a line break or control character (${env:NAME} or ${file:PATH})");
  EXPECT_EQ(resolved("${file:nul}"),
            "file " + path("nul") + " has a line break or control character (${env:NAME} or ${file:PATH})");
}

TEST_F(secret_source_test, refuses_files_that_cannot_be_read) {
  EXPECT_EQ(resolved("${file:absent}"),
            "file " + path("absent") + " cannot be read: No such file or directory (${env:NAME} or ${file:PATH})");
  EXPECT_EQ(resolved("${file:.}"), "file " + path(".") + " is not a regular file (${env:NAME} or ${file:PATH})");
  EXPECT_EQ(resolved("${file:/dev/zero}"), "file /dev/zero is not a regular file (${env:NAME} or ${file:PATH})");
}

TEST_F(secret_source_test, does_not_wait_for_a_pipe_without_writer) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(resolved("${file:pipe}"), "file " + path("pipe") + " is not a regular file (${env:NAME} or ${file:PATH})");
}

TEST_F(secret_source_test, takes_64_kib_and_refuses_one_byte_more) {
  write("largest", std::string(64 * kib, 'x'));
  write("larger", std::string(64 * kib + 1, 'x'));
  EXPECT_EQ(resolved("${file:largest}").size(), 64 * kib + 1);
  EXPECT_EQ(resolved("${file:larger}"),
            "file " + path("larger") + " is larger than 64KiB (${env:NAME} or ${file:PATH})");
}

TEST_F(secret_source_test, refuses_references_that_are_not_whole_or_not_known) {
  const std::string whole = "a reference must be the whole value (${env:NAME} or ${file:PATH})";
  const std::string kind = "unknown kind of reference (${env:NAME} or ${file:PATH})";
  EXPECT_EQ(resolved("x${env:SET}"), whole);
  EXPECT_EQ(resolved("${env:SET}x"), whole);
  EXPECT_EQ(resolved("${env:SET"), whole);
  EXPECT_EQ(resolved("${env:SET}${env:SET}"), whole);
  EXPECT_EQ(resolved("${SET}"), kind);
  EXPECT_EQ(resolved("${ENV:SET}"), kind);
  EXPECT_EQ(resolved("${vault:x}"), kind);
  EXPECT_EQ(resolved("${}"), kind);
  EXPECT_EQ(resolved("${env:}"), "the reference names nothing (${env:NAME} or ${file:PATH})");
  EXPECT_EQ(resolved("${file:}"), "the reference names nothing (${env:NAME} or ${file:PATH})");
  EXPECT_EQ(resolved("${env:A\nB}"), "the reference has a control character (${env:NAME} or ${file:PATH})");
}

TEST_F(secret_source_test, sees_references_and_leaves_other_texts_alone) {
  EXPECT_TRUE(secret_source::is_reference("${env:A}"));
  EXPECT_TRUE(secret_source::is_reference("x${"));
  EXPECT_FALSE(secret_source::is_reference("$env:A"));
  EXPECT_FALSE(secret_source::is_reference("pa$$word"));
}

TEST_F(secret_source_test, sees_a_rotated_value_at_the_next_call) {
  write("sk", "old");
  EXPECT_EQ(resolved("${file:sk}"), "=old");
  write("sk", "new");
  EXPECT_EQ(resolved("${file:sk}"), "=new");
}

TEST_F(secret_source_test, process_environment_tells_unset_from_empty) {
  ASSERT_EQ(::setenv("PENSTOCK_TEST_VARIABLE", "", 1), 0);
  EXPECT_EQ(process_environment()("PENSTOCK_TEST_VARIABLE"), "");
  ASSERT_EQ(::unsetenv("PENSTOCK_TEST_VARIABLE"), 0);
  EXPECT_EQ(process_environment()("PENSTOCK_TEST_VARIABLE"), std::nullopt);
}

}  // namespace
}  // namespace engine
