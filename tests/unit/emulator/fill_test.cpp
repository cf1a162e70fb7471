#include "tools/emulator/fill.hpp"

#include <gtest/gtest.h>

#include <map>

#include "tools/emulator/sls/log_group.hpp"

namespace emulator {
namespace {

// Event i is the text "account:i".
class numbered_source : public event_source {
 public:
  event_record make(std::string_view account, std::uint64_t index) const override {
    return {std::string(account) + ":" + std::to_string(index), static_cast<std::int64_t>(1000 + index)};
  }
};

struct cloud {
  sls::reply_cache cache{1U << 20U};
  std::vector<std::unique_ptr<sls::logstore>> logstores;
  std::vector<fill_target> targets;

  explicit cloud(std::size_t count, std::size_t shards = 2) {
    for (std::size_t i = 0; i < count; ++i) {
      sls::logstore_settings settings;
      settings.shard_count = shards;
      const auto make_shard = [this](std::int64_t) {
        return std::make_unique<sls::shard>(1, sls::shard_limits{}, cache, [](std::uint64_t) {});
      };
      logstores.push_back(std::make_unique<sls::logstore>(settings, make_shard, 0));
      targets.push_back({"account" + std::to_string(i), logstores.back().get()});
    }
  }

  std::vector<std::string> groups(std::size_t i) const {
    std::vector<std::string> all;
    for (const auto& info : logstores[i]->shards()) {
      for (auto& group : logstores[i]->find(info.id)->read(0, 1'000'000)) all.push_back(std::move(group));
    }
    return all;
  }
  std::map<std::string, int> events(std::size_t i) const {
    std::map<std::string, int> counts;
    for (const auto& bytes : groups(i)) {
      const auto group = sls::read_log_group(bytes);
      EXPECT_TRUE(group.has_value());
      for (const auto& log : group->logs) ++counts[std::string(log.contents.at(0).second)];
    }
    return counts;
  }
  std::size_t event_count() const {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < logstores.size(); ++i) sum += events(i).size();
    return sum;
  }
};

fill_options with_events(std::uint64_t events, double duplicate_rate = 0) {
  fill_options o;
  o.seed = 9;
  o.events = events;
  o.duplicate_rate = duplicate_rate;
  return o;
}

TEST(fill, shares_events_evenly_and_gives_the_remainder_to_the_first) {
  const cloud c(3);
  fill(c.targets, numbered_source(), with_events(1001), 2);
  EXPECT_EQ(c.events(0).size(), 335U);
  EXPECT_EQ(c.events(1).size(), 333U);
  EXPECT_EQ(c.events(2).size(), 333U);
  EXPECT_EQ(c.events(0).begin()->first, "account0:0");
  EXPECT_EQ(c.events(1).count("account1:335"), 1U);
  EXPECT_EQ(c.events(2).count("account2:1000"), 1U);
}

TEST(fill, groups_hold_1_to_200_logs_with_topic_source_and_receive_time) {
  const cloud c(1);
  fill(c.targets, numbered_source(), with_events(5000), 1);
  std::size_t smallest = 1000;
  std::size_t largest = 0;
  std::size_t with_ns = 0;
  for (const auto& bytes : c.groups(0)) {
    const auto group = sls::read_log_group(bytes);
    ASSERT_TRUE(group.has_value());
    EXPECT_EQ(group->topic, "actiontrail_audit_event");
    EXPECT_EQ(group->source, "actiontrail_internal");
    ASSERT_EQ(group->tags.size(), 1U);
    EXPECT_EQ(group->tags[0].first, "__receive_time__");
    smallest = std::min(smallest, group->logs.size());
    largest = std::max(largest, group->logs.size());
    for (const auto& log : group->logs) with_ns += log.time_ns ? 1 : 0;
  }
  EXPECT_LE(smallest, 3U);
  EXPECT_GT(largest, 60U);
  EXPECT_LE(largest, 200U);
  EXPECT_GT(with_ns, 1000U);
  EXPECT_LT(with_ns, 1500U);
}

TEST(fill, stores_that_share_of_events_twice_with_equal_text) {
  const cloud c(2);
  fill(c.targets, numbered_source(), with_events(4000, 0.25), 2);
  EXPECT_EQ(c.event_count(), 4000U);
  int copies = 0;
  for (const auto& [text, count] : c.events(0)) {
    ASSERT_LE(count, 2);
    copies += count - 1;
  }
  EXPECT_GT(copies, 400);
  EXPECT_LT(copies, 600);
}

TEST(fill, is_the_same_for_the_same_seed_whatever_the_threads) {
  const cloud one(4, 1);
  const cloud other(4, 1);
  fill(one.targets, numbered_source(), with_events(2000, 0.1), 1);
  fill(other.targets, numbered_source(), with_events(2000, 0.1), 3);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(one.events(i), other.events(i));
}

TEST(fill, no_events_and_no_logstores_are_fine) {
  const cloud c(2);
  fill(c.targets, numbered_source(), with_events(0), 2);
  EXPECT_EQ(c.event_count(), 0U);
  fill({}, numbered_source(), with_events(10), 2);
}

TEST(event_feeder, appends_every_event_once_and_ends) {
  const cloud c(3);
  const numbered_source source;
  {
    const event_feeder feeder(c.targets, source, with_events(3000), 100'000);
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (c.event_count() < 3000 && std::chrono::steady_clock::now() < patience) std::this_thread::yield();
  }
  EXPECT_EQ(c.event_count(), 3000U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(c.events(i).size(), 1000U);
    for (const auto& [text, count] : c.events(i)) ASSERT_EQ(count, 1) << text;
  }
}

TEST(event_feeder, stops_at_once_when_it_goes) {
  const cloud c(1);
  const numbered_source source;
  {
    const event_feeder feeder(c.targets, source, with_events(1'000'000'000), 1);
  }
  EXPECT_LE(c.event_count(), 1U);
}

}  // namespace
}  // namespace emulator
