#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tools/penstock/commands.hpp"

namespace penstock {
namespace {

class check_command_test : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "penstock-check-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  int check(const std::string& yaml) {
    load_request request;
    request.file = file();
    request.environment = [](const std::string&) -> std::optional<std::string> { return std::nullopt; };
    std::ofstream(request.file) << yaml;
    return check_config(request, out_, err_);
  }
  std::string file() const { return (directory_ / "penstock.yaml").string(); }

  std::filesystem::path directory_;
  std::ostringstream out_;
  std::ostringstream err_;
};

const std::string valid = R"(sources:
  - account: prod-cn
    endpoint: 127.0.0.1:8080
    credentials: { type: access_key, access_key_id: id, access_key_secret: sEcReT }
    project: audit-prod
    logstores: [actiontrail_main]
    to: nowhere
destinations:
  - { name: nowhere, type: null }
state: { path: state.db }
)";

TEST_F(check_command_test, says_ok_and_warns_on_standard_error) {
  EXPECT_EQ(check(valid), 0);
  EXPECT_EQ(out_.str(), "ok\n");
  EXPECT_EQ(err_.str(), "warning: " + file() +
                            ":4: sources[0].credentials.access_key_secret: a secret is written in the "
                            "file (better ${env:NAME} or ${file:PATH})\n");
}

TEST_F(check_command_test, lists_all_errors_on_standard_output_and_exits_2) {
  std::string yaml = valid;
  yaml.replace(yaml.find("audit-prod"), 10, "audit_prod");
  yaml.replace(yaml.find("to: nowhere"), 11, "to: elsewhere");
  EXPECT_EQ(check(yaml), 2);
  EXPECT_EQ(out_.str(), file() +
                            ":5: sources[0].project: is not a project name (2 to 63 lower-case letters, digits and "
                            "hyphens, a letter or digit at both ends)\n" +
                            file() + ":7: sources[0].to: names no destination (nowhere)\n");
}

TEST_F(check_command_test, prints_no_secret) {
  std::string yaml = valid;
  yaml.replace(yaml.find("account: prod-cn"), 16, "acount: prod-cn");
  EXPECT_EQ(check(yaml), 2);
  EXPECT_EQ((out_.str() + err_.str()).find("sEcReT"), std::string::npos);
}

TEST_F(check_command_test, changes_nothing) {
  EXPECT_EQ(check(valid), 0);
  EXPECT_FALSE(std::filesystem::exists(directory_ / "state.db"));
}

}  // namespace
}  // namespace penstock
