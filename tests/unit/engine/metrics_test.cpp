#include "engine/base/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace engine {
namespace {

using testing::HasSubstr;

TEST(metrics, gives_the_same_instrument_for_the_same_name_and_labels) {
  metric_registry registry;
  counter& first = registry.counter("penstock_events_total", "Events.", {{"account", "a"}});
  counter& again = registry.counter("penstock_events_total", "Events.", {{"account", "a"}});
  counter& other = registry.counter("penstock_events_total", "Events.", {{"account", "b"}});
  EXPECT_EQ(&first, &again);
  EXPECT_NE(&first, &other);
  first.add();
  again.add(2);
  EXPECT_EQ(first.value(), 3);
  EXPECT_EQ(other.value(), 0);
}

TEST(metrics, sets_and_moves_gauges) {
  metric_registry registry;
  gauge& bytes = registry.gauge("penstock_budget_bytes", "Bytes.");
  bytes.set(10);
  bytes.add(-4);
  EXPECT_EQ(bytes.value(), 6);
}

TEST(metrics, writes_help_type_and_value_once_per_name) {
  metric_registry registry;
  registry.counter("penstock_events_total", "Events delivered.", {{"account", "a"}}).add(5);
  registry.counter("penstock_events_total", "Events delivered.", {{"account", "b"}}).add(7);
  registry.gauge("penstock_lag_seconds", "Lag.").set(1.5);
  const std::string text = registry.prometheus_text();
  EXPECT_THAT(text, HasSubstr("# HELP penstock_events_total Events delivered.\n"
                              "# TYPE penstock_events_total counter\n"));
  EXPECT_THAT(text, HasSubstr("penstock_events_total{account=\"a\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("penstock_events_total{account=\"b\"} 7\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE penstock_lag_seconds gauge\npenstock_lag_seconds 1.5\n"));
  EXPECT_EQ(text.find("# HELP penstock_events_total"), text.rfind("# HELP penstock_events_total"));
}

TEST(metrics, counts_observations_below_each_bound) {
  metric_registry registry;
  histogram& seconds = registry.histogram("penstock_upload_seconds", "Uploads.", {{"rule", "r"}}, {0.1, 1});
  EXPECT_EQ(&seconds, &registry.histogram("penstock_upload_seconds", "Uploads.", {{"rule", "r"}}, {0.1, 1}));
  seconds.observe(0.05);
  seconds.observe(0.5);
  seconds.observe(5);
  const std::string text = registry.prometheus_text();
  EXPECT_THAT(text, HasSubstr("penstock_upload_seconds_bucket{rule=\"r\",le=\"0.1\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("penstock_upload_seconds_bucket{rule=\"r\",le=\"1\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("penstock_upload_seconds_bucket{rule=\"r\",le=\"+Inf\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("penstock_upload_seconds_count{rule=\"r\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("penstock_upload_seconds_sum{rule=\"r\"} 5.55"));
}

TEST(metrics, escapes_label_values) {
  metric_registry registry;
  registry.counter("penstock_events_total", "Events.", {{"account", "a\"b\nc\\d"}}).add(1);
  EXPECT_THAT(registry.prometheus_text(), HasSubstr("{account=\"a\\\"b\\nc\\\\d\"} 1\n"));
}

TEST(metrics, writes_nothing_when_empty) { EXPECT_EQ(metric_registry().prometheus_text(), ""); }

TEST(metrics, counts_from_several_threads_without_losing_any) {
  metric_registry registry;
  const auto work = [&registry] {
    for (int i = 0; i < 1000; ++i) registry.counter("penstock_events_total", "Events.", {{"account", "a"}}).add();
  };
  std::thread one(work);
  std::thread two(work);
  one.join();
  two.join();
  EXPECT_EQ(registry.counter("penstock_events_total", "Events.", {{"account", "a"}}).value(), 2000);
}

}  // namespace
}  // namespace engine
