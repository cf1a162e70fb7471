#include "tools/penstock/command_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "stages/config.hpp"

namespace penstock {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

std::expected<command_line, command_line_end> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "penstock");
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

// The text of a usage error; its exit code must be 2.
std::string usage_error(const std::vector<const char*>& arguments) {
  const auto line = parse(arguments);
  if (line) return "no error";
  return line.error().exit_code == exit_usage ? line.error().text : "wrong exit code";
}

std::string help(const std::vector<const char*>& arguments) {
  const auto line = parse(arguments);
  if (line) return "no help";
  return line.error().exit_code == exit_done ? line.error().text : "wrong exit code";
}

TEST(command_line, reads_run_with_its_defaults) {
  const auto line = parse({"run", "--config", "penstock.yaml"});
  ASSERT_TRUE(line);
  EXPECT_EQ(line->command, subcommand::run);
  EXPECT_EQ(line->config, "penstock.yaml");
  EXPECT_FALSE(line->once);
  EXPECT_EQ(line->once_probe_interval, 5s);
  EXPECT_EQ(line->summary, "");
  EXPECT_FALSE(line->dry_run);
  EXPECT_EQ(line->admin_port_file, "");
  EXPECT_THAT(line->tuning, IsEmpty());
}

TEST(command_line, reads_every_flag_of_run) {
  const auto line = parse({"run", "--config=c.yaml", "--once", "--once-probe-interval", "500ms", "--summary", "s.json",
                           "--dry-run", "--admin-port-file", "port", "--memory-limit", "64MiB", "--linger=2s"});
  ASSERT_TRUE(line);
  EXPECT_TRUE(line->once);
  EXPECT_EQ(line->once_probe_interval, 500ms);
  EXPECT_EQ(line->summary, "s.json");
  EXPECT_TRUE(line->dry_run);
  EXPECT_EQ(line->admin_port_file, "port");
  EXPECT_THAT(line->tuning, ElementsAre(Pair("linger", "2s"), Pair("memory-limit", "64MiB")));
}

TEST(command_line, reads_bench_with_its_defaults_and_its_flags) {
  const auto plain = parse({"bench"});
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->command, subcommand::bench);
  EXPECT_EQ(plain->seconds, 20U);
  EXPECT_FALSE(plain->json);
  const auto other = parse({"bench", "--seconds=600", "--json"});
  ASSERT_TRUE(other);
  EXPECT_EQ(other->seconds, 600U);
  EXPECT_TRUE(other->json);
}

TEST(command_line, refuses_seconds_of_bench_outside_their_range) {
  for (const char* wrong : {"0", "601", "-1", "1.5", "5s", ""}) {
    EXPECT_THAT(usage_error({"bench", "--seconds", wrong}), HasSubstr("is not a whole number of 1..600")) << wrong;
  }
}

TEST(command_line, reads_check_status_and_version) {
  EXPECT_EQ(parse({"check", "--config", "c.yaml"})->command, subcommand::check);
  EXPECT_EQ(parse({"status"})->command, subcommand::status);
  EXPECT_EQ(parse({"version"})->command, subcommand::version);
  const auto status = parse({"status", "--json", "--admin-listen", "127.0.0.1:1", "--admin-port-file", "port"});
  ASSERT_TRUE(status);
  EXPECT_TRUE(status->json);
  EXPECT_EQ(status->admin_port_file, "port");
  EXPECT_THAT(status->tuning, ElementsAre(Pair("admin-listen", "127.0.0.1:1")));
}

TEST(command_line, takes_every_tuning_flag_for_run_and_check) {
  for (const char* command : {"run", "check"}) {
    for (const stages::tuning_setting& setting : stages::tuning_settings()) {
      const std::string flag = "--" + setting.name;
      const auto line = parse({command, "--config", "c.yaml", flag.c_str(), "word"});
      ASSERT_TRUE(line) << flag;
      EXPECT_THAT(line->tuning, ElementsAre(Pair(setting.name, "word")));
    }
  }
}

TEST(command_line, has_exactly_the_tuning_flags_scripts_rely_on) {
  std::vector<std::string> names;
  for (const stages::tuning_setting& setting : stages::tuning_settings()) names.push_back(setting.name);
  EXPECT_THAT(names, testing::UnorderedElementsAre("io-threads", "cpu-threads", "fetch-concurrency", "fetch-per-host",
                                                   "upload-concurrency", "memory-limit", "connections-max",
                                                   "queue-blocks", "pull-groups", "batch-bytes", "batch-raw-bytes",
                                                   "linger", "compression", "order", "poll-interval", "drain-timeout",
                                                   "log-level", "log-format", "admin-listen"));
}

TEST(command_line, tells_what_is_wrong_and_where_help_is) {
  EXPECT_EQ(usage_error({"run"}), "penstock run: --config is required\nSee 'penstock run --help'.\n");
  EXPECT_EQ(usage_error({"check"}), "penstock check: --config is required\nSee 'penstock check --help'.\n");
  EXPECT_EQ(usage_error({}), "penstock: A subcommand is required\nSee 'penstock --help'.\n");
  EXPECT_EQ(usage_error({"frob"}),
            "penstock: unknown command (run, check, status, bench or version)\nSee 'penstock --help'.\n");
  EXPECT_EQ(usage_error({"run", "--config", "c", "--frob"}),
            "penstock run: The following argument was not expected: --frob\nSee 'penstock run --help'.\n");
  EXPECT_EQ(usage_error({"check", "--config", "c", "--once"}),
            "penstock check: The following argument was not expected: --once\nSee 'penstock check --help'.\n");
  EXPECT_EQ(usage_error({"run", "--config", ""}),
            "penstock run: --config: must not be empty\nSee 'penstock run --help'.\n");
  EXPECT_EQ(usage_error({"run", "--config", "c", "--once-probe-interval", "5"}),
            "penstock run: --once-probe-interval: is not a duration such as 500ms, 30s, 5m or 1h (10ms..1h)\n"
            "See 'penstock run --help'.\n");
  EXPECT_EQ(usage_error({"run", "--config", "c", "--once-probe-interval", "2h"}),
            "penstock run: --once-probe-interval: is out of range (10ms..1h)\nSee 'penstock run --help'.\n");
}

TEST(command_line, refuses_a_flag_given_twice) {
  EXPECT_THAT(usage_error({"run", "--config", "c", "--linger", "1s", "--linger", "2s"}), HasSubstr("--linger"));
}

TEST(command_line, help_lists_commands) {
  for (const char* command : {"run", "check", "status", "version"}) EXPECT_THAT(help({"--help"}), HasSubstr(command));
}

TEST(command_line, help_of_run_shows_groups_ranges_and_defaults) {
  const std::string text = help({"run", "--help"});
  for (const char* group : {"Threads and memory:", "Fetching:", "Processing:", "Sending:", "Watching:"}) {
    EXPECT_THAT(text, HasSubstr(group));
  }
  EXPECT_THAT(text, HasSubstr("--memory-limit 64MiB..1024GiB [256MiB]"));
  EXPECT_THAT(text, HasSubstr("--batch-bytes 64KiB..1044480B [1044480B]"));
  EXPECT_THAT(text, HasSubstr("--compression fast|small|none [fast]"));
  EXPECT_THAT(text, HasSubstr("--cpu-threads 1..256 [cores]"));
  EXPECT_THAT(text, HasSubstr("--config FILE (required)"));
}

}  // namespace
}  // namespace penstock
