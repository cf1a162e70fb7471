// Every call of the two services' clients, failed at each of its steps in turn until it gets through: never a result
// that is not the right one, never a hang (run_task throws on a task that waits for ever), and afterwards the client
// still works.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "stages/azure/entra_token.hpp"
#include "stages/azure/logs_ingestion.hpp"
#include "stages/sls/client.hpp"
#include "tests/support/fixed_rng.hpp"
#include "tests/support/memory_exchange.hpp"
#include "tests/support/run_task.hpp"
#include "tests/support/set_clock.hpp"

namespace {

using namespace std::chrono_literals;
using tests::json;
using tests::run_task;

constexpr std::size_t steps_max = 100;

// `call` says true for the right result, false for a failure, and checks both. Returns how many steps failed before it
// got through.
std::size_t sweep(tests::memory_exchange& exchange, const std::function<bool()>& call) {
  for (std::size_t step = 0; step < steps_max; ++step) {
    exchange.fail_at(step);
    const bool good = call();
    if (!exchange.has_failed()) {
      EXPECT_TRUE(good) << "nothing failed, and yet there was no result";
      return step;
    }
    EXPECT_FALSE(good) << "a result in spite of the failure at step " << step;
  }
  ADD_FAILURE() << "never got through";
  return steps_max;
}

// With what a failure of the exchange may be told as.
void expect_lost(const stages::sls::failure& lost) {
  EXPECT_TRUE(lost.code == stages::sls::errc::transport || lost.code == stages::sls::errc::bad_reply)
      << stages::sls::name_of(lost.code);
}

struct client_sweep : testing::Test {
  tests::set_clock clock;
  tests::fixed_rng rng;
  stages::sls::fixed_credentials credentials{{.id = "id", .key = engine::secret("key"), .token = {}}};
  stages::sls::client_options options{
      .endpoint = stages::http::parse_base_url("sls.example").value(), .region = "r", .project = "p", .ca_file = {}};
};

TEST_F(client_sweep, list_shards) {
  tests::memory_exchange exchange([](const auto&) { return json(200, R"([{"shardID":1,"status":"readwrite"}])"); });
  stages::sls::client client(options, exchange, clock, credentials);
  const auto steps = sweep(exchange, [&] {
    const auto shards = run_task(client.list_shards("l"));
    if (!shards) expect_lost(shards.error());
    if (shards) EXPECT_EQ(shards->size(), 1u);
    return shards.has_value();
  });
  EXPECT_EQ(steps, 9u);
}

TEST_F(client_sweep, get_cursor_and_its_time) {
  tests::memory_exchange exchange([](const auto&) { return json(200, R"({"cursor":"MA==","cursor_time":5})"); });
  stages::sls::client client(options, exchange, clock, credentials);
  EXPECT_EQ(sweep(exchange,
                  [&] {
                    const auto cursor = run_task(client.get_cursor("l", 0, stages::sls::edge::begin));
                    if (!cursor) expect_lost(cursor.error());
                    if (cursor) EXPECT_EQ(*cursor, "MA==");
                    return cursor.has_value();
                  }),
            9u);
  EXPECT_EQ(sweep(exchange,
                  [&] {
                    const auto time = run_task(client.get_cursor_time("l", 0, "MA=="));
                    if (!time) expect_lost(time.error());
                    if (time) EXPECT_EQ(*time, 5);
                    return time.has_value();
                  }),
            9u);
}

TEST_F(client_sweep, pull_logs) {
  tests::memory_exchange exchange([](const auto&) {
    return tests::scripted_answer{
        .status = 200,
        .headers = {{"x-log-bodyrawsize", "4"}, {"x-log-count", "1"}, {"x-log-cursor", "MQ=="}},
        .body = "data"};
  });
  stages::sls::client client(options, exchange, clock, credentials);
  int buffers = 0;
  const auto steps = sweep(exchange, [&] {
    auto reply =
        run_task(client.pull_logs({.logstore = "l", .shard = 0, .cursor = "MA==", .count = 1000, .end_cursor = {}},
                                  [&](const auto& announced) -> std::optional<engine::buffer> {
                                    ++buffers;
                                    return engine::buffer(static_cast<std::size_t>(announced.content_length));
                                  }));
    if (!reply) expect_lost(reply.error());
    if (reply) EXPECT_EQ(reply->block.bytes.view(), "data");
    if (reply) EXPECT_EQ(reply->block.next_cursor, "MQ==");
    return reply.has_value();
  });
  EXPECT_EQ(steps, 9u);
  EXPECT_EQ(buffers, 3);  // body half, body end, and the pull that got through
}

// Two attempts, the second with a corrected clock: failures strike before, between and after.
TEST_F(client_sweep, pull_logs_with_a_wrong_clock) {
  tests::memory_exchange exchange([](const tests::seen_request& seen) {
    if (seen.header("date").starts_with("Fri, 20 Nov 2026 09")) return json(200, R"({"cursor":"MA=="})");
    return json(400, R"({"errorCode":"RequestTimeTooSkewed"})", {{"date", "Fri, 20 Nov 2026 09:00:00 GMT"}});
  });
  std::size_t failures = 0;
  for (std::size_t step = 0; step < steps_max; ++step) {
    stages::sls::client client(options, exchange, clock, credentials);
    exchange.fail_at(step);
    const auto cursor = run_task(client.get_cursor("l", 0, stages::sls::edge::begin));
    if (!exchange.has_failed()) {
      EXPECT_TRUE(cursor);
      break;
    }
    ASSERT_FALSE(cursor) << step;
    expect_lost(cursor.error());
    EXPECT_EQ(client.clock_offset(), step < 9 ? 0h : 1h) << step;
    ++failures;
    EXPECT_TRUE(run_task(client.get_cursor("l", 0, stages::sls::edge::begin))) << step;
  }
  EXPECT_EQ(failures, 18u);
}

TEST_F(client_sweep, token) {
  tests::memory_exchange exchange([](const auto&) { return json(200, R"({"access_token":"t","expires_in":3600})"); });
  std::size_t failures = 0;
  for (std::size_t step = 0; step < steps_max; ++step) {
    stages::azure::entra_token tokens({.authority = stages::http::parse_base_url("login.example").value(),
                                       .audience = "a",
                                       .tenant = "t",
                                       .client_id = "c",
                                       .client_secret = engine::secret("s")},
                                      exchange, clock, rng);
    exchange.fail_at(step);
    const auto token = run_task(tokens.get());
    if (!exchange.has_failed()) {
      EXPECT_TRUE(token);
      break;
    }
    ASSERT_FALSE(token) << step;
    ++failures;
    clock.advance(5s);
    EXPECT_TRUE(run_task(tokens.get())) << step;
  }
  EXPECT_EQ(failures, 9u);
}

TEST_F(client_sweep, upload) {
  tests::memory_exchange exchange(
      [](const auto&) { return tests::scripted_answer{.status = 204, .headers = {}, .body = {}}; });
  stages::azure::logs_ingestion api(
      {.endpoint = stages::http::parse_base_url("x.example").value(), .rule = "dcr-1", .stream = "Custom-x"}, exchange,
      clock, rng);
  const stages::azure::token used{.value = engine::secret("t"), .generation = 1};
  std::size_t lost = 0;
  const auto steps = sweep(exchange, [&] {
    const auto taken = run_task(api.upload("[]", false, used));
    if (!taken) {
      // The first four steps lie before the last byte of the request: sent or not is the exchange's to know.
      EXPECT_EQ(taken.error().code,
                lost < 4 ? stages::azure::errc::transport_not_sent : stages::azure::errc::transport_ambiguous)
          << lost;
      EXPECT_EQ(taken.error().maybe_taken, lost >= 4) << lost;
      ++lost;
    }
    return taken.has_value();
  });
  EXPECT_EQ(steps, 9u);
}

}  // namespace
