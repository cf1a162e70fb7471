// 429: the whole destination is silent for as long as it asks, then starts over with half as many requests at once.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/flow/world.hpp"

namespace tests {
namespace {

using namespace std::chrono_literals;

constexpr auto answer_time = 200ms;
constexpr auto told = 20s;

// One destination that could always do with more requests at once.
struct busy_destination {
  explicit busy_destination(std::uint64_t seed) : w(seed, {.accounts = 1, .logstores = 2, .shards = 2}) {
    w.config.tuning.pull_groups_max = 50;
    w.config.tuning.batch_raw_bytes_max = 250;  // a row for each body
    w.fill_all(1'800, 1);
    w.cloud.held = [](operation op, const seen_request&) -> engine::duration {
      return op == operation::upload ? engine::duration(answer_time) : engine::duration(0s);
    };
  }
  // The next upload is answered so; the time at which it was.
  engine::time_point refuse_one(int status, engine::http_headers headers) {
    std::optional<engine::time_point> at;
    w.cloud.script = [&](operation op, const seen_request&) -> std::optional<model_answer> {
      if (op != operation::upload || at) return std::nullopt;
      at = w.sim.now();
      return model_answer{.status = status, .headers = headers, .body = {}};
    };
    EXPECT_TRUE(w.run_until([&] { return at.has_value(); }, 1min));
    w.cloud.script = {};
    return at.value_or(engine::time_point{});
  }
  // Requests that reached the service later than the refusal can have been heard and sooner than it allowed.
  std::size_t requests_in_the_silence(engine::time_point refused, engine::duration length) {
    const auto heard = refused + answer_time + 2 * w.cloud.way_max;
    return static_cast<std::size_t>(std::ranges::count_if(
        w.rule().uploads, [&](const upload_seen& u) { return u.at > heard && u.at < refused + length; }));
  }
  // The most requests under way at once from now on.
  std::size_t most_at_once(engine::duration length) {
    w.rule().requests.most = w.rule().requests.now;
    w.run_for(length);
    return w.rule().requests.most;
  }
  world w;
};

TEST(throttling, silences_the_whole_destination_for_as_long_as_it_was_told) {
  for (const int status : {429, 503}) {
    for (std::uint64_t seed = 1; seed <= seed_count(5); ++seed) {
      SCOPED_TRACE("status " + std::to_string(status) + " seed " + std::to_string(seed));
      busy_destination d(seed);
      auto& p = d.w.start();
      d.w.run_for(5s);
      const auto refused = d.refuse_one(status, {{"retry-after", "20"}});
      d.w.run_for(5s);
      EXPECT_TRUE(p.path.status().destinations[0].throttled);
      EXPECT_EQ(p.path.status().destinations[0].in_flight, 0U);
      d.w.run_for(25s);
      EXPECT_EQ(d.requests_in_the_silence(refused, told), 0U);
      EXPECT_FALSE(p.path.status().destinations[0].throttled);
      EXPECT_GT(d.w.rule().uploads.back().at, refused + told);
      d.w.run_for(5min);
      d.w.expect_exactly_once();
    }
  }
}

TEST(throttling, halves_the_requests_at_once_and_gives_one_back_for_every_ten_seconds_of_success) {
  for (std::uint64_t seed = 1; seed <= seed_count(3); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    busy_destination d(seed);
    d.w.start();
    d.w.run_for(5s);
    EXPECT_EQ(d.w.rule().requests.most, 8U);
    d.refuse_one(429, {{"retry-after", "1"}});
    d.w.run_for(4s);  // the silence is over
    EXPECT_EQ(d.most_at_once(4s), 4U);
    d.w.run_for(5s);
    EXPECT_EQ(d.most_at_once(3s), 5U);
    d.w.run_for(30s);
    EXPECT_EQ(d.most_at_once(10s), 8U);
  }
}

TEST(throttling, counts_answers_of_requests_that_left_together_once) {
  busy_destination d(1);
  d.w.start();
  d.w.run_for(5s);
  const auto until = d.w.sim.now() + 150ms;  // less than one answer takes: all eight are on their way
  d.w.cloud.script = [&](operation op, const seen_request&) -> std::optional<model_answer> {
    if (op != operation::upload || d.w.sim.now() > until) return std::nullopt;
    return model_answer{.status = 429, .headers = {{"retry-after", "1"}}, .body = {}};
  };
  d.w.run_for(5s);
  EXPECT_EQ(d.most_at_once(3s), 4U);
}

TEST(throttling, of_one_destination_leaves_the_others_alone) {
  world w(1, {.accounts = 1, .logstores = 2, .shards = 1, .destinations = 2});
  w.cloud.script = [](operation op, const seen_request& r) -> std::optional<model_answer> {
    if (op != operation::upload || r.origin.host != "ingest-0.test") return std::nullopt;
    return model_answer{.status = 429, .headers = {{"retry-after", "600"}}, .body = {}};
  };
  w.start();
  for (unsigned i = 0; i < 60; ++i) {
    w.fill_all(1, 2);
    w.run_for(1s);
  }
  w.run_for(3s);
  EXPECT_EQ(w.rule(0).rows.size(), 0U);
  EXPECT_EQ(w.rule(1).rows.size(), 120U);
}

}  // namespace
}  // namespace tests
