#include "tools/emulator/cloud_files.hpp"

#include <gtest/gtest.h>

#include "tools/emulator/json_value.hpp"

namespace emulator {
namespace {

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

class cloud_files_test : public testing::Test {
 protected:
  account_book book_{1, 3, 2};
  azure_book azure_ = make_azure_book(1, 2);
};

TEST_F(cloud_files_test, the_ready_file_names_everything_a_client_needs) {
  const auto ready = parse_json(ready_json({"https://127.0.0.1:1234", "/tls/ca.pem", book_, azure_}));
  ASSERT_TRUE(ready.has_value());
  EXPECT_EQ(ready->find("url")->text, "https://127.0.0.1:1234");
  EXPECT_EQ(ready->find("ca_file")->text, "/tls/ca.pem");
  ASSERT_EQ(ready->find("accounts")->items.size(), 3U);
  const auto& second = ready->find("accounts")->items[1];
  EXPECT_EQ(second.find("account")->text, book_.accounts()[1].id);
  EXPECT_EQ(second.find("access_key_id")->text, book_.accounts()[1].access_key_id);
  EXPECT_EQ(second.find("access_key_secret")->text, book_.accounts()[1].access_key_secret);
  EXPECT_EQ(second.find("region")->text, book_.accounts()[1].region);
  EXPECT_EQ(second.find("project")->text, book_.accounts()[1].project);
  EXPECT_EQ(second.find("logstores")->items.size(), 2U);
  const auto* azure = ready->find("azure");
  EXPECT_EQ(azure->find("tenant")->text, azure_.tenant);
  EXPECT_EQ(azure->find("client_id")->text, azure_.client_id);
  EXPECT_EQ(azure->find("client_secret")->text, azure_.client_secret);
  EXPECT_EQ(azure->find("rules")->items[1].find("rule")->text, azure_.rules[1].rule);
  EXPECT_EQ(azure->find("rules")->items[1].find("stream")->text, "Custom-AliCloudActionTrailLogs");
}

TEST_F(cloud_files_test, the_configuration_deals_accounts_to_rules_in_turn) {
  emulator_options options;
  options.format = "typed";
  const auto text = config_yaml({"http://127.0.0.1:1234", "", book_, azure_}, options);
  EXPECT_EQ(count_of(text, "  - account: "), 3U);
  EXPECT_EQ(count_of(text, "    to: sentinel-1\n"), 2U);
  EXPECT_EQ(count_of(text, "    to: sentinel-2\n"), 1U);
  EXPECT_EQ(count_of(text, "    format: typed\n"), 2U);
  EXPECT_EQ(count_of(text, "    authority: http://127.0.0.1:1234\n"), 2U);
  EXPECT_EQ(count_of(text, "    coordination: none\n"), 3U);
  EXPECT_EQ(count_of(text, "consumer_group:"), 0U);
  EXPECT_EQ(count_of(text, "tls:"), 0U);
  EXPECT_TRUE(text.ends_with("state: { path: state.db }\n"));
}

TEST_F(cloud_files_test, the_configuration_names_group_and_authority_when_asked_for) {
  emulator_options options;
  options.coordination = "consumer_group";
  options.consumer_group = "penstock";
  const auto text = config_yaml({"https://127.0.0.1:1234", "/tls/ca.pem", book_, azure_}, options);
  EXPECT_EQ(count_of(text, "    coordination: consumer_group\n    consumer_group: \"penstock\"\n"), 3U);
  EXPECT_EQ(count_of(text, "tls: { ca_file: \"/tls/ca.pem\" }\n"), 1U);
}

}  // namespace
}  // namespace emulator
