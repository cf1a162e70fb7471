// The checks of single values at their edges; their messages and the file around them: tools/load_config_test.cpp.
#include "stages/config.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace stages {
namespace {

using parser = std::expected<std::string, std::string> (*)(std::string_view);

// Each good text is taken as it is.
void expect_taken(parser parse, const std::vector<std::string>& good) {
  for (const std::string& text : good) {
    const auto value = parse(text);
    ASSERT_TRUE(value.has_value()) << '"' << text << "\": " << value.error();
    EXPECT_EQ(*value, text);
  }
}
// A refusal reads "problem (what is allowed)" and does not repeat the value: it may be a secret in the wrong place.
void expect_refused(parser parse, const std::vector<std::string>& bad) {
  for (const std::string& text : bad) {
    const auto value = parse(text);
    ASSERT_FALSE(value.has_value()) << '"' << text << '"';
    EXPECT_TRUE(value.error().ends_with(')') && value.error().find(" (") != std::string::npos) << value.error();
    if (text.size() > 8) EXPECT_EQ(value.error().find(text), std::string::npos) << value.error();
  }
}

std::string letters(std::size_t count) { return std::string(count, 'a'); }

TEST(config_values, an_account_is_any_label_of_up_to_128_bytes) {
  expect_taken(parse_account, {"a", "prod-cn", "Konto \xc3\xa4 7", letters(128)});
  expect_refused(parse_account, {letters(129), "line\nbreak", std::string("nul\0byte", 8), "delete\x7f"});
}

TEST(config_values, a_region_may_be_left_empty) {
  expect_taken(parse_region, {"", "cn-hangzhou", "eu-central-1", letters(63)});
  expect_refused(parse_region, {letters(64), "CN-Hangzhou", "cn_hangzhou", "cn hangzhou"});
}

TEST(config_values, a_project_is_named_as_sls_allows) {
  expect_taken(parse_project, {"ab", "a-1", "1-a", letters(63)});
  expect_refused(parse_project, {"", "a", letters(64), "-ab", "ab-", "a_b", "Audit", "a.b"});
}

TEST(config_values, a_logstore_may_have_underscores_inside) {
  expect_taken(parse_logstore, {"ab", "actiontrail_main", "a-_1", letters(63)});
  expect_refused(parse_logstore, {"", "a", letters(64), "_ab", "ab_", "Trail", "a.b"});
}

TEST(config_values, a_glob_is_told_apart_from_a_bad_name) {
  for (const char* text : {"trail-*", "trail?", "[ab]trail"}) {
    EXPECT_EQ(parse_logstore(text).error(), "globs are not yet supported (names)");
  }
}

TEST(config_values, a_start_is_begin_end_or_a_time) {
  EXPECT_EQ(parse_start("begin"), start_position(start_begin{}));
  EXPECT_EQ(parse_start("end"), start_position(start_end{}));
  const engine::wall_time time = std::chrono::sys_days(std::chrono::year(2026) / 1 / 2) + std::chrono::hours(3);
  EXPECT_EQ(parse_start("2026-01-02T03:00:00Z"), start_position(time));
  EXPECT_EQ(parse_start("2026-01-02T11:00:00+08:00"), start_position(time));
  EXPECT_FALSE(parse_start("Begin").has_value());
  EXPECT_FALSE(parse_start("").has_value());
}

TEST(config_values, a_destination_name_serves_as_a_metric_label_and_in_file_names) {
  expect_taken(parse_destination_name, {"a", "sentinel-main_2.eu", letters(64)});
  expect_refused(parse_destination_name, {"", letters(65), "a/b", "a b", "\xc3\xa4"});
}

TEST(config_values, destination_types_are_sentinel_and_null) {
  EXPECT_EQ(parse_destination_type("sentinel"), destination_type::sentinel);
  EXPECT_EQ(parse_destination_type("null"), destination_type::null);
  EXPECT_EQ(parse_destination_type("file").error(), "type file is not yet supported (sentinel or null)");
  EXPECT_FALSE(parse_destination_type("").has_value());
  EXPECT_FALSE(parse_destination_type("Sentinel").has_value());
}

TEST(config_values, row_formats_are_value_and_typed) {
  EXPECT_EQ(parse_row_format("value"), row_format::value);
  EXPECT_EQ(parse_row_format("typed"), row_format::typed);
  EXPECT_FALSE(parse_row_format("").has_value());
  EXPECT_FALSE(parse_row_format("Value").has_value());
}

TEST(config_values, a_rule_is_written_in_any_case_and_kept_in_lower_case) {
  const std::string hex = "0123456789abcdef0123456789abcdef";
  EXPECT_EQ(parse_rule("dcr-" + hex), "dcr-" + hex);
  EXPECT_EQ(parse_rule("DCR-0123456789ABCDEF0123456789ABCDEF"), "dcr-" + hex);
  expect_refused(parse_rule, {"", "dcr-", hex, "dcr-" + hex + "0", "dcr-" + hex.substr(1), "dcr_" + hex,
                              "dcr-" + hex.substr(1) + "g", "dcr-" + hex.substr(1) + " "});
}

TEST(config_values, a_stream_begins_with_custom) {
  expect_taken(parse_stream, {"Custom-A", "Custom-AliCloud_Action-Trail7", "Custom-" + letters(128)});
  expect_refused(parse_stream, {"", "Custom-", "custom-A", "Custom_A", "Microsoft-A", "Custom-a b", "Custom-a/b",
                                "Custom-" + letters(129)});
}

TEST(config_values, a_tenant_is_an_id_or_a_domain) {
  expect_taken(parse_tenant, {"contoso.onmicrosoft.com", "72f988bf-86f1-41af-91ab-2d7cd011db47", letters(253)});
  expect_refused(parse_tenant, {"", letters(254), "a/b", "a_b", "../x"});
}

TEST(config_values, a_client_id_has_letters_digits_and_three_signs) {
  expect_taken(parse_client_id, {"app", "a-b_c.9", letters(128)});
  expect_refused(parse_client_id, {"", letters(129), "a&b", "a b"});
}

TEST(config_values, an_address_to_listen_on_has_a_port_or_is_off) {
  EXPECT_EQ(parse_listen_address("off"), listen_address{});
  EXPECT_EQ(parse_listen_address("LOCALHOST:0"), (listen_address{"localhost", 0}));
  EXPECT_EQ(parse_listen_address("[::1]:65535"), (listen_address{"::1", 65535}));
  for (const char* text : {"", ":", ":80", "[]:80", "[::1]", "host:-1", "host:+1", "host:80 ", "http://host:80"}) {
    EXPECT_FALSE(parse_listen_address(text).has_value()) << text;
  }
}

TEST(config_values, an_endpoint_without_a_host_is_none) {
  for (const char* text : {"", "/", "http://", "https:///", "[]", "http://[]:80"}) {
    EXPECT_FALSE(parse_endpoint(text).has_value()) << text;
  }
  EXPECT_FALSE(parse_endpoint(letters(254)).has_value());
  EXPECT_EQ(parse_endpoint(letters(253))->host, letters(253));
}

TEST(config_values, an_endpoint_has_the_port_of_its_scheme_unless_it_names_one) {
  EXPECT_EQ(parse_endpoint("x"), (endpoint_address{.scheme = "https", .host = "x", .port = 443}));
  EXPECT_EQ(parse_endpoint("http://x/"), (endpoint_address{.scheme = "http", .host = "x", .port = 80}));
  EXPECT_EQ(parse_endpoint("x:1"), (endpoint_address{.scheme = "https", .host = "x", .port = 1}));
  EXPECT_EQ(parse_endpoint("http://[FE80::1]:8080"),
            (endpoint_address{.scheme = "http", .host = "fe80::1", .port = 8080}));
}

TEST(config_values, connections_default_to_fewer_only_below_the_limit_that_is_documented) {
  EXPECT_EQ(few_connections_below_bytes, 128 * engine::mib);
  EXPECT_EQ(few_connections, 128U);
  EXPECT_GT(tuning_options{}.connections_max, few_connections);
}

}  // namespace
}  // namespace stages
