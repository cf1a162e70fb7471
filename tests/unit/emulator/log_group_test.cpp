#include "tools/emulator/sls/log_group.hpp"

#include <gtest/gtest.h>

using namespace std::string_literals;

namespace emulator::sls {
namespace {

TEST(log_group, reads_back_what_was_written) {
  log_group_writer writer;
  writer.add_log(1'795'132'800, 123'456'789, "event", "{\"a\":1}");
  writer.add_log(-1, std::nullopt, "event", std::string(300, 'x'));
  EXPECT_EQ(writer.logs(), 2U);
  const auto bytes = writer.finish("topic", "source", {{"__receive_time__", "5"}});
  EXPECT_EQ(writer.logs(), 0U);
  const auto group = read_log_group(bytes);
  ASSERT_TRUE(group.has_value()) << group.error();
  EXPECT_EQ(group->topic, "topic");
  EXPECT_EQ(group->source, "source");
  ASSERT_EQ(group->tags.size(), 1U);
  EXPECT_EQ(group->tags[0].first, "__receive_time__");
  EXPECT_EQ(group->tags[0].second, "5");
  ASSERT_EQ(group->logs.size(), 2U);
  EXPECT_EQ(group->logs[0].time_s, 1'795'132'800);
  EXPECT_EQ(group->logs[0].time_ns, 123'456'789U);
  EXPECT_EQ(group->logs[0].contents[0].second, "{\"a\":1}");
  EXPECT_EQ(group->logs[1].time_s, -1);
  EXPECT_FALSE(group->logs[1].time_ns);
}

TEST(log_group, bytes_are_those_of_the_published_schema) {
  log_group_writer writer;
  writer.add_log(1, 2, "k", "v");
  EXPECT_EQ(writer.finish("t", "s", {{"a", "b"}}),
            "\x0a\x0f\x08\x01\x12\x06\x0a\x01k\x12\x01v\x25\x02\x00\x00\x00\x1a\x01t\x22\x01s\x32\x06\x0a\x01"s +
                "a\x12\x01"s + "b"s);
}

TEST(log_group, unknown_fields_are_skipped) {
  const auto group = read_log_group("\x38\x05\x41"s + "12345678"s + "\x0a\x02\x08\x07"s);
  ASSERT_TRUE(group.has_value());
  ASSERT_EQ(group->logs.size(), 1U);
  EXPECT_EQ(group->logs[0].time_s, 7);
}

TEST(log_group, damage_is_named) {
  const auto problem = [](std::string_view bytes) {
    const auto group = read_log_group(bytes);
    return group ? "" : group.error();
  };
  EXPECT_EQ(problem("\x0a\x05"s), "the log group is not protobuf");
  EXPECT_EQ(problem("\x0a\x00"s), "a log lacks its time");
  EXPECT_EQ(problem("\x0a\x02\x12\x00"s), "a pair lacks its key or its value");
  EXPECT_EQ(problem("\x0a\x07\x08\x01\x12\x03\x0a\x01k"s), "a pair lacks its key or its value");
  EXPECT_EQ(problem("\x0b\x0c"s), "the log group is not protobuf");  // protobuf groups
  EXPECT_EQ(problem("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"s), "the log group is not protobuf");
  EXPECT_EQ(problem("\x00"s), "the log group is not protobuf");
}

}  // namespace
}  // namespace emulator::sls
