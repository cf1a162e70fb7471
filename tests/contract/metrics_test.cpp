// Every stage tells what it did: a whole data path runs once and the registry's text is read.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

#include "stages/data_path.hpp"
#include "stages/telemetry.hpp"
#include "tests/contract/tiny_cloud.hpp"
#include "tests/support/simulated_executor.hpp"

namespace {

// The value of a series in Prometheus text; nothing when there is no such line.
std::optional<double> value_of(const std::string& text, const std::string& series) {
  const auto at = text.find("\n" + series + " ");
  if (at == std::string::npos) return std::nullopt;
  return std::stod(text.substr(at + series.size() + 2));
}

std::string of_stage(std::string_view metric, stages::stage_name stage) {
  return "penstock_stage_" + std::string(metric) + "_total{stage=\"" + std::string(name_of(stage)) + "\"}";
}

std::string block_of(int first, int count, std::string_view broken = {}) {
  tests::log_group_builder group;
  for (int i = first; i < first + count; ++i) {
    group.event(R"({"eventId":"id-)" + std::to_string(i) +
                R"(","eventName":"GetObject","eventTime":"2026-11-20T07:59:00Z"})");
  }
  if (!broken.empty()) group.event(broken);
  return tests::group_list({group});
}

class whole_path : public testing::Test {
 protected:
  void run(std::vector<std::string> blocks) {
    cloud.emplace(std::move(blocks));
    const stages::path_ports ports{.where = sim.get_executor(),
                                   .clock = sim,
                                   .rng = sim,
                                   .cpu = cpu,
                                   .pulls = cloud->exchange(),
                                   .uploads = cloud->exchange(),
                                   .store = store,
                                   .log = *log,
                                   .metrics = metrics};
    stages::data_path path(tests::tiny_config(), {.once = true}, ports, counts);
    sim.spawn(path.run());
    ASSERT_TRUE(sim.run());
    sim.check();
    ASSERT_EQ(sim.running(), 0U) << "the path did not end";
    EXPECT_FALSE(path.result().failed) << path.result().why;
    EXPECT_EQ(path.memory().in_use(), 0U);
    memory_peak = path.memory().in_use_peak();
    memory_max = path.memory().bytes_max();
    text = metrics.prometheus_text();
  }
  [[nodiscard]] double value(const std::string& series) const {
    const auto found = value_of(text, series);
    EXPECT_TRUE(found.has_value()) << series << " is missing in\n" << text;
    return found.value_or(-1);
  }

  support::simulation sim{7};
  support::simulated_cpu cpu{sim, 2};
  tests::memory_store store;
  std::unique_ptr<engine::logger> log = engine::make_null_logger();
  engine::metric_registry metrics;
  stages::telemetry counts{metrics};
  std::optional<tests::tiny_cloud> cloud;
  std::string text;
  std::size_t memory_peak = 0;
  std::size_t memory_max = 0;
};

TEST_F(whole_path, every_stage_has_its_three_series) {
  run({block_of(0, 3)});
  for (std::size_t i = 0; i < stages::stage_count; ++i) {
    const auto stage = static_cast<stages::stage_name>(i);
    EXPECT_GE(value(of_stage("events", stage)), 0);
    EXPECT_GE(value(of_stage("busy_seconds", stage)), 0);
    EXPECT_GE(value(of_stage("wait_seconds", stage)), 0);
  }
}

TEST_F(whole_path, every_stage_counts_each_event_once) {
  run({block_of(0, 3), block_of(3, 4)});
  for (std::size_t i = 0; i < stages::stage_count; ++i) {
    const auto stage = static_cast<stages::stage_name>(i);
    EXPECT_EQ(value(of_stage("events", stage)), 7) << name_of(stage);
  }
  EXPECT_EQ(value("penstock_events_pulled_total"), 7);
  EXPECT_EQ(value("penstock_events_accepted_total"), 7);
  EXPECT_EQ(value(R"(penstock_account_events_pulled_total{account="prod-cn"})"), 7);
  EXPECT_EQ(value(R"(penstock_destination_events_accepted_total{destination="sentinel-main"})"), 7);
}

TEST_F(whole_path, an_event_set_aside_is_counted_up_to_the_stage_that_did_it) {
  run({block_of(0, 3, "{not json")});
  using enum stages::stage_name;
  for (const auto stage : {decompress, decode, parse}) EXPECT_EQ(value(of_stage("events", stage)), 4) << name_of(stage);
  for (const auto stage : {transform, batch, compress, upload}) {
    EXPECT_EQ(value(of_stage("events", stage)), 3) << name_of(stage);
  }
  EXPECT_EQ(value(R"(penstock_dead_letters_total{reason="bad_json"})"), 1);
  ASSERT_EQ(store.letters().size(), 1U);
  EXPECT_EQ(store.letters()[0].original, "{not json");
}

TEST_F(whole_path, a_logstore_without_events_uploads_nothing_and_commits_nothing) {
  run({});
  EXPECT_TRUE(cloud->uploads().empty());
  EXPECT_EQ(value("penstock_events_pulled_total"), 0);
  for (const auto& [route, position] : store.positions()) {
    EXPECT_TRUE(position.committed.empty() || position.committed == stages::sls::encode_cursor(tests::first_cursor));
  }
}

TEST_F(whole_path, commits_the_cursor_of_the_last_reply_and_stays_within_its_memory) {
  run({block_of(0, 400), block_of(400, 400), block_of(800, 1)});
  ASSERT_EQ(store.positions().size(), 1U);
  EXPECT_EQ(store.positions().begin()->second.committed, stages::sls::encode_cursor(tests::first_cursor + 3));
  EXPECT_GT(memory_peak, 0U);
  EXPECT_LE(memory_peak, memory_max);
}

}  // namespace
