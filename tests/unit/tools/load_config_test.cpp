#include "tools/penstock/load_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace penstock {
namespace {

using namespace std::chrono_literals;
using engine::mib;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// One fact per line, so that a test replaces a line and knows its number.
const std::vector<std::string> valid_lines{
    "sources:",                                               // 1
    "  - account: prod-cn",                                   // 2
    "    endpoint: cn-hangzhou.log.aliyuncs.com",             // 3
    "    region: cn-hangzhou",                                // 4
    "    credentials:",                                       // 5
    "      type: access_key",                                 // 6
    "      access_key_id: \"${env:AK}\"",                     // 7
    "      access_key_secret: \"${env:SK}\"",                 // 8
    "    project: audit-prod",                                // 9
    "    logstores: [actiontrail_main]",                      // 10
    "    start: begin",                                       // 11
    "    to: sentinel-main",                                  // 12
    "    coordination: none",                                 // 13
    "destinations:",                                          // 14
    "  - name: sentinel-main",                                // 15
    "    type: sentinel",                                     // 16
    "    endpoint: https://x.ingest.monitor.azure.com",       // 17
    "    rule: dcr-0123456789abcdef0123456789ABCDEF",         // 18
    "    stream: Custom-AliCloudActionTrailLogs",             // 19
    "    format: value",                                      // 20
    "    credentials:",                                       // 21
    "      type: client_secret",                              // 22
    "      tenant: 11111111-2222-3333-4444-555555555555",     // 23
    "      client_id: 66666666-7777-8888-9999-000000000000",  // 24
    "      client_secret: \"${env:SECRET}\"",                 // 25
    "state: { path: state.db }",                              // 26
};

std::string valid_with(const std::map<std::size_t, std::string>& replaced) {
  std::string yaml;
  for (std::size_t i = 0; i < valid_lines.size(); ++i) {
    const auto line = replaced.find(i + 1);
    const std::string& text = line == replaced.end() ? valid_lines[i] : line->second;
    yaml += text + '\n';
  }
  return yaml;
}

struct surroundings {
  std::map<std::string, std::string> flags;
  std::map<std::string, std::string> variables;
  std::string file = "/etc/penstock/p.yaml";
};

loaded_config load(const std::string& yaml, const surroundings& around = {}) {
  load_request request;
  request.file = around.file;
  request.flags = around.flags;
  request.cores = 6;
  request.environment = [around](const std::string& name) -> std::optional<std::string> {
    if (name == "AK") return "ak-id";
    if (name == "SK") return "ak-secret";
    if (name == "SECRET") return "entra-secret";
    const auto found = around.variables.find(name);
    if (found == around.variables.end()) return std::nullopt;
    return found->second;
  };
  return load_config_text(yaml, request);
}

// The errors of the valid document with some lines replaced, without the file's name.
std::vector<std::string> errors_with(const std::map<std::size_t, std::string>& replaced) {
  auto errors = load(valid_with(replaced)).errors;
  constexpr std::string_view prefix = "/etc/penstock/p.yaml:";
  for (std::string& error : errors) {
    if (error.starts_with(prefix)) error.erase(0, prefix.size());
  }
  return errors;
}

std::vector<std::string> warnings_with(const std::map<std::size_t, std::string>& replaced) {
  const loaded_config loaded = load(valid_with(replaced));
  EXPECT_THAT(loaded.errors, IsEmpty());
  return loaded.warnings;
}

TEST(load_config, reads_a_whole_configuration) {
  const loaded_config loaded = load(valid_with({}));
  ASSERT_THAT(loaded.errors, IsEmpty());
  EXPECT_THAT(loaded.warnings, IsEmpty());
  ASSERT_TRUE(loaded.config);
  ASSERT_THAT(loaded.config->sources, SizeIs(1));
  const stages::source_options& source = loaded.config->sources[0];
  EXPECT_EQ(source.account, "prod-cn");
  EXPECT_EQ(source.endpoint, (stages::endpoint_address{"https", "cn-hangzhou.log.aliyuncs.com", 443}));
  EXPECT_EQ(source.region, "cn-hangzhou");
  EXPECT_EQ(source.credentials.access_key_id, "ak-id");
  EXPECT_EQ(source.credentials.access_key_secret.reveal(), "ak-secret");
  EXPECT_TRUE(source.credentials.security_token.empty());
  EXPECT_EQ(source.project, "audit-prod");
  EXPECT_THAT(source.logstores, ElementsAre("actiontrail_main"));
  EXPECT_EQ(source.start, stages::start_position(stages::start_begin{}));
  EXPECT_EQ(source.to, "sentinel-main");
  EXPECT_EQ(source.tls.ca_file, "");
  ASSERT_THAT(loaded.config->destinations, SizeIs(1));
  const stages::destination_options& destination = loaded.config->destinations[0];
  EXPECT_EQ(destination.name, "sentinel-main");
  EXPECT_EQ(destination.type, stages::destination_type::sentinel);
  EXPECT_EQ(destination.format, stages::row_format::value);
  EXPECT_EQ(destination.endpoint, (stages::endpoint_address{"https", "x.ingest.monitor.azure.com", 443}));
  EXPECT_EQ(destination.rule, "dcr-0123456789abcdef0123456789abcdef");
  EXPECT_EQ(destination.stream, "Custom-AliCloudActionTrailLogs");
  EXPECT_EQ(destination.credentials.tenant, "11111111-2222-3333-4444-555555555555");
  EXPECT_EQ(destination.credentials.client_id, "66666666-7777-8888-9999-000000000000");
  EXPECT_EQ(destination.credentials.client_secret.reveal(), "entra-secret");
  EXPECT_EQ(destination.authority, (stages::endpoint_address{"https", "login.microsoftonline.com", 443}));
  EXPECT_EQ(loaded.config->state_path, "/etc/penstock/state.db");
}

TEST(load_config, reports_five_mistakes_in_five_lines) {
  EXPECT_THAT(
      load(valid_with({{3, "    endpoint: ftp://cn-hangzhou.log.aliyuncs.com"},
                       {4, "    regoin: cn-hangzhou"},
                       {8, "      access_key_secret: \"${env:NOT_SET}\""},
                       {18, "    rule: dcr-123"},
                       {19, "    stream: AliCloudActionTrailLogs"}}))
          .errors,
      ElementsAre(
          "/etc/penstock/p.yaml:3: sources[0].endpoint: has an unknown scheme (host or host:port, with https:// or "
          "http:// before it and no path)",
          "/etc/penstock/p.yaml:4: sources[0].regoin: unknown key (allowed: account, endpoint, region, credentials, "
          "project, logstores, start, to, coordination, consumer_group, consumer, tls, sts_endpoint, "
          "metadata_endpoint)",
          "/etc/penstock/p.yaml:8: sources[0].credentials.access_key_secret: environment variable NOT_SET is not "
          "set (${env:NAME} or ${file:PATH})",
          "/etc/penstock/p.yaml:18: destinations[0].rule: is not the immutable id of a data collection rule (dcr- "
          "and 32 hex digits)",
          "/etc/penstock/p.yaml:19: destinations[0].stream: is not a stream (Custom- and letters, digits, '-' and "
          "'_')"));
}

TEST(load_config, reports_every_missing_key_on_its_parents_line) {
  EXPECT_THAT(errors_with({{26, ""}}), ElementsAre("1: state: missing (a map with the path of the state database)"));
  EXPECT_THAT(
      load("x: 1\n", {.flags = {}, .variables = {}, .file = "f"}).errors,
      ElementsAre("f:1: sources: missing (a list of sources)", "f:1: destinations: missing (a list of destinations)",
                  "f:1: state: missing (a map with the path of the state database)",
                  "f:1: x: unknown key (allowed: sources, destinations, tls, state, tuning)"));
  EXPECT_THAT(errors_with({{7, ""}, {8, ""}}),
              ElementsAre("5: sources[0].credentials.access_key_id: missing (${env:NAME} or ${file:PATH})",
                          "5: sources[0].credentials.access_key_secret: missing (${env:NAME} or ${file:PATH})"));
  EXPECT_THAT(errors_with({{3, ""}, {9, ""}, {10, ""}, {12, ""}}),
              ElementsAre("2: sources[0].endpoint: missing (the host of SLS in the region)",
                          "2: sources[0].project: missing (the SLS project)",
                          "2: sources[0].logstores: missing (a list of names)",
                          "2: sources[0].to: missing (the name of a destination)"));
  EXPECT_THAT(errors_with({{16, ""}, {17, ""}, {18, ""}, {19, ""}, {20, ""}}),
              ElementsAre("15: destinations[0].type: missing (sentinel or null)",
                          "15: destinations[0].endpoint: missing (the logs ingestion endpoint)",
                          "15: destinations[0].rule: missing (dcr- and 32 hex digits)",
                          "15: destinations[0].stream: missing (Custom-...)",
                          "15: destinations[0].format: missing (value or typed)"));
  EXPECT_THAT(errors_with({{23, ""}, {24, ""}, {25, ""}}),
              ElementsAre("21: destinations[0].credentials.tenant: missing (its id or domain name)",
                          "21: destinations[0].credentials.client_id: missing (the application's id)",
                          "21: destinations[0].credentials.client_secret: missing (${env:NAME} or ${file:PATH})"));
}

TEST(load_config, refuses_what_is_not_yet_supported) {
  EXPECT_THAT(errors_with({{10, "    logstores: [actiontrail_*, 'a?b', '[ab]c']"}}),
              ElementsAre("10: sources[0].logstores[0]: globs are not yet supported (names)",
                          "10: sources[0].logstores[1]: globs are not yet supported (names)",
                          "10: sources[0].logstores[2]: globs are not yet supported (names)"));
  EXPECT_THAT(errors_with({{13, "    coordination: consumer_group"}}),
              ElementsAre("13: sources[0].coordination: consumer_group is not yet supported (none)"));
  EXPECT_THAT(
      errors_with({{12, "    to: [sentinel-main, other]"}}),
      ElementsAre("12: sources[0].to: several destinations are not yet supported (the name of one destination)"));
  EXPECT_THAT(errors_with({{16, "    type: file"}}),
              ElementsAre("16: destinations[0].type: type file is not yet supported (sentinel or null)"));
  // One mistake each: no further keys are asked for, and what a list of destinations names is not called unused.
  EXPECT_THAT(errors_with({{26, "  - { name: spare, type: file, path: /a }\nstate: { path: s }"}}),
              ElementsAre("26: destinations[1].type: type file is not yet supported (sentinel or null)"));
  EXPECT_THAT(load(valid_with({{12, "    to: [sentinel-main, other]"}})).warnings, IsEmpty());
}

TEST(load_config, takes_a_list_of_one_destination) {
  const loaded_config loaded = load(valid_with({{12, "    to: [sentinel-main]"}}));
  ASSERT_TRUE(loaded.config);
  EXPECT_EQ(loaded.config->sources[0].to, "sentinel-main");
}

TEST(load_config, has_a_message_for_each_malformed_value_of_a_source) {
  EXPECT_THAT(errors_with({{2, "  - account: \"a\\nb\""}}),
              ElementsAre("2: sources[0].account: is not a label (1 to 128 bytes without control characters)"));
  EXPECT_THAT(
      errors_with({{4, "    region: CN"}}),
      ElementsAre(
          "4: sources[0].region: is not a region (lower-case letters, digits and hyphens, such as cn-hangzhou)"));
  EXPECT_THAT(errors_with({{6, "      type: iam"}}),
              ElementsAre("6: sources[0].credentials.type: is not a type of credentials (access_key)"));
  EXPECT_THAT(
      errors_with({{9, "    project: Audit_Prod"}}),
      ElementsAre("9: sources[0].project: is not a project name (2 to 63 lower-case letters, digits and hyphens, a "
                  "letter or digit at both ends)"));
  EXPECT_THAT(
      errors_with({{10, "    logstores: [-x]"}}),
      ElementsAre("10: sources[0].logstores[0]: is not a logstore name (2 to 63 lower-case letters, digits, hyphens "
                  "and underscores, a letter or digit at both ends)"));
  EXPECT_THAT(errors_with({{10, "    logstores: []"}}),
              ElementsAre("10: sources[0].logstores: is empty (a list of names)"));
  EXPECT_THAT(errors_with({{10, "    logstores: actiontrail_main"}}),
              ElementsAre("10: sources[0].logstores: has the wrong type (a list of names)"));
  EXPECT_THAT(
      errors_with({{11, "    start: yesterday"}}),
      ElementsAre("11: sources[0].start: is not a time such as 2026-01-02T03:04:05Z (begin, end or an RFC 3339 time)"));
  EXPECT_THAT(errors_with({{12, "    to: nowhere"}}),
              ElementsAre("12: sources[0].to: names no destination (sentinel-main)"));
  EXPECT_THAT(errors_with({{12, "    to: []"}}),
              ElementsAre("12: sources[0].to: is empty (the name of a destination)"));
  EXPECT_THAT(errors_with({{13, "    coordination: all"}}),
              ElementsAre("13: sources[0].coordination: is not a kind of coordination (none)"));
  EXPECT_THAT(errors_with({{13, "    consumer_group: g"}}),
              ElementsAre("13: sources[0].consumer_group: belongs to coordination: consumer_group (leave it out)"));
}

TEST(load_config, has_a_message_for_each_malformed_value_of_a_destination) {
  EXPECT_THAT(errors_with({{12, "    to: \"a b\""}, {15, "  - name: \"a b\""}}),
              ElementsAre("15: destinations[0].name: is not a name (1 to 64 letters, digits, '-', '_' and '.')"));
  EXPECT_THAT(errors_with({{16, "    type: splunk"}}),
              ElementsAre("16: destinations[0].type: is not a type of destination (sentinel or null)"));
  EXPECT_THAT(
      errors_with({{17, "    endpoint: https://x.ingest.monitor.azure.com/path"}}),
      ElementsAre("17: destinations[0].endpoint: is not an endpoint (host or host:port, with https:// or http:// "
                  "before it and no path)"));
  EXPECT_THAT(
      errors_with({{18, "    rule: dcr-0123456789abcdef0123456789abcdeg"}}),
      ElementsAre(
          "18: destinations[0].rule: is not the immutable id of a data collection rule (dcr- and 32 hex digits)"));
  EXPECT_THAT(errors_with({{19, "    stream: AliCloudActionTrailLogs"}}),
              ElementsAre("19: destinations[0].stream: is not a stream (Custom- and letters, digits, '-' and '_')"));
  EXPECT_THAT(errors_with({{20, "    format: json"}}),
              ElementsAre("20: destinations[0].format: is not a format (value or typed)"));
  EXPECT_THAT(errors_with({{22, "      type: managed_identity"}}),
              ElementsAre("22: destinations[0].credentials.type: is not a type of credentials (client_secret)"));
  EXPECT_THAT(errors_with({{23, "      tenant: a/b"}}),
              ElementsAre("23: destinations[0].credentials.tenant: is not a tenant (its id or domain name)"));
  EXPECT_THAT(errors_with({{24, "      client_id: a b"}}),
              ElementsAre("24: destinations[0].credentials.client_id: is not a client id (the application's id)"));
}

TEST(load_config, reports_unknown_keys_at_every_level) {
  EXPECT_THAT(errors_with({{6, "      type: access_key\n      x: 1"}}),
              ElementsAre("7: sources[0].credentials.x: unknown key (allowed: type, access_key_id, access_key_secret, "
                          "security_token)"));
  EXPECT_THAT(
      errors_with({{22, "      type: client_secret\n      x: 1"}}),
      ElementsAre("23: destinations[0].credentials.x: unknown key (allowed: type, tenant, client_id, client_secret)"));
  EXPECT_THAT(errors_with({{16, "    type: sentinel\n    x: 1"}}),
              ElementsAre("17: destinations[0].x: unknown key (allowed: name, type, endpoint, rule, stream, format, "
                          "credentials, authority, tls)"));
  EXPECT_THAT(errors_with({{26, "state: { path: s, x: 1 }"}}), ElementsAre("26: state.x: unknown key (allowed: path)"));
}

TEST(load_config, reports_both_lines_of_duplicates) {
  EXPECT_THAT(errors_with({{10, "    logstores: [one_store,\n      one_store]"}}),
              ElementsAre("11: sources[0].logstores[1]: duplicate of the logstore on line 10 (each account, project, "
                          "logstore and destination once)"));
  EXPECT_THAT(errors_with({{26, "  - { name: sentinel-main, type: null }\nstate: { path: s }"}}),
              ElementsAre("26: destinations[1].name: duplicate name (once; it is also on line 15)"));
}

TEST(load_config, sees_duplicate_routes_across_sources) {
  std::string yaml = valid_with({});
  const std::string source =
      yaml.substr(yaml.find("  - account"), yaml.find("destinations:") - yaml.find("  - account"));
  yaml.insert(yaml.find("destinations:"), source);
  EXPECT_THAT(load(yaml, {.flags = {}, .variables = {}, .file = "f"}).errors,
              ElementsAre("f:22: sources[1].logstores[0]: duplicate of the logstore on line 10 (each account, project, "
                          "logstore and destination once)"));
}

TEST(load_config, takes_http_endpoints_with_a_warning) {
  const loaded_config loaded = load(valid_with({{3, "    endpoint: http://127.0.0.1:8080"}}));
  ASSERT_TRUE(loaded.config);
  EXPECT_EQ(loaded.config->sources[0].endpoint, (stages::endpoint_address{"http", "127.0.0.1", 8080}));
  EXPECT_THAT(loaded.warnings,
              ElementsAre("/etc/penstock/p.yaml:3: sources[0].endpoint: http sends events and credentials "
                          "unencrypted (https, but for test clouds)"));
}

TEST(load_config, warns_about_literal_secrets) {
  EXPECT_THAT(
      warnings_with({{8, "      access_key_secret: literal"}, {25, "      client_secret: literal"}}),
      ElementsAre("/etc/penstock/p.yaml:8: sources[0].credentials.access_key_secret: a secret is written in the file "
                  "(better ${env:NAME} or ${file:PATH})",
                  "/etc/penstock/p.yaml:25: destinations[0].credentials.client_secret: a secret is written in the "
                  "file (better ${env:NAME} or ${file:PATH})"));
}

TEST(load_config, warns_about_destinations_that_nothing_uses) {
  EXPECT_THAT(
      warnings_with({{26, "  - { name: spare, type: null }\nstate: { path: s }"}}),
      ElementsAre("/etc/penstock/p.yaml:26: destinations[1].name: no source sends here (remove it, or name it in a "
                  "source's to)"));
}

TEST(load_config, reads_null_destinations_with_and_without_format) {
  const loaded_config loaded =
      load(valid_with({{26,
                        "  - { name: n1, type: null }\n  - { name: n2, type: \"null\", format: "
                        "typed }\n  - { name: n3, type: null, rule: x }\nstate: { path: s }"}}));
  EXPECT_THAT(loaded.errors,
              ElementsAre("/etc/penstock/p.yaml:28: destinations[3].rule: unknown key (allowed: name, type, format)"));
}

TEST(load_config, reads_start_as_end_or_time) {
  EXPECT_EQ(load(valid_with({{11, "    start: end"}})).config->sources[0].start,
            stages::start_position(stages::start_end{}));
  EXPECT_EQ(load(valid_with({{11, "    start: 2026-01-02T03:04:05Z"}})).config->sources[0].start,
            stages::start_position(engine::wall_time(1'767'323'045s)));
  EXPECT_EQ(load(valid_with({{11, ""}})).config->sources[0].start, stages::start_position(stages::start_begin{}));
}

TEST(load_config, reads_endpoints_of_tests_and_private_clouds) {
  const loaded_config loaded =
      load(valid_with({{13, "    sts_endpoint: https://127.0.0.1:99\n    metadata_endpoint: http://127.0.0.1:98"},
                       {20, "    format: typed\n    authority: https://[::1]:97"}}));
  ASSERT_TRUE(loaded.config);
  EXPECT_THAT(loaded.warnings, IsEmpty());
  EXPECT_EQ(loaded.config->sources[0].sts_endpoint, (stages::endpoint_address{"https", "127.0.0.1", 99}));
  EXPECT_EQ(loaded.config->sources[0].metadata_endpoint, (stages::endpoint_address{"http", "127.0.0.1", 98}));
  EXPECT_EQ(loaded.config->destinations[0].authority, (stages::endpoint_address{"https", "::1", 97}));
}

TEST(load_config, without_region_is_valid) { EXPECT_EQ(load(valid_with({{4, ""}})).config->sources[0].region, ""); }

TEST(load_config, reports_a_file_that_cannot_be_read) {
  load_request request;
  request.file = "/nowhere/p.yaml";
  request.environment = [](const std::string&) { return std::nullopt; };
  const loaded_config loaded = load_config(request);
  EXPECT_FALSE(loaded.config);
  EXPECT_THAT(loaded.errors,
              ElementsAre("/nowhere/p.yaml:1: document: cannot be read: No such file or directory (a YAML "
                          "file of at most 4MiB)"));
}

class load_config_files : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "penstock-config-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  void write(const std::string& name, std::string_view text) { std::ofstream(directory_ / name) << text; }
  std::string path(const std::string& name) { return (directory_ / name).string(); }

  std::filesystem::path directory_;
};

TEST_F(load_config_files, reads_paths_relative_to_the_configuration) {
  write("common.pem", "-----BEGIN CERTIFICATE-----\n");
  write("own.pem", "-----BEGIN CERTIFICATE-----\n");
  write("sk", "from file\n");
  const loaded_config loaded = load(valid_with({{8, "      access_key_secret: \"${file:sk}\""},
                                                {20, "    format: value\n    tls: { ca_file: ./own.pem }"},
                                                {26, "state: { path: db/state.db }\ntls: { ca_file: common.pem }"}}),
                                    {.flags = {}, .variables = {}, .file = path("p.yaml")});
  ASSERT_THAT(loaded.errors, IsEmpty());
  EXPECT_EQ(loaded.config->sources[0].credentials.access_key_secret.reveal(), "from file");
  EXPECT_EQ(loaded.config->sources[0].tls.ca_file, path("common.pem"));
  EXPECT_EQ(loaded.config->destinations[0].tls.ca_file, path("own.pem"));
  EXPECT_EQ(loaded.config->state_path, path("db/state.db"));
}

TEST_F(load_config_files, reports_trust_roots_that_cannot_be_used) {
  write("empty.pem", "nothing here\n");
  const loaded_config loaded = load(valid_with({{26, "state: { path: s }\ntls: { ca_file: empty.pem }"},
                                                {13, "    tls: { ca_file: absent.pem }"},
                                                {20, "    format: value\n    tls: {}"}}),
                                    {.flags = {}, .variables = {}, .file = path("p.yaml")});
  EXPECT_THAT(loaded.errors,
              ElementsAre(path("p.yaml") +
                              ":13: sources[0].tls.ca_file: cannot be read: No such file or directory (a PEM file)",
                          path("p.yaml") + ":21: destinations[0].tls.ca_file: missing (a PEM file)",
                          path("p.yaml") + ":28: tls.ca_file: holds no certificate (a PEM file)"));
}

// --- tuning ---

std::string origin_of(const loaded_config& loaded, const std::string& name) {
  for (const tuning_value& value : loaded.tuning) {
    if (value.name == name) return value.value + " from " + value.origin;
  }
  return "absent";
}

TEST(load_config_tuning, has_the_documented_defaults) {
  const stages::tuning_options tuning = load(valid_with({})).config->tuning;
  EXPECT_EQ(tuning.io_threads, 1U);
  EXPECT_EQ(tuning.cpu_threads, 6U);
  EXPECT_EQ(tuning.fetch_concurrency, 64U);
  EXPECT_EQ(tuning.fetch_per_host, 16U);
  EXPECT_EQ(tuning.upload_concurrency, 8U);
  EXPECT_EQ(tuning.memory_limit_bytes, 256 * mib);
  EXPECT_EQ(tuning.connections_max, 256U);
  EXPECT_EQ(tuning.queue_blocks_max, 4U);
  EXPECT_EQ(tuning.pull_groups_max, 1'000U);
  EXPECT_EQ(tuning.batch_bytes_max, 1'044'480U);
  EXPECT_EQ(tuning.batch_raw_bytes_max, 8 * mib);
  EXPECT_EQ(tuning.linger, 1s);
  EXPECT_EQ(tuning.compression, stages::compression_level::fast);
  EXPECT_EQ(tuning.order, stages::row_order::event_name);
  EXPECT_EQ(tuning.poll_interval, 1s);
  EXPECT_EQ(tuning.drain_timeout, 25s);
  EXPECT_EQ(tuning.log_level, engine::log_level::info);
  EXPECT_EQ(tuning.log_format, engine::log_format::text);
  EXPECT_EQ(tuning.admin_listen, (stages::listen_address{"127.0.0.1", 9464}));
}

TEST(load_config_tuning, every_default_is_allowed_and_shown_as_it_is_written) {
  const stages::tuning_options defaults = stages::default_tuning(6);
  for (const stages::tuning_setting& setting : stages::tuning_settings()) {
    stages::tuning_options other = stages::default_tuning(1);
    const auto set = setting.set(other, setting.show(defaults));
    EXPECT_TRUE(set.has_value()) << setting.name;
    EXPECT_EQ(setting.show(other), setting.show(defaults));
  }
}

TEST(load_config_tuning, flag_wins_over_environment_over_file_over_default) {
  const std::string yaml =
      valid_with({{26, "state: { path: s }\ntuning: { linger: 2s, queue_blocks: 5, order: arrival }"}});
  const loaded_config loaded = load(yaml, {.flags = {{"linger", "4s"}},
                                           .variables = {{"PENSTOCK_LINGER", "3s"}, {"PENSTOCK_QUEUE_BLOCKS", "6"}},
                                           .file = "f"});
  ASSERT_TRUE(loaded.config);
  EXPECT_EQ(loaded.config->tuning.linger, 4s);
  EXPECT_EQ(loaded.config->tuning.queue_blocks_max, 6U);
  EXPECT_EQ(loaded.config->tuning.order, stages::row_order::arrival);
  EXPECT_EQ(origin_of(loaded, "linger"), "4s from flag");
  EXPECT_EQ(origin_of(loaded, "queue-blocks"), "6 from environment");
  EXPECT_EQ(origin_of(loaded, "order"), "arrival from file");
  EXPECT_EQ(origin_of(loaded, "poll-interval"), "1s from default");
}

TEST(load_config_tuning, an_empty_variable_is_not_set) {
  const loaded_config loaded = load(valid_with({}), {.flags = {}, .variables = {{"PENSTOCK_LINGER", ""}}, .file = "f"});
  EXPECT_EQ(origin_of(loaded, "linger"), "1s from default");
}

TEST(load_config_tuning, reports_flags_and_variables_under_their_own_names_before_the_file) {
  const loaded_config loaded =
      load(valid_with({{18, "    rule: dcr-1"}, {26, "state: { path: s }\ntuning: { linger: 5 }"}}),
           {.flags = {{"io-threads", "0"}}, .variables = {{"PENSTOCK_LINGER", "x"}}, .file = "f"});
  EXPECT_THAT(
      loaded.errors,
      ElementsAre(
          "--io-threads: is out of range (1..256)",
          "PENSTOCK_LINGER: is not a duration such as 500ms, 30s, 5m or 1h (0s..1m)",
          "f:18: destinations[0].rule: is not the immutable id of a data collection rule (dcr- and 32 hex digits)",
          "f:27: tuning.linger: is not a duration such as 500ms, 30s, 5m or 1h (0s..1m)"));
}

TEST(load_config_tuning, reports_unknown_settings) {
  const loaded_config loaded = load(valid_with({{26, "state: { path: s }\ntuning: { memory-limit: 64MiB }"}}));
  ASSERT_THAT(loaded.errors, SizeIs(1));
  EXPECT_THAT(loaded.errors[0],
              testing::StartsWith("/etc/penstock/p.yaml:27: tuning.memory-limit: unknown key (allowed: io_threads, "));
}

TEST(load_config_tuning, has_a_range_for_each_setting) {
  struct row {
    const char* name;
    std::vector<const char*> good;
    std::vector<std::pair<const char*, const char*>> bad;
  };
  const std::vector<row> rows{
      {"io-threads",
       {"1", "256"},
       {{"0", "is out of range (1..256)"},
        {"257", "is out of range (1..256)"},
        {"-1", "is not a whole number (1..256)"},
        {"1.5", "is not a whole number (1..256)"},
        {"99999999999", "is out of range (1..256)"}}},
      {"cpu-threads", {"1", "256"}, {{"0", "is out of range (1..256)"}, {"cores", "is not a whole number (1..256)"}}},
      {"memory-limit",
       {"64MiB", "1024GiB"},
       {{"63MiB", "is out of range (64MiB..1024GiB)"},
        {"1025GiB", "is out of range (64MiB..1024GiB)"},
        {"64MB", "is not a size such as 512B, 64KiB, 256MiB or 1GiB (64MiB..1024GiB)"}}},
      {"connections-max",
       {"8", "65536"},
       {{"7", "is out of range (8..65536)"}, {"65537", "is out of range (8..65536)"}}},
      {"fetch-concurrency", {"1", "4096"}, {{"0", "is out of range (1..4096)"}, {"4097", "is out of range (1..4096)"}}},
      {"fetch-per-host", {"1", "1024"}, {{"0", "is out of range (1..1024)"}, {"1025", "is out of range (1..1024)"}}},
      {"upload-concurrency", {"1", "256"}, {{"0", "is out of range (1..256)"}, {"257", "is out of range (1..256)"}}},
      {"queue-blocks", {"1", "1024"}, {{"0", "is out of range (1..1024)"}, {"1025", "is out of range (1..1024)"}}},
      {"pull-groups", {"1", "1000"}, {{"0", "is out of range (1..1000)"}, {"1001", "is out of range (1..1000)"}}},
      {"batch-bytes",
       {"64KiB", "1044480B", "1044480"},
       {{"65535", "is out of range (64KiB..1044480B)"}, {"1044481B", "is out of range (64KiB..1044480B)"}}},
      {"batch-raw-bytes",
       {"256KiB", "48MiB"},
       {{"255KiB", "is out of range (256KiB..48MiB)"}, {"49MiB", "is out of range (256KiB..48MiB)"}}},
      {"linger", {"0ms", "1m"}, {{"61s", "is out of range (0s..1m)"}}},
      {"poll-interval", {"10ms", "1h"}, {{"9ms", "is out of range (10ms..1h)"}, {"61m", "is out of range (10ms..1h)"}}},
      {"drain-timeout", {"0s", "1h"}, {{"2h", "is out of range (0s..1h)"}}},
      {"compression", {"fast", "small", "none"}, {{"gzip", "is not one of the choices (fast|small|none)"}}},
      {"order", {"event-name", "arrival"}, {{"event_name", "is not one of the choices (event-name|arrival)"}}},
      {"log-level",
       {"debug", "info", "warn", "error"},
       {{"trace", "is not one of the choices (debug|info|warn|error)"}}},
      {"log-format", {"text", "json"}, {{"xml", "is not one of the choices (text|json)"}}},
      {"admin-listen",
       {"off", "127.0.0.1:0", "[::1]:9464", "localhost:65535"},
       {{"9464", "is not an address to listen on (HOST:PORT, [IPV6]:PORT or off)"},
        {"127.0.0.1", "is not an address to listen on (HOST:PORT, [IPV6]:PORT or off)"},
        {"127.0.0.1:65536", "is not an address to listen on (HOST:PORT, [IPV6]:PORT or off)"},
        {"::1:80", "is not an address to listen on (HOST:PORT, [IPV6]:PORT or off)"}}},
  };
  ASSERT_EQ(rows.size(), stages::tuning_settings().size());
  for (const row& r : rows) {
    for (const char* text : r.good) {
      EXPECT_THAT(load(valid_with({}), {.flags = {{r.name, text}}, .variables = {}, .file = "f"}).errors, IsEmpty())
          << r.name << text;
    }
    for (const auto& [text, problem] : r.bad) {
      EXPECT_THAT(load(valid_with({}), {.flags = {{r.name, text}}, .variables = {}, .file = "f"}).errors,
                  ElementsAre("--" + std::string(r.name) + ": " + problem));
    }
  }
}

TEST(load_config_tuning, a_small_memory_limit_means_fewer_connections_unless_set) {
  const auto connections = [](std::map<std::string, std::string> flags) {
    return load(valid_with({}), {.flags = std::move(flags), .variables = {}, .file = "f"})
        .config->tuning.connections_max;
  };
  EXPECT_EQ(connections({{"memory-limit", "64MiB"}}), 128U);
  EXPECT_EQ(connections({{"memory-limit", "127MiB"}}), 128U);
  EXPECT_EQ(connections({{"memory-limit", "128MiB"}}), 256U);
  EXPECT_EQ(connections({{"memory-limit", "64MiB"}, {"connections-max", "200"}}), 200U);
}

TEST(load_config_tuning, warns_when_connections_could_take_over_half_the_memory) {
  const loaded_config loaded =
      load(valid_with({}), {.flags = {{"connections-max", "820"}}, .variables = {}, .file = "f"});
  ASSERT_TRUE(loaded.config);
  EXPECT_THAT(
      loaded.warnings,
      ElementsAre("connections-max: at 160KiB each, connections could take over half of memory-limit (at most 819)"));
}

TEST(endpoints, are_read_and_written_as_they_go_on_the_wire) {
  const auto wire = [](std::string_view text) {
    const auto endpoint = stages::parse_endpoint(text);
    return endpoint ? endpoint->scheme + " " + stages::host_and_port(*endpoint) : "refused";
  };
  EXPECT_EQ(wire("cn-hangzhou.log.aliyuncs.com"), "https cn-hangzhou.log.aliyuncs.com");
  EXPECT_EQ(wire("HTTPS://Example.COM/"), "https example.com");
  EXPECT_EQ(wire("https://example.com:443"), "https example.com");
  EXPECT_EQ(wire("https://example.com:8443"), "https example.com:8443");
  EXPECT_EQ(wire("http://example.com"), "http example.com");
  EXPECT_EQ(wire("http://example.com:443"), "http example.com:443");
  EXPECT_EQ(wire("127.0.0.1:10012"), "https 127.0.0.1:10012");
  EXPECT_EQ(wire("[::1]:80"), "https [::1]:80");
  EXPECT_EQ(wire("[2001:DB8::1]"), "https [2001:db8::1]");
  for (const char* text : {"https://",
                           "ftp://x",
                           "x:0",
                           "x:65536",
                           "x:",
                           "x:y",
                           "https://user@x",
                           "x/path",
                           "x?q",
                           "x//",
                           "a b",
                           ".x",
                           "x.",
                           "a..b",
                           "::1",
                           "[::1",
                           "[x]",
                           "[1.2.3.4]",
                           "https://https://x",
                           "x:80:80"}) {
    EXPECT_EQ(wire(text), "refused") << text;
  }
}

}  // namespace
}  // namespace penstock
