#include "tools/emulator/cloud.hpp"

#include <gtest/gtest.h>

#include "tools/emulator/json_value.hpp"

namespace emulator {
namespace {

class cloud_test : public testing::Test {
 protected:
  cloud_test() {
    const auto named = [](std::string name) {
      return [name](const request&) {
        response answer;
        answer.text(name);
        return answer;
      };
    };
    cloud_roles roles{named("control"), named("metadata"), named("azure"), named("sts"),
                      [](const request&, const addressed& to) {
                        response answer;
                        answer.status = 404;
                        answer.text("sls " + std::string(to.op));
                        return answer;
                      }};
    handlers_ = make_handlers(std::move(roles), book_, faults_, ledger_);
  }
  static request to(std::string method, std::string_view target) {
    request r;
    r.method = std::move(method);
    r.headers = {{"host", "audit-00001.localhost"}};
    set_target(r, target);
    return r;
  }
  std::string answer(std::string method, std::string_view target) {
    return *handlers_.handle(to(std::move(method), target)).body;
  }

  account_book book_{1, 1, 1};
  fault_plan faults_{1};
  ledger ledger_{[](const shard_key&, std::uint64_t, std::uint64_t) { return std::vector<std::string>(); }};
  http_handlers handlers_;
};

TEST_F(cloud_test, every_request_reaches_its_role) {
  EXPECT_EQ(answer("GET", "/emulator/ledger"), "control");
  EXPECT_EQ(answer("PUT", "/latest/api/token"), "metadata");
  EXPECT_EQ(answer("GET", "/metadata/identity/oauth2/token"), "azure");
  EXPECT_EQ(answer("POST", "/dataCollectionRules/dcr-1/streams/s"), "azure");
  EXPECT_EQ(answer("POST", "/t/oauth2/v2.0/token"), "azure");
  EXPECT_EQ(answer("POST", "/?Action=AssumeRole"), "sts");
  EXPECT_EQ(answer("GET", "/logstores/l/shards"), "sls list_shards");
}

TEST_F(cloud_test, requests_of_roles_are_counted_and_those_of_tests_are_not) {
  const auto requests = [&] {
    const auto report = parse_json(ledger_.report());
    EXPECT_TRUE(report.has_value());
    return report && report->find("requests") != nullptr ? *report->find("requests") : json_value{};
  };
  answer("GET", "/emulator/ledger");
  const auto before = requests();
  answer("GET", "/logstores/l/shards");
  const auto after = requests();
  EXPECT_TRUE(before.names.empty());
  EXPECT_FALSE(after.names.empty());
}

TEST_F(cloud_test, a_reset_before_the_body_is_decided_by_the_headers) {
  ASSERT_TRUE(
      faults_.replace(R"([{"role":"ingest","op":"upload","match":{"rule":"dcr-1"},"kind":"reset_before","count":1}])"));
  EXPECT_FALSE(handlers_.resets_before(to("POST", "/emulator/append")));
  EXPECT_FALSE(handlers_.resets_before(to("POST", "/dataCollectionRules/dcr-2/streams/s")));
  EXPECT_TRUE(handlers_.resets_before(to("POST", "/dataCollectionRules/dcr-1/streams/s")));
  EXPECT_FALSE(handlers_.resets_before(to("POST", "/dataCollectionRules/dcr-1/streams/s")));
}

TEST_F(cloud_test, only_the_comparison_runs_apart) {
  EXPECT_TRUE(handlers_.runs_apart(to("GET", "/emulator/ledger")));
  EXPECT_FALSE(handlers_.runs_apart(to("GET", "/logstores")));
}

}  // namespace
}  // namespace emulator
