#include "stages/azure/entra_token.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "stages/azure/cloud.hpp"
#include "tests/support/fixed_rng.hpp"
#include "tests/support/memory_exchange.hpp"
#include "tests/support/run_task.hpp"
#include "tests/support/set_clock.hpp"

namespace {

using namespace std::chrono_literals;
using stages::azure::token_errc;
using tests::json;
using tests::run_task;
using tests::scripted;

const std::string client_secret = "abc~D.e+f/g=h&i j";
using result = std::expected<stages::azure::token, stages::azure::token_failure>;

struct entra_token : testing::Test {
  stages::azure::entra_token make(tests::memory_exchange& exchange, std::string authority = "https://login.example") {
    return {{.authority = stages::http::parse_base_url(authority).value(),
             .audience = "https://monitor.azure.com",
             .tenant = "contoso.example",
             .client_id = "11111111-2222",
             .client_secret = engine::secret(client_secret),
             .ca_file = "ca.pem"},
            exchange,
            clock,
            rng};
  }

  tests::set_clock clock;
  tests::fixed_rng rng;
};

// Tokens "t1", "t2", ... that live `life` seconds.
tests::memory_exchange::script numbered_tokens(std::string life = "3599", std::string more = "") {
  return [life, more, count = 0](const tests::seen_request&) mutable {
    return json(200, R"({"token_type":"Bearer","expires_in":)" + life + more + R"(,"access_token":"t)" +
                         std::to_string(++count) + "\"}");
  };
}

scripted refusal(int status, const std::string& error, int aadsts, engine::http_headers headers = {}) {
  return json(status,
              R"({"error":")" + error + R"(","error_description":"AADSTS text with )" + client_secret +
                  R"(","error_codes":[)" + std::to_string(aadsts) + "]}",
              std::move(headers));
}

std::string value(const result& r) { return r ? std::string(r->value.reveal()) : "(failed)"; }

TEST_F(entra_token, sends_the_grant_with_the_secret_encoded) {
  tests::memory_exchange exchange(numbered_tokens());
  auto tokens = make(exchange, "https://login.example:8443/prefix/");
  EXPECT_EQ(value(run_task(tokens.get())), "t1");
  const auto seen = exchange.requests().at(0);
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.target, "/prefix/contoso.example/oauth2/v2.0/token");
  EXPECT_EQ(seen.origin.host, "login.example");
  EXPECT_EQ(seen.origin.port, 8443);
  EXPECT_EQ(seen.origin.ca_file, "ca.pem");
  EXPECT_EQ(seen.header("host"), "login.example:8443");
  EXPECT_EQ(seen.header("content-type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(seen.body,
            "client_id=11111111-2222&scope=https%3A%2F%2Fmonitor.azure.com%2F.default"
            "&client_secret=abc~D.e%2Bf%2Fg%3Dh%26i%20j&grant_type=client_credentials");
}

TEST_F(entra_token, knows_the_clouds_by_the_endpoints_name) {
  using stages::azure::cloud_of;
  EXPECT_EQ(cloud_of("x-y.westeurope-1.ingest.monitor.azure.com").audience, "https://monitor.azure.com");
  EXPECT_EQ(cloud_of("x.ingest.monitor.azure.us").audience, "https://monitor.azure.us");
  EXPECT_EQ(cloud_of("x.ingest.monitor.azure.us").authority, "https://login.microsoftonline.us");
  EXPECT_EQ(cloud_of("x.ingest.monitor.azure.cn").audience, "https://monitor.azure.cn");
  EXPECT_EQ(cloud_of("x.ingest.monitor.azure.cn").authority, "https://login.chinacloudapi.cn");
  EXPECT_EQ(cloud_of("localhost").audience, "https://monitor.azure.com");
  EXPECT_EQ(cloud_of("localhost").authority, "https://login.microsoftonline.com");
}

TEST_F(entra_token, keeps_a_token_until_five_minutes_before_its_end) {
  tests::memory_exchange exchange(numbered_tokens());
  auto tokens = make(exchange);
  EXPECT_EQ(value(run_task(tokens.get())), "t1");
  clock.advance(3599s - 5min - 1s);
  EXPECT_EQ(value(run_task(tokens.get())), "t1");
  clock.advance(1s);
  const auto renewed = run_task(tokens.get());
  EXPECT_EQ(value(renewed), "t2");
  EXPECT_EQ(renewed->generation, 2u);
  EXPECT_EQ(exchange.request_count(), 2u);
}

TEST_F(entra_token, spreads_renewals_over_a_minute) {
  for (const auto early : {0s, 30s, 59s}) {
    tests::fixed_rng random({static_cast<std::uint64_t>(engine::duration(early).count())});
    tests::memory_exchange exchange(numbered_tokens());
    stages::azure::entra_token tokens({.authority = stages::http::parse_base_url("login.example").value(),
                                       .audience = "a",
                                       .tenant = "t",
                                       .client_id = "c",
                                       .client_secret = engine::secret("s")},
                                      exchange, clock, random);
    EXPECT_EQ(value(run_task(tokens.get())), "t1");
    clock.advance(3599s - 5min - early - 1s);
    EXPECT_EQ(value(run_task(tokens.get())), "t1");
    clock.advance(1s);
    EXPECT_EQ(value(run_task(tokens.get())), "t2") << early.count();
  }
}

TEST_F(entra_token, renews_when_the_service_says_so) {
  tests::memory_exchange exchange(numbered_tokens("86400", R"(,"refresh_in":43200)"));
  auto tokens = make(exchange);
  EXPECT_EQ(value(run_task(tokens.get())), "t1");
  clock.advance(43199s);
  EXPECT_EQ(value(run_task(tokens.get())), "t1");
  clock.advance(1s);
  EXPECT_EQ(value(run_task(tokens.get())), "t2");
}

TEST_F(entra_token, a_short_life_is_used_for_half_of_it) {
  tests::memory_exchange exchange(numbered_tokens(R"("60")"));
  auto tokens = make(exchange);
  EXPECT_EQ(value(run_task(tokens.get())), "t1");
  clock.advance(29s);
  EXPECT_EQ(value(run_task(tokens.get())), "t1");
  clock.advance(1s);
  EXPECT_EQ(value(run_task(tokens.get())), "t2");
}

TEST_F(entra_token, a_clock_that_is_set_changes_nothing) {
  tests::memory_exchange exchange(numbered_tokens());
  auto tokens = make(exchange);
  EXPECT_EQ(value(run_task(tokens.get())), "t1");
  clock.set_wall(clock.wall() + 24h);
  EXPECT_EQ(value(run_task(tokens.get())), "t1");
}

TEST_F(entra_token, fifty_callers_share_one_request) {
  tests::memory_exchange exchange(numbered_tokens());
  auto tokens = make(exchange);
  exchange.hold();
  engine::asio::io_context context;
  std::vector<std::string> values;
  for (int i = 0; i < 50; ++i) {
    engine::asio::co_spawn(context, tokens.get(), [&](std::exception_ptr, result r) { values.push_back(value(r)); });
  }
  context.poll();
  EXPECT_EQ(exchange.request_count(), 1u);
  EXPECT_TRUE(values.empty());
  exchange.release();
  context.restart();
  context.run();
  EXPECT_EQ(values, std::vector<std::string>(50, "t1"));
  EXPECT_EQ(exchange.request_count(), 1u);
}

TEST_F(entra_token, fifty_callers_on_four_threads_share_one_request) {
  tests::memory_exchange exchange(numbered_tokens());
  auto tokens = make(exchange);
  engine::asio::io_context context;
  std::mutex mutex;
  std::vector<std::string> values;
  for (int i = 0; i < 50; ++i) {
    engine::asio::co_spawn(context, tokens.get(), [&](std::exception_ptr, result r) {
      const std::lock_guard lock(mutex);
      values.push_back(value(r));
    });
  }
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back([&] { context.run(); });
  }
  EXPECT_EQ(values, std::vector<std::string>(50, "t1"));
  EXPECT_EQ(exchange.request_count(), 1u);
}

TEST_F(entra_token, fifty_callers_share_one_failure) {
  tests::memory_exchange exchange([](const auto&) { return refusal(401, "invalid_client", 7000215); });
  auto tokens = make(exchange);
  exchange.hold();
  engine::asio::io_context context;
  std::vector<token_errc> codes;
  for (int i = 0; i < 50; ++i) {
    engine::asio::co_spawn(context, tokens.get(),
                           [&](std::exception_ptr, result r) { codes.push_back(r.error().code); });
  }
  context.poll();
  exchange.release();
  context.restart();
  context.run();
  EXPECT_EQ(codes, std::vector<token_errc>(50, token_errc::rejected));
  EXPECT_EQ(exchange.request_count(), 1u);
}

TEST_F(entra_token, others_use_the_old_token_while_one_caller_renews) {
  tests::memory_exchange exchange(numbered_tokens());
  auto tokens = make(exchange);
  EXPECT_EQ(value(run_task(tokens.get())), "t1");
  clock.advance(3599s - 4min);
  exchange.hold();
  engine::asio::io_context context;
  std::vector<std::string> values;
  for (int i = 0; i < 5; ++i) {
    engine::asio::co_spawn(context, tokens.get(), [&](std::exception_ptr, result r) { values.push_back(value(r)); });
  }
  context.poll();
  EXPECT_EQ(values, std::vector<std::string>(4, "t1"));
  exchange.release();
  context.restart();
  context.run();
  EXPECT_EQ(values, (std::vector<std::string>{"t1", "t1", "t1", "t1", "t2"}));
}

TEST_F(entra_token, uses_the_old_token_while_renewal_fails_and_not_a_moment_longer) {
  bool broken = false;
  auto good = numbered_tokens();
  tests::memory_exchange exchange(
      [&](const tests::seen_request& seen) { return broken ? json(503, "{}") : good(seen); });
  auto tokens = make(exchange);
  EXPECT_EQ(value(run_task(tokens.get())), "t1");
  broken = true;
  clock.advance(3599s - 5min);
  EXPECT_EQ(value(run_task(tokens.get())), "t1");
  EXPECT_EQ(exchange.request_count(), 2u);
  EXPECT_EQ(value(run_task(tokens.get())), "t1");
  EXPECT_EQ(exchange.request_count(), 2u) << "the failure is remembered";
  clock.advance(5min - 1s);
  EXPECT_EQ(value(run_task(tokens.get())), "t1");
  clock.advance(1s);
  EXPECT_EQ(run_task(tokens.get()).error().code, token_errc::server_busy);
  broken = false;
  clock.advance(1min);
  EXPECT_EQ(value(run_task(tokens.get())), "t2");
}

TEST_F(entra_token, remembers_failures_for_five_seconds_and_doubles_up_to_five_minutes) {
  tests::memory_exchange exchange([](const auto&) { return refusal(401, "invalid_client", 7000222); });
  auto tokens = make(exchange);
  std::size_t asked = 0;
  for (const auto remembered : {5s, 10s, 20s, 40s, 80s, 160s, 300s, 300s}) {
    EXPECT_FALSE(run_task(tokens.get()));
    EXPECT_EQ(exchange.request_count(), ++asked);
    clock.advance(remembered - 1ms);
    EXPECT_FALSE(run_task(tokens.get()));
    EXPECT_EQ(exchange.request_count(), asked) << remembered.count();
    clock.advance(1ms);
  }
}

TEST_F(entra_token, a_success_makes_the_memory_short_again) {
  bool broken = true;
  auto good = numbered_tokens("60");
  tests::memory_exchange exchange(
      [&](const tests::seen_request& seen) { return broken ? json(503, "{}") : good(seen); });
  auto tokens = make(exchange);
  EXPECT_FALSE(run_task(tokens.get()));
  clock.advance(5s);
  EXPECT_FALSE(run_task(tokens.get()));
  clock.advance(10s);
  broken = false;
  EXPECT_TRUE(run_task(tokens.get()));
  broken = true;
  clock.advance(60s);
  EXPECT_FALSE(run_task(tokens.get()));
  clock.advance(5s);
  broken = false;
  EXPECT_TRUE(run_task(tokens.get()));
}

TEST_F(entra_token, stays_away_as_long_as_the_service_asks) {
  tests::memory_exchange exchange([](const auto&) { return json(429, "{}", {{"retry-after", "120"}}); });
  auto tokens = make(exchange);
  EXPECT_EQ(run_task(tokens.get()).error().code, token_errc::throttled);
  clock.advance(119s);
  EXPECT_EQ(run_task(tokens.get()).error().retry_after, 120s);
  EXPECT_EQ(exchange.request_count(), 1u);
  clock.advance(1s);
  EXPECT_FALSE(run_task(tokens.get()));
  EXPECT_EQ(exchange.request_count(), 2u);
}

TEST_F(entra_token, a_refused_token_is_renewed_only_if_it_is_still_the_current_one) {
  tests::memory_exchange exchange(numbered_tokens());
  auto tokens = make(exchange);
  const auto first = run_task(tokens.get());
  EXPECT_EQ(first->generation, 1u);
  tokens.invalidate(1);
  EXPECT_EQ(value(run_task(tokens.get())), "t2");
  // Late news about the old one, from an upload that had been on its way.
  tokens.invalidate(1);
  EXPECT_EQ(value(run_task(tokens.get())), "t2");
  EXPECT_EQ(exchange.request_count(), 2u);
}

TEST_F(entra_token, a_refused_token_is_not_used_again_even_if_no_other_can_be_had) {
  bool broken = false;
  auto good = numbered_tokens();
  tests::memory_exchange exchange(
      [&](const tests::seen_request& seen) { return broken ? json(503, "{}") : good(seen); });
  auto tokens = make(exchange);
  EXPECT_EQ(value(run_task(tokens.get())), "t1");
  broken = true;
  tokens.invalidate(1);
  EXPECT_FALSE(run_task(tokens.get()));
}

TEST_F(entra_token, errors_carry_the_word_and_the_number_and_never_the_secret) {
  struct row {
    int status;
    const char* error;
    int aadsts;
    token_errc code;
  };
  for (const auto& [status, error, aadsts, code] :
       {row{401, "invalid_client", 7000215, token_errc::rejected},
        row{400, "invalid_client", 7000222, token_errc::rejected},
        row{400, "unauthorized_client", 700016, token_errc::misconfigured},
        row{400, "invalid_request", 90002, token_errc::misconfigured},
        row{400, "invalid_scope", 70011, token_errc::misconfigured},
        row{400, "invalid_scope", 1002012, token_errc::misconfigured},
        row{401, "invalid_client", 700027, token_errc::rejected},
        row{400, "invalid_request", 700211, token_errc::misconfigured},
        row{400, "invalid_request", 50196, token_errc::throttled}, row{429, "throttled", 1, token_errc::throttled},
        row{503, "temporarily_unavailable", 90033, token_errc::server_busy},
        row{500, "server_error", 2, token_errc::server_busy}}) {
    tests::memory_exchange exchange([&](const auto&) { return refusal(status, error, aadsts); });
    auto tokens = make(exchange);
    const auto lost = run_task(tokens.get()).error();
    EXPECT_EQ(lost.code, code) << error << ' ' << aadsts;
    EXPECT_EQ(lost.status, status);
    EXPECT_EQ(lost.error, error);
    EXPECT_EQ(lost.aadsts, static_cast<std::uint32_t>(aadsts));
    EXPECT_NE(lost.message.find(error), std::string::npos);
    EXPECT_NE(lost.message.find("AADSTS" + std::to_string(aadsts)), std::string::npos);
    EXPECT_EQ(lost.message.find(client_secret), std::string::npos);
  }
}

TEST_F(entra_token, an_error_word_that_is_no_word_is_left_out) {
  for (const std::string& word : {client_secret, std::string("Bad\\nWord"), std::string("D")}) {
    tests::memory_exchange exchange([&](const auto&) { return refusal(400, word, 0); });
    auto tokens = make(exchange);
    EXPECT_EQ(run_task(tokens.get()).error().error, "") << word;
    clock.advance(1h);
  }
}

TEST_F(entra_token, calls_an_answer_bad_that_holds_no_usable_token) {
  for (const char* body :
       {"", "[]", "{}", R"({"access_token":"t"})", R"({"access_token":"","expires_in":5})",
        R"({"access_token":"t","expires_in":0})", R"({"access_token":"t","expires_in":-5})",
        R"({"access_token":"t","expires_in":"later"})", R"({"access_token":"a\r\nX-Forged: 1","expires_in":60})",
        R"({"access_token":"t","expires_in":60,"token_type":"mac"})"}) {
    tests::memory_exchange exchange([&](const auto&) { return json(200, body); });
    auto tokens = make(exchange);
    const auto r = run_task(tokens.get());
    ASSERT_FALSE(r) << body;
    EXPECT_EQ(r.error().code, token_errc::bad_reply) << body;
  }
}

TEST_F(entra_token, believes_no_life_of_more_than_a_day) {
  tests::memory_exchange exchange(numbered_tokens("99999999999999999"));
  auto tokens = make(exchange);
  EXPECT_TRUE(run_task(tokens.get()));
  clock.advance(24h - 5min - 1s);
  EXPECT_EQ(value(run_task(tokens.get())), "t1");
  clock.advance(1s);
  EXPECT_EQ(value(run_task(tokens.get())), "t2");
}

TEST_F(entra_token, tells_transport_failures_from_cancellation) {
  tests::memory_exchange exchange(numbered_tokens());
  auto tokens = make(exchange);
  exchange.fail_at(1);
  EXPECT_EQ(run_task(tokens.get()).error().code, token_errc::transport);
  clock.advance(5s);
  exchange.close();
  const auto lost = run_task(tokens.get()).error();
  EXPECT_EQ(lost.code, token_errc::cancelled);
  EXPECT_EQ(stages::azure::fault_of(lost), engine::fault::cancelled);
}

TEST_F(entra_token, an_exception_in_the_renewal_reaches_its_caller_and_leaves_nobody_waiting) {
  int asked = 0;
  tests::memory_exchange exchange([&](const tests::seen_request& seen) -> scripted {
    if (++asked == 1) throw std::bad_alloc();
    return numbered_tokens()(seen);
  });
  auto tokens = make(exchange);
  exchange.hold();
  engine::asio::io_context context;
  int thrown = 0;
  std::vector<std::string> values;
  for (int i = 0; i < 3; ++i) {
    engine::asio::co_spawn(context, tokens.get(), [&](std::exception_ptr e, result r) {
      if (e) {
        ++thrown;
      } else {
        values.push_back(value(r));
      }
    });
  }
  context.poll();
  exchange.release();
  context.restart();
  context.run();
  EXPECT_EQ(thrown, 1);
  EXPECT_EQ(values, std::vector<std::string>(2, "t1"));
}

}  // namespace
