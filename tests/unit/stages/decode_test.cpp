#include "stages/decode.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "tests/support/log_group_builder.hpp"

namespace stages {
namespace {

using tests::bytes_field;
using tests::fixed32_field;
using tests::fixed64_field;
using tests::group_list;
using tests::log_group_builder;
using tests::log_message;
using tests::pair_message;
using tests::varint;
using tests::varint_field;

class decode_test : public testing::Test {
 protected:
  bool run(std::string_view bytes, std::optional<std::uint64_t> group_count = std::nullopt) {
    block_.emplace(bytes);
    return decode(block_->block(), group_count, out_).has_value();
  }
  bool run_group(std::string_view group) { return run(bytes_field(1, group)); }
  bool run_log(std::string_view log) { return run_group(bytes_field(1, log)); }

  std::optional<tests::padded_block> block_;
  log_groups out_;
};

TEST_F(decode_test, gives_the_event_time_topic_source_and_tags) {
  const std::string list =
      group_list({log_group_builder()
                      .log({{"event", R"({"eventId":"1"})"}, {"owner_id", "12"}}, 1669000000, 123456789)
                      .event("second")
                      .topic("actiontrail_audit_event")
                      .source("actiontrail_internal")
                      .tag("__pack_id__", "AB-1")
                      .tag("__receive_time__", "1669000001")});
  ASSERT_TRUE(run(list, 1));
  ASSERT_EQ(out_.groups.size(), 1U);
  EXPECT_EQ(out_.groups[0].topic, "actiontrail_audit_event");
  EXPECT_EQ(out_.groups[0].source, "actiontrail_internal");
  EXPECT_EQ(out_.groups[0].receive_time_s, 1669000001);
  ASSERT_EQ(out_.tags.size(), 2U);
  EXPECT_EQ(out_.groups[0].tags_first, 0U);
  EXPECT_EQ(out_.groups[0].tags_last, 2U);
  EXPECT_EQ(out_.tags[0].key, "__pack_id__");
  EXPECT_EQ(out_.tags[0].value, "AB-1");
  ASSERT_EQ(out_.logs.size(), 2U);
  EXPECT_EQ(out_.logs[0].event, R"({"eventId":"1"})");
  EXPECT_EQ(out_.logs[0].time_s, 1669000000U);
  EXPECT_EQ(out_.logs[0].time_ns, 123456789U);
  EXPECT_EQ(out_.logs[1].event, "second");
  EXPECT_EQ(out_.logs[1].time_ns, 0U);
  EXPECT_TRUE(out_.loose.empty());
}

TEST_F(decode_test, copies_nothing) {
  ASSERT_TRUE(run(group_list({log_group_builder().event("{}")})));
  const byte_view plain = block_->block().view();
  EXPECT_GE(out_.logs[0].event.data(), plain.data());
  EXPECT_LE(out_.logs[0].event.data() + 2, plain.data() + plain.size());
}

TEST_F(decode_test, tells_which_group_each_log_came_in) {
  ASSERT_TRUE(run(group_list({log_group_builder().event("a").tag("k", "1"), log_group_builder(),
                              log_group_builder().event("b").event("c").tag("k", "2").topic("t")}),
                  3));
  ASSERT_EQ(out_.logs.size(), 3U);
  EXPECT_EQ(out_.logs[0].group, 0U);
  EXPECT_EQ(out_.logs[1].group, 2U);
  EXPECT_EQ(out_.logs[2].group, 2U);
  EXPECT_EQ(out_.groups[1].tags_first, out_.groups[1].tags_last);
  EXPECT_EQ(out_.tags[out_.groups[2].tags_first].value, "2");
  EXPECT_EQ(out_.groups[0].topic, "");
  EXPECT_EQ(out_.groups[2].topic, "t");
}

TEST_F(decode_test, keeps_the_encoded_log_as_the_original) {
  const std::string message = log_message({{"other", "x"}});
  ASSERT_TRUE(run_log(message));
  EXPECT_EQ(out_.logs[0].message, message);
  EXPECT_EQ(out_.logs[0].event.data(), nullptr);
}

TEST_F(decode_test, lets_the_last_of_two_event_contents_win) {
  ASSERT_TRUE(run_log(log_message({{"event", "first"}, {"event", "second"}})));
  EXPECT_EQ(out_.logs[0].event, "second");
}

TEST_F(decode_test, tells_an_empty_event_from_a_missing_one) {
  ASSERT_TRUE(run_group(bytes_field(1, log_message({{"event", ""}})) + bytes_field(1, log_message({})) +
                        bytes_field(1, bytes_field(2, bytes_field(1, "event")))));
  ASSERT_EQ(out_.logs.size(), 3U);
  EXPECT_NE(out_.logs[0].event.data(), nullptr);
  EXPECT_EQ(out_.logs[0].event, "");
  EXPECT_EQ(out_.logs[1].event.data(), nullptr);
  EXPECT_NE(out_.logs[2].event.data(), nullptr);
}

TEST_F(decode_test, collects_dotted_contents_of_logs_without_an_event) {
  ASSERT_TRUE(run_group(bytes_field(1, log_message({{"event.eventId", "1"}, {"x", "y"}, {"event.a.b", "2"}})) +
                        bytes_field(1, log_message({{"event.eventId", "3"}, {"event", "{}"}, {"event.z", "4"}})) +
                        bytes_field(1, log_message({{"event.eventId", "5"}, {"events", "6"}, {"eventx.y", "7"}}))));
  ASSERT_EQ(out_.logs.size(), 3U);
  EXPECT_EQ(out_.logs[0].loose_first, 0U);
  EXPECT_EQ(out_.logs[0].loose_last, 2U);
  EXPECT_EQ(out_.loose[1].key, "event.a.b");
  EXPECT_EQ(out_.loose[1].value, "2");
  EXPECT_EQ(out_.logs[1].loose_first, out_.logs[1].loose_last);
  EXPECT_EQ(out_.logs[2].loose_first, 2U);
  EXPECT_EQ(out_.logs[2].loose_last, 3U);
  EXPECT_EQ(out_.loose[2].value, "5");
  EXPECT_EQ(out_.loose.size(), 3U);
}

TEST_F(decode_test, skips_unknown_fields_of_every_wire_type_at_every_level) {
  const std::string unknown = varint_field(100, ~std::uint64_t{0}) + fixed64_field(101, 7) + fixed32_field(102, 8) +
                              bytes_field(103, "skipped") + bytes_field(536'870'911, "");
  const std::string content = unknown + bytes_field(1, "event") + unknown + bytes_field(2, "{}") + unknown;
  const std::string log = unknown + varint_field(1, 5) + bytes_field(2, content) + bytes_field(3, "values") + unknown;
  const std::string group =
      unknown + bytes_field(1, log) + bytes_field(2, "category") + bytes_field(5, "machine") + unknown;
  ASSERT_TRUE(run(unknown + bytes_field(1, group) + unknown, 1));
  ASSERT_EQ(out_.logs.size(), 1U);
  EXPECT_EQ(out_.logs[0].event, "{}");
  EXPECT_EQ(out_.logs[0].time_s, 5U);
}

TEST_F(decode_test, skips_known_fields_of_another_type) {
  const std::string log =
      fixed32_field(1, 7) + varint_field(2, 1) + varint_field(4, 9) + bytes_field(2, pair_message("event", "{}"));
  ASSERT_TRUE(run_group(bytes_field(1, log) + varint_field(1, 3) + varint_field(3, 3) + fixed64_field(6, 1)));
  ASSERT_EQ(out_.logs.size(), 1U);
  EXPECT_EQ(out_.logs[0].event, "{}");
  EXPECT_EQ(out_.logs[0].time_s, 0U);
  EXPECT_EQ(out_.logs[0].time_ns, 0U);
}

TEST_F(decode_test, takes_a_missing_or_impossible_time_as_none) {
  ASSERT_TRUE(run_group(bytes_field(1, log_message({{"event", "{}"}}, std::nullopt)) +
                        bytes_field(1, varint_field(1, std::uint64_t{1} << 32)) +
                        bytes_field(1, varint_field(1, 0xffff'ffffU) + fixed32_field(4, 1'000'000'000)) +
                        bytes_field(1, fixed32_field(4, 999'999'999))));
  ASSERT_EQ(out_.logs.size(), 4U);
  EXPECT_EQ(out_.logs[0].time_s, 0U);
  EXPECT_EQ(out_.logs[1].time_s, 0U);
  EXPECT_EQ(out_.logs[2].time_s, 0xffff'ffffU);
  EXPECT_EQ(out_.logs[2].time_ns, 0U);
  EXPECT_EQ(out_.logs[3].time_ns, 999'999'999U);
}

TEST_F(decode_test, tolerates_pairs_that_lack_a_part) {
  ASSERT_TRUE(run_group(bytes_field(1, bytes_field(2, bytes_field(2, "no key"))) +
                        bytes_field(6, bytes_field(2, "no key")) + bytes_field(6, bytes_field(1, "no value")) +
                        bytes_field(6, "")));
  ASSERT_EQ(out_.logs.size(), 1U);
  EXPECT_EQ(out_.logs[0].event.data(), nullptr);
  ASSERT_EQ(out_.tags.size(), 1U);
  EXPECT_EQ(out_.tags[0].key, "no value");
  EXPECT_EQ(out_.tags[0].value, "");
}

TEST_F(decode_test, reads_a_receive_time_that_is_no_number_as_none) {
  for (const char* text : {"", "x", "12x", "99999999999999999999", " 1"}) {
    ASSERT_TRUE(run(group_list({log_group_builder().tag("__receive_time__", text)})));
    EXPECT_EQ(out_.groups[0].receive_time_s, 0);
  }
}

TEST_F(decode_test, decodes_nothing_to_nothing) {
  EXPECT_TRUE(run(""));
  EXPECT_TRUE(run("", 0));
  EXPECT_FALSE(run("", 1));
  EXPECT_TRUE(decode(plain_block{}, 0, out_).has_value());
  EXPECT_TRUE(out_.groups.empty());
}

TEST_F(decode_test, refuses_another_number_of_groups_than_announced) {
  const std::string list = group_list({log_group_builder().event("{}"), log_group_builder().event("{}")});
  EXPECT_TRUE(run(list, 2));
  EXPECT_EQ(out_.logs.size(), 2U);
  EXPECT_FALSE(run(list, 1));
  EXPECT_FALSE(run(list, 3));
  EXPECT_TRUE(out_.logs.empty());
  EXPECT_TRUE(out_.groups.empty());
}

TEST_F(decode_test, refuses_every_truncation_but_those_between_groups) {
  const std::string one =
      group_list({log_group_builder().log({{"event", "{}"}}, 1, 2).topic("t").source("s").tag("k", "v")});
  for (std::size_t size = 1; size < one.size(); ++size) {
    EXPECT_FALSE(run(one.substr(0, size)));
    EXPECT_FALSE(run(one + one.substr(0, size)));
    EXPECT_TRUE(out_.logs.empty());
  }
}

TEST_F(decode_test, refuses_a_length_one_beyond_the_end_at_every_level) {
  const auto one_too_long = [](std::uint64_t number, const std::string& bytes) {
    return varint(number << 3 | 2) + varint(bytes.size() + 1) + bytes;
  };
  EXPECT_FALSE(run(one_too_long(1, "")));
  EXPECT_FALSE(run_group(one_too_long(1, "")));
  EXPECT_FALSE(run_group(one_too_long(3, "topic")));
  EXPECT_FALSE(run_log(one_too_long(2, "")));
  EXPECT_FALSE(run_log(bytes_field(2, one_too_long(1, "event"))));
  EXPECT_FALSE(run_log(bytes_field(2, bytes_field(1, "event") + one_too_long(2, "{}"))));
}

TEST_F(decode_test, refuses_lengths_that_look_right_in_fewer_bits) {
  for (const std::uint64_t length : {(std::uint64_t{1} << 32) + 2, (std::uint64_t{1} << 63) + 2, ~std::uint64_t{0}}) {
    EXPECT_FALSE(run(varint(1 << 3 | 2) + varint(length) + "\x08\x01"));
  }
  EXPECT_FALSE(run(varint((std::uint64_t{1} << 32) + (1 << 3 | 2)) + varint(0)));
}

TEST_F(decode_test, refuses_varints_that_are_cut_off_or_never_end) {
  EXPECT_FALSE(run("\x80"));
  EXPECT_FALSE(run_log("\x08\xff\xff"));
  EXPECT_FALSE(run_log("\x08" + std::string(10, '\xff') + "\x01"));
  EXPECT_FALSE(run(std::string(100, '\x80')));
}

TEST_F(decode_test, refuses_groups_and_wire_types_that_do_not_exist) {
  for (const std::uint64_t type : {3U, 4U, 6U, 7U}) {
    EXPECT_FALSE(run(varint(9 << 3 | type)));
    EXPECT_FALSE(run_group(varint(1 << 3 | type)));
    EXPECT_FALSE(run_log(varint(9 << 3 | type)));
    EXPECT_FALSE(run_log(bytes_field(2, varint(1 << 3 | type))));
  }
}

TEST_F(decode_test, refuses_field_number_zero) {
  EXPECT_FALSE(run(varint(0) + varint(0)));
  EXPECT_FALSE(run_log(varint(2) + varint(0)));
}

TEST_F(decode_test, refuses_more_logs_than_the_limit) {
  std::string logs;
  for (std::size_t i = 0; i < logs_max; ++i) logs += std::string_view("\x0a\0", 2);
  EXPECT_TRUE(run_group(logs));
  EXPECT_EQ(out_.logs.size(), logs_max);
  EXPECT_FALSE(run_group(logs + std::string("\x0a\0", 2)));
  EXPECT_TRUE(out_.logs.empty());
}

TEST_F(decode_test, refuses_more_groups_tags_or_dotted_contents_than_the_limits) {
  const auto repeated = [](const std::string& bytes, std::size_t count) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i) all += bytes;
    return all;
  };
  EXPECT_TRUE(run(repeated(std::string("\x0a\0", 2), groups_max)));
  EXPECT_FALSE(run(repeated(std::string("\x0a\0", 2), groups_max + 1)));
  const std::string tag = bytes_field(6, bytes_field(1, ""));
  EXPECT_TRUE(run_group(repeated(tag, tags_max)));
  EXPECT_FALSE(run_group(repeated(tag, tags_max + 1)));
  const std::string loose = bytes_field(2, bytes_field(1, "event."));
  EXPECT_TRUE(run_log(repeated(loose, loose_max)));
  EXPECT_FALSE(run_log(repeated(loose, loose_max + 1)));
}

TEST_F(decode_test, survives_random_bytes_and_never_points_outside) {
  std::mt19937_64 random(20261121);
  const std::string seed = group_list({log_group_builder()
                                           .log({{"event", R"({"eventId":"1"})"}, {"event.x", "y"}}, 1669000000, 5)
                                           .log({{"event.x", "y"}})
                                           .topic("topic")
                                           .tag("__receive_time__", "1669000001")});
  std::size_t accepted = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string bytes = seed;
    if (round % 4 == 0) {
      bytes.resize(random() % 40);
      for (char& byte : bytes) byte = static_cast<char>(random());
    } else {
      for (std::uint64_t i = 0; i < 1 + random() % 3; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    if (!run(bytes)) continue;
    ++accepted;
    const byte_view plain = block_->block().view();
    const auto inside = [&plain](byte_view view) {
      return view.empty() || (view.data() >= plain.data() && view.data() + view.size() <= plain.data() + plain.size());
    };
    for (const log_view& log : out_.logs) {
      ASSERT_TRUE(inside(log.event) && inside(log.message));
      ASSERT_LT(log.group, out_.groups.size());
      ASSERT_LE(log.loose_first, log.loose_last);
      ASSERT_LE(log.loose_last, out_.loose.size());
    }
    for (const content_view& pair : out_.loose) ASSERT_TRUE(inside(pair.key) && inside(pair.value));
    for (const content_view& pair : out_.tags) ASSERT_TRUE(inside(pair.key) && inside(pair.value));
    for (const group_view& group : out_.groups) ASSERT_TRUE(inside(group.topic) && inside(group.source));
  }
  EXPECT_GT(accepted, 1000U);
}

TEST_F(decode_test, forgets_the_block_before) {
  ASSERT_TRUE(run(group_list({log_group_builder().event("a").event("b").tag("k", "v")})));
  ASSERT_TRUE(run(group_list({log_group_builder().event("c")})));
  ASSERT_EQ(out_.logs.size(), 1U);
  EXPECT_EQ(out_.logs[0].event, "c");
  EXPECT_TRUE(out_.tags.empty());
}

TEST(decode, names_its_class_of_failure) { EXPECT_EQ(fault_of(decode_errc::malformed), engine::fault::malformed); }

}  // namespace
}  // namespace stages
