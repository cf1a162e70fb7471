#include "stages/telemetry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace stages {
namespace {

using testing::ElementsAre;
using testing::IsSubsetOf;

std::vector<std::string> lines_of(const std::string& text, std::string_view beginning) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(beginning)) out.push_back(line);
  }
  return out;
}

std::size_t occurrences(const std::string& text, const std::string& line) {
  std::size_t count = 0;
  for (const auto& found : lines_of(text, line)) count += found == line;
  return count;
}

TEST(telemetry, names_the_stages_in_the_order_of_the_path) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < stage_count; ++i) names.emplace_back(name_of(static_cast<stage_name>(i)));
  EXPECT_THAT(names, ElementsAre("fetch", "decompress", "decode", "parse", "transform", "batch", "compress", "upload"));
}

TEST(telemetry, has_every_series_of_the_process_once_and_at_zero) {
  engine::metric_registry registry;
  const telemetry counts(registry);
  const std::string text = registry.prometheus_text();
  for (const char* name : {"penstock_events_pulled_total",
                           "penstock_events_accepted_total",
                           "penstock_duplicates_possible_total",
                           "penstock_dead_letter_records_total",
                           "penstock_cut_fields_total",
                           "penstock_pulled_bytes_total",
                           "penstock_rows_bytes_total",
                           "penstock_uploaded_bytes_total",
                           "penstock_duplicate_keys_total",
                           "penstock_rebuilt_events_total",
                           "penstock_bad_event_times_total",
                           "penstock_bad_booleans_total",
                           "penstock_repaired_events_total",
                           "penstock_replies_undecodable_total",
                           "penstock_replies_refused_total",
                           "penstock_rewinds_total",
                           "penstock_cursor_gaps_total",
                           "penstock_commits_total",
                           "penstock_memory_budget_used_bytes",
                           "penstock_memory_budget_waiting",
                           "penstock_lag_seconds_max"}) {
    EXPECT_THAT(lines_of(text, std::string(name) + " "), ElementsAre(std::string(name) + " 0"));
    EXPECT_EQ(lines_of(text, "# HELP " + std::string(name) + " ").size(), 1U) << name;
    EXPECT_EQ(lines_of(text, "# TYPE " + std::string(name) + " ").size(), 1U) << name;
  }
}

TEST(telemetry, every_counter_is_behind_the_name_that_says_what_it_counts) {
  engine::metric_registry registry;
  telemetry counts(registry);
  const std::vector<std::pair<engine::counter*, const char*>> counters{
      {&counts.events_in, "penstock_events_pulled_total"},
      {&counts.events_delivered, "penstock_events_accepted_total"},
      {&counts.duplicates_possible, "penstock_duplicates_possible_total"},
      {&counts.dead_letters_total, "penstock_dead_letter_records_total"},
      {&counts.cut_fields, "penstock_cut_fields_total"},
      {&counts.bytes_in, "penstock_pulled_bytes_total"},
      {&counts.bytes_raw, "penstock_rows_bytes_total"},
      {&counts.bytes_wire, "penstock_uploaded_bytes_total"},
      {&counts.duplicate_keys, "penstock_duplicate_keys_total"},
      {&counts.rebuilt_events, "penstock_rebuilt_events_total"},
      {&counts.bad_event_times, "penstock_bad_event_times_total"},
      {&counts.bad_booleans, "penstock_bad_booleans_total"},
      {&counts.repaired_events, "penstock_repaired_events_total"},
      {&counts.replies_undecodable, "penstock_replies_undecodable_total"},
      {&counts.replies_refused, "penstock_replies_refused_total"},
      {&counts.rewinds, "penstock_rewinds_total"},
      {&counts.cursor_gaps, "penstock_cursor_gaps_total"},
      {&counts.commits, "penstock_commits_total"}};
  for (std::size_t i = 0; i < counters.size(); ++i) counters[i].first->add(static_cast<double>(i + 1));
  counts.budget_bytes.set(101);
  counts.budget_waiting.set(102);
  counts.lag_seconds_max.set(103);
  const std::string text = registry.prometheus_text();
  for (std::size_t i = 0; i < counters.size(); ++i) {
    EXPECT_EQ(occurrences(text, counters[i].second + (" " + std::to_string(i + 1))), 1U) << counters[i].second;
  }
  EXPECT_EQ(occurrences(text, "penstock_memory_budget_used_bytes 101"), 1U);
  EXPECT_EQ(occurrences(text, "penstock_memory_budget_waiting 102"), 1U);
  EXPECT_EQ(occurrences(text, "penstock_lag_seconds_max 103"), 1U);
}

TEST(telemetry, labels_each_stage_with_its_name) {
  engine::metric_registry registry;
  telemetry counts(registry);
  for (std::size_t i = 0; i < stage_count; ++i) {
    auto& meter = counts.stage(static_cast<stage_name>(i));
    meter.events->add(static_cast<double>(i + 1));
    meter.busy_s->add(0.5);
    meter.wait_s->add(0.25);
  }
  const std::string text = registry.prometheus_text();
  for (std::size_t i = 0; i < stage_count; ++i) {
    const std::string label = "{stage=\"" + std::string(name_of(static_cast<stage_name>(i))) + "\"} ";
    EXPECT_EQ(occurrences(text, "penstock_stage_events_total" + label + std::to_string(i + 1)), 1U);
    EXPECT_EQ(occurrences(text, "penstock_stage_busy_seconds_total" + label + "0.5"), 1U);
    EXPECT_EQ(occurrences(text, "penstock_stage_wait_seconds_total" + label + "0.25"), 1U);
  }
  EXPECT_EQ(lines_of(text, "penstock_stage_events_total{").size(), stage_count);
}

TEST(telemetry, keeps_one_meter_for_each_account) {
  engine::metric_registry registry;
  telemetry counts(registry);
  auto& prod = counts.account("prod");
  auto& test = counts.account("test");
  EXPECT_EQ(&counts.account("prod"), &prod);
  prod.events_in->add(7);
  prod.bytes_in->add(70);
  test.throttled->add(2);
  const std::string text = registry.prometheus_text();
  EXPECT_THAT(lines_of(text, "penstock_account_"),
              testing::UnorderedElementsAre("penstock_account_events_pulled_total{account=\"prod\"} 7",
                                            "penstock_account_events_pulled_total{account=\"test\"} 0",
                                            "penstock_account_pulled_bytes_total{account=\"prod\"} 70",
                                            "penstock_account_pulled_bytes_total{account=\"test\"} 0",
                                            "penstock_account_throttled_total{account=\"prod\"} 0",
                                            "penstock_account_throttled_total{account=\"test\"} 2"));
}

TEST(telemetry, keeps_one_meter_for_each_destination) {
  engine::metric_registry registry;
  telemetry counts(registry);
  auto& meter = counts.destination("main");
  EXPECT_EQ(&counts.destination("main"), &meter);
  meter.events_delivered->add(1);
  meter.bytes_wire->add(2);
  meter.bytes_raw->add(3);
  meter.requests->add(4);
  meter.throttled->add(5);
  meter.splits->add(6);
  meter.bodies_waiting->set(7);
  meter.in_flight->set(8);
  meter.parked->set(1);
  EXPECT_THAT(lines_of(registry.prometheus_text(), "penstock_destination_"),
              testing::UnorderedElementsAre("penstock_destination_events_accepted_total{destination=\"main\"} 1",
                                            "penstock_destination_uploaded_bytes_total{destination=\"main\"} 2",
                                            "penstock_destination_rows_bytes_total{destination=\"main\"} 3",
                                            "penstock_destination_requests_total{destination=\"main\"} 4",
                                            "penstock_destination_throttled_total{destination=\"main\"} 5",
                                            "penstock_destination_splits_total{destination=\"main\"} 6",
                                            "penstock_destination_bodies_waiting{destination=\"main\"} 7",
                                            "penstock_destination_in_flight{destination=\"main\"} 8",
                                            "penstock_destination_parked{destination=\"main\"} 1"));
}

TEST(telemetry, counts_dead_letters_by_reason_and_failures_by_service_and_class) {
  engine::metric_registry registry;
  telemetry counts(registry);
  counts.dead_letters("bad_json").add(2);
  counts.dead_letters("bad_json").add();
  counts.dead_letters("refused_row").add();
  counts.failures("sls", "throttled").add(4);
  counts.failures("entra", "throttled").add();
  const std::string text = registry.prometheus_text();
  EXPECT_THAT(lines_of(text, "penstock_dead_letters_total{"),
              testing::UnorderedElementsAre("penstock_dead_letters_total{reason=\"bad_json\"} 3",
                                            "penstock_dead_letters_total{reason=\"refused_row\"} 1"));
  EXPECT_THAT(
      lines_of(text, "penstock_request_failures_total{"),
      testing::UnorderedElementsAre("penstock_request_failures_total{fault=\"throttled\",service=\"sls\"} 4",
                                    "penstock_request_failures_total{fault=\"throttled\",service=\"entra\"} 1"));
}

// Names as Prometheus wants them: counters end in _total, and nothing is called two things.
TEST(telemetry, every_counter_ends_in_total_and_no_gauge_does) {
  engine::metric_registry registry;
  telemetry counts(registry);
  counts.account("a");
  counts.destination("d");
  std::set<std::string> kinds;
  for (const auto& line : lines_of(registry.prometheus_text(), "# TYPE ")) {
    std::istringstream in(line);
    std::string sign, type, name, kind;
    in >> sign >> type >> name >> kind;
    EXPECT_TRUE(name.starts_with("penstock_")) << name;
    EXPECT_EQ(name.ends_with("_total"), kind == "counter") << line;
    EXPECT_TRUE(kinds.insert(name).second) << name << " is declared twice";
  }
  EXPECT_THAT((std::vector<std::string>{"penstock_commits_total", "penstock_destination_parked"}), IsSubsetOf(kinds));
}

}  // namespace
}  // namespace stages
