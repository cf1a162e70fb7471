// The table of tuning values: the names and defaults that the documentation promises.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "stages/config.hpp"

namespace stages {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Pair;

const tuning_setting& setting(const std::string& name) {
  for (const auto& one : tuning_settings()) {
    if (one.name == name) return one;
  }
  ADD_FAILURE() << "no setting " << name;
  return tuning_settings().front();
}

TEST(tuning, has_the_documented_flags_with_the_documented_defaults_in_the_order_of_help) {
  const tuning_options defaults = default_tuning(6);
  std::vector<std::pair<std::string, std::string>> shown;
  for (const auto& one : tuning_settings()) shown.emplace_back(one.name, one.show(defaults));
  EXPECT_THAT(shown,
              ElementsAre(Pair("io-threads", "1"), Pair("cpu-threads", "6"), Pair("memory-limit", "256MiB"),
                          Pair("connections-max", "256"), Pair("fetch-concurrency", "64"), Pair("fetch-per-host", "16"),
                          Pair("poll-interval", "1s"), Pair("pull-groups", "1000"), Pair("queue-blocks", "4"),
                          Pair("order", "event-name"), Pair("batch-bytes", "1044480B"), Pair("batch-raw-bytes", "8MiB"),
                          Pair("linger", "1s"), Pair("compression", "fast"), Pair("upload-concurrency", "8"),
                          Pair("drain-timeout", "25s"), Pair("log-level", "info"), Pair("log-format", "text"),
                          Pair("admin-listen", "127.0.0.1:9464")));
}

TEST(tuning, uses_all_cores_but_no_more_threads_than_are_allowed) {
  EXPECT_EQ(default_tuning(0).cpu_threads, 1U);  // where the number of cores is not known
  EXPECT_EQ(default_tuning(1).cpu_threads, 1U);
  EXPECT_EQ(default_tuning(256).cpu_threads, 256U);
  EXPECT_EQ(default_tuning(1'000).cpu_threads, 256U);
}

TEST(tuning, names_a_setting_alike_as_flag_key_and_variable) {
  EXPECT_EQ(setting("batch-raw-bytes").key(), "batch_raw_bytes");
  EXPECT_EQ(setting("batch-raw-bytes").variable(), "PENSTOCK_BATCH_RAW_BYTES");
  EXPECT_EQ(setting("linger").key(), "linger");
  EXPECT_EQ(setting("linger").variable(), "PENSTOCK_LINGER");
}

TEST(tuning, every_setting_has_its_own_name_a_group_a_meaning_and_a_range) {
  std::set<std::string> names;
  for (const auto& one : tuning_settings()) {
    EXPECT_TRUE(names.insert(one.name).second) << one.name;
    EXPECT_EQ(one.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz-"), std::string::npos) << one.name;
    EXPECT_FALSE(one.group.empty()) << one.name;
    EXPECT_FALSE(one.meaning.empty()) << one.name;
    EXPECT_FALSE(one.allowed.empty()) << one.name;
  }
}

TEST(tuning, groups_stand_together) {
  std::vector<std::string> groups;
  for (const auto& one : tuning_settings()) {
    if (groups.empty() || groups.back() != one.group) groups.push_back(one.group);
  }
  EXPECT_THAT(groups, ElementsAre("Threads and memory", "Fetching", "Processing", "Sending", "Watching"));
}

TEST(tuning, each_setting_changes_its_own_value_and_no_other) {
  const std::map<std::string, std::string> others{
      {"io-threads", "2"},        {"cpu-threads", "7"},     {"memory-limit", "1GiB"},    {"connections-max", "9"},
      {"fetch-concurrency", "3"}, {"fetch-per-host", "4"},  {"poll-interval", "10ms"},   {"pull-groups", "5"},
      {"queue-blocks", "6"},      {"order", "arrival"},     {"batch-bytes", "64KiB"},    {"batch-raw-bytes", "256KiB"},
      {"linger", "1m"},           {"compression", "small"}, {"upload-concurrency", "1"}, {"drain-timeout", "1h"},
      {"log-level", "debug"},     {"log-format", "json"},   {"admin-listen", "[::1]:0"}};
  ASSERT_EQ(others.size(), tuning_settings().size());
  const tuning_options defaults = default_tuning(2);
  for (const auto& changed : tuning_settings()) {
    tuning_options options = defaults;
    ASSERT_TRUE(changed.set(options, others.at(changed.name)).has_value()) << changed.name;
    for (const auto& one : tuning_settings()) {
      const std::string expected = one.name == changed.name ? others.at(one.name) : one.show(defaults);
      EXPECT_EQ(one.show(options), expected) << changed.name << " was set";
    }
  }
}

TEST(tuning, a_refused_text_changes_nothing_and_the_error_names_what_is_allowed) {
  for (const auto& one : tuning_settings()) {
    tuning_options options = default_tuning(2);
    const auto before = one.show(options);
    const auto set = one.set(options, "no such value");
    ASSERT_FALSE(set.has_value()) << one.name;
    EXPECT_EQ(one.show(options), before);
    if (one.name == "admin-listen") {
      EXPECT_EQ(set.error(), "is not an address to listen on (HOST:PORT, [IPV6]:PORT or off)");
    } else {
      EXPECT_TRUE(set.error().ends_with(" (" + one.allowed + ")")) << set.error();
    }
    EXPECT_FALSE(one.set(options, "").has_value()) << one.name;
  }
}

TEST(tuning, sets_the_field_that_its_name_says) {
  tuning_options options = default_tuning(1);
  ASSERT_TRUE(setting("memory-limit").set(options, "64MiB").has_value());
  ASSERT_TRUE(setting("linger").set(options, "250ms").has_value());
  ASSERT_TRUE(setting("pull-groups").set(options, "12").has_value());
  ASSERT_TRUE(setting("compression").set(options, "none").has_value());
  ASSERT_TRUE(setting("admin-listen").set(options, "off").has_value());
  EXPECT_EQ(options.memory_limit_bytes, 64 * engine::mib);
  EXPECT_EQ(options.linger, 250ms);
  EXPECT_EQ(options.pull_groups_max, 12U);
  EXPECT_EQ(options.compression, compression_level::none);
  EXPECT_EQ(options.admin_listen, listen_address{});
  EXPECT_EQ(setting("admin-listen").show(options), "off");
}

TEST(tuning, the_table_of_flags_is_made_once) { EXPECT_EQ(&tuning_settings(), &tuning_settings()); }

}  // namespace
}  // namespace stages
