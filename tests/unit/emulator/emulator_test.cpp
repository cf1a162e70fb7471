#include "tools/emulator/emulator.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tools/emulator/json_value.hpp"

namespace emulator {
namespace {

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(test_cloud, starts_filled_and_leaves_its_files) {
  const auto directory = std::filesystem::path(testing::TempDir()) / "penstock_test_cloud_test";
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  emulator_options options;
  options.accounts = 2;
  options.logstores = 2;
  options.shards = 2;
  options.events = 1001;
  options.duplicate_rate = 0.1;
  options.tls_dir = (directory / "tls").string();
  options.port_file = (directory / "port").string();
  options.ready_file = (directory / "ready.json").string();
  options.write_config = (directory / "penstock.yaml").string();
  {
    test_cloud cloud(options);
    EXPECT_EQ(cloud.url(), "https://127.0.0.1:" + std::to_string(std::stoi(content(options.port_file))));
    const auto ready = parse_json(content(options.ready_file));
    ASSERT_TRUE(ready.has_value());
    EXPECT_EQ(ready->find("url")->text, cloud.url());
    EXPECT_TRUE(std::filesystem::exists(ready->find("ca_file")->text));
    EXPECT_NE(content(options.write_config).find("endpoint: " + cloud.url()), std::string::npos);
    const auto totals = cloud.judge().totals();
    EXPECT_EQ(totals.stored, 1001U);
    EXPECT_EQ(totals.missing, 1001U);
    EXPECT_EQ(totals.unknown, 0U);
  }
  std::filesystem::remove_all(directory);
}

TEST(test_cloud, bad_faults_stop_the_start) {
  emulator_options options;
  options.faults = "[{}]";
  try {
    const test_cloud cloud(options);
    FAIL() << "started";
  } catch (const std::runtime_error& refused) {
    EXPECT_STREQ(refused.what(), "faults[0].kind: missing");
  }
}

}  // namespace
}  // namespace emulator
