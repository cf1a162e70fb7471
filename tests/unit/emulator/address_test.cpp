#include "tools/emulator/address.hpp"

#include <gtest/gtest.h>

namespace emulator {
namespace {

using to = addressed::to;

class address_test : public testing::Test {
 protected:
  addressed find(std::string method, std::string_view target, std::string host = "audit-00002.localhost:80",
                 header_list more = {}) {
    request r;
    r.method = std::move(method);
    r.headers = std::move(more);
    r.headers.emplace_back("host", std::move(host));
    set_target(r, target);
    return address(r, book_);
  }
  account_book book_{1, 3, 1};
};

TEST_F(address_test, roles_are_told_apart_by_path_and_method) {
  EXPECT_EQ(find("GET", "/emulator/ledger").service, to::control);
  EXPECT_EQ(find("PUT", "/latest/api/token").service, to::ecs_metadata);
  EXPECT_EQ(find("GET", "/metadata/identity/oauth2/token").service, to::azure_metadata);
  EXPECT_EQ(find("POST", "/dataCollectionRules/dcr-1/streams/s").service, to::ingestion);
  EXPECT_EQ(find("POST", "/tenant/oauth2/v2.0/token").service, to::entra);
  EXPECT_EQ(find("GET", "/tenant/v2.0/.well-known/openid-configuration").service, to::entra);
  EXPECT_EQ(find("POST", "/?Action=AssumeRole").service, to::sts);
  EXPECT_EQ(find("POST", "/", "x", {{"content-type", "application/x-www-form-urlencoded"}}).service, to::sts);
  EXPECT_EQ(find("GET", "/").service, to::sls);
}

TEST_F(address_test, an_upload_names_its_rule) {
  EXPECT_EQ(find("POST", "/dataCollectionRules/dcr-1/streams/s").rule, "dcr-1");
}

TEST_F(address_test, the_project_is_the_first_label_of_host) {
  const auto pull = find("GET", "/logstores/ls/shards/3?type=log");
  EXPECT_EQ(pull.project, "audit-00002");
  EXPECT_EQ(pull.account, book_.accounts()[1].id);
  EXPECT_EQ(pull.logstore, "ls");
  EXPECT_EQ(pull.op, "pull_logs");
  EXPECT_EQ(find("GET", "/logstores", "audit-00003.127.0.0.1:8080").project, "audit-00003");
  EXPECT_EQ(find("GET", "/logstores", "audit-00003.cn-hangzhou.log.aliyuncs.com").project, "audit-00003");
}

TEST_F(address_test, a_bare_host_means_the_only_project_there_is) {
  const account_book one(1, 1, 1);
  for (const auto* host : {"127.0.0.1:8080", "localhost", "[::1]:8080"}) {
    request r;
    r.method = "GET";
    r.headers = {{"host", host}};
    set_target(r, "/logstores");
    EXPECT_EQ(address(r, one).project, "audit-00001") << host;
    EXPECT_EQ(address(r, book_).project, "") << host;
    set_target(r, "/");
    EXPECT_EQ(address(r, one).op, "list_projects") << host;
  }
}

TEST_F(address_test, operations_have_the_names_faults_use) {
  EXPECT_EQ(find("GET", "/logstores/l/shards").op, "list_shards");
  EXPECT_EQ(find("GET", "/logstores/l/shards/0?type=cursor&from=begin").op, "get_cursor");
  EXPECT_EQ(find("GET", "/logstores/l/shards/0?type=logs").op, "pull_logs");
  EXPECT_EQ(find("POST", "/logstores/l/shards/lb").op, "put_logs");
  EXPECT_EQ(find("POST", "/logstores/l").op, "put_logs");
  EXPECT_EQ(find("POST", "/logstores/l/shards/0?action=split").op, "split_shard");
  EXPECT_EQ(find("POST", "/logstores/l/consumergroups/g?type=heartbeat").op, "heartbeat");
  EXPECT_EQ(find("POST", "/logstores/l/consumergroups/g?type=checkpoint").op, "checkpoint");
  EXPECT_EQ(find("GET", "/logstores/l/consumergroups/g").op, "get_checkpoint");
  EXPECT_EQ(find("GET", "/").op, "get_project");
  EXPECT_EQ(find("GET", "/", "cn-hangzhou.localhost").op, "list_projects");
}

}  // namespace
}  // namespace emulator
