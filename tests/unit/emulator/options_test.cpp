#include "tools/emulator/options.hpp"

#include <gtest/gtest.h>

namespace emulator {
namespace {

std::string refusal(const std::vector<std::string>& arguments) {
  const auto result = parse_options(arguments);
  if (result) return "";
  EXPECT_EQ(result.error().code, 2);
  return result.error().text;
}

TEST(options, defaults_are_a_small_empty_cloud_on_any_loopback_port) {
  const auto o = parse_options({});
  ASSERT_TRUE(o.has_value());
  EXPECT_EQ(o->address, "127.0.0.1");
  EXPECT_EQ(o->port, 0);
  EXPECT_EQ(o->accounts, 1U);
  EXPECT_EQ(o->rules, 1U);
  EXPECT_EQ(o->events, 0U);
  EXPECT_EQ(o->format, "value");
  EXPECT_EQ(o->coordination, "none");
  EXPECT_TRUE(o->put_time_check);
}

TEST(options, every_value_is_read) {
  const auto o = parse_options({"--listen",         "[::1]:8080",
                                "--accounts",       "4",
                                "--logstores",      "8",
                                "--shards",         "3",
                                "--rules",          "2",
                                "--events",         "1000000",
                                "--event-rate",     "250.5",
                                "--duplicate-rate", "0.25",
                                "--corpus",         "c.ndjson",
                                "--seed",           "77",
                                "--faults",         "[]",
                                "--format",         "typed",
                                "--coordination",   "consumer_group",
                                "--consumer-group", "g",
                                "--put-time-check", "off",
                                "--tls-dir",        "tls",
                                "--port-file",      "p",
                                "--ready-file",     "r",
                                "--write-config",   "w",
                                "--threads",        "5",
                                "--reply-bytes",    "4096",
                                "--first-time",     "12"});
  ASSERT_TRUE(o.has_value()) << o.error().text;
  EXPECT_EQ(o->address, "::1");
  EXPECT_EQ(o->port, 8080);
  EXPECT_EQ(o->accounts, 4U);
  EXPECT_EQ(o->logstores, 8U);
  EXPECT_EQ(o->shards, 3U);
  EXPECT_EQ(o->rules, 2U);
  EXPECT_EQ(o->events, 1'000'000U);
  EXPECT_EQ(o->event_rate, 250.5);
  EXPECT_EQ(o->duplicate_rate, 0.25);
  EXPECT_EQ(o->corpus, "c.ndjson");
  EXPECT_EQ(o->seed, 77U);
  EXPECT_EQ(o->faults, "[]");
  EXPECT_EQ(o->format, "typed");
  EXPECT_EQ(o->consumer_group, "g");
  EXPECT_FALSE(o->put_time_check);
  EXPECT_EQ(o->tls_dir, "tls");
  EXPECT_EQ(o->threads, 5U);
  EXPECT_EQ(o->reply_bytes, 4096U);
  EXPECT_EQ(o->first_time_s, 12);
}

TEST(options, errors_name_the_option_and_end_with_2) {
  EXPECT_NE(refusal({"--accounts", "0"}).find("--accounts"), std::string::npos);
  EXPECT_NE(refusal({"--duplicate-rate", "1.1"}).find("--duplicate-rate"), std::string::npos);
  EXPECT_NE(refusal({"--format", "xml"}).find("--format"), std::string::npos);
  EXPECT_NE(refusal({"--coordination", "maybe"}).find("--coordination"), std::string::npos);
  EXPECT_NE(refusal({"--evnts", "1"}).find("--evnts"), std::string::npos);
  EXPECT_NE(refusal({"--seed"}).find("--seed"), std::string::npos);
  EXPECT_EQ(refusal({"--listen", "8080"}), "--listen: must be ADDRESS:PORT\n");
  EXPECT_EQ(refusal({"--listen", "127.0.0.1:70000"}), "--listen: the port must be 0 to 65535\n");
  EXPECT_EQ(refusal({"--faults", "/nowhere/faults.json"}), "--faults: cannot read /nowhere/faults.json\n");
}

TEST(options, several_errors_are_reported_together) {
  EXPECT_EQ(refusal({"--listen", "x", "--coordination", "consumer_group"}),
            "--listen: must be ADDRESS:PORT\n"
            "--consumer-group: must be given with --coordination consumer_group\n");
}

TEST(options, help_lists_every_option_with_its_default_and_ends_with_0) {
  const auto help = parse_options({"--help"});
  ASSERT_FALSE(help.has_value());
  EXPECT_EQ(help.error().code, 0);
  for (const auto* name :
       {"--listen",       "--port-file",      "--ready-file",     "--write-config", "--format", "--tls-dir",
        "--coordination", "--consumer-group", "--accounts",       "--logstores",    "--shards", "--rules",
        "--events",       "--event-rate",     "--duplicate-rate", "--corpus",       "--seed",   "--faults",
        "--threads",      "--put-time-check", "--reply-bytes"}) {
    EXPECT_NE(help.error().text.find(name), std::string::npos) << name;
  }
  EXPECT_NE(help.error().text.find("127.0.0.1:0"), std::string::npos);
  EXPECT_NE(help.error().text.find("1048576"), std::string::npos);
}

}  // namespace
}  // namespace emulator
