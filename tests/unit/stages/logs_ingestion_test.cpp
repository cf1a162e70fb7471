#include "stages/azure/logs_ingestion.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/support/fixed_rng.hpp"
#include "tests/support/memory_exchange.hpp"
#include "tests/support/run_task.hpp"
#include "tests/support/set_clock.hpp"

namespace {

using namespace std::chrono_literals;
using engine::http_errc;
using stages::azure::errc;
using tests::json;
using tests::run_task;
using tests::scripted_answer;

const std::string bearer = "eyJTokenValue.With-Parts_and.sig";
const std::string event_text = R"({\"eventId\":\"42\"})";

struct logs_ingestion : testing::Test {
  stages::azure::logs_ingestion make(tests::memory_exchange& exchange,
                                     std::string endpoint = "https://x.ingest.monitor.azure.com") {
    return {{.endpoint = stages::http::parse_base_url(endpoint).value(),
             .rule = "dcr-0123456789abcdef0123456789abcdef",
             .stream = "Custom-AliCloudActionTrailLogs",
             .ca_file = "ca.pem"},
            exchange,
            clock,
            rng};
  }
  auto upload(tests::memory_exchange& exchange) {
    auto api = make(exchange);
    return run_task(api.upload("wire", true, used));
  }

  tests::set_clock clock;
  tests::fixed_rng rng{{0x0123456789abcdef, 0xffffffffffffffff, 0}};
  stages::azure::token used{.value = engine::secret(bearer), .generation = 1};
};

std::string error_body(const std::string& code, const std::string& message = "some text") {
  return R"({"error":{"code":")" + code + R"(","message":")" + message + R"(","details":[],"target":null}})";
}

TEST_F(logs_ingestion, sends_the_body_as_it_is_to_the_rules_stream) {
  tests::memory_exchange exchange(
      [](const auto&) { return scripted_answer{.status = 204, .headers = {}, .body = {}}; });
  auto api = make(exchange, "https://x.ingest.monitor.azure.com/");
  ASSERT_TRUE(run_task(api.upload("wire bytes", true, used)));
  const auto seen = exchange.requests().at(0);
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.target,
            "/dataCollectionRules/dcr-0123456789abcdef0123456789abcdef/streams/"
            "Custom-AliCloudActionTrailLogs?api-version=2023-01-01");
  EXPECT_EQ(seen.origin.host, "x.ingest.monitor.azure.com");
  EXPECT_EQ(seen.origin.ca_file, "ca.pem");
  EXPECT_EQ(seen.header("host"), "x.ingest.monitor.azure.com");
  EXPECT_EQ(seen.header("authorization"), "Bearer " + bearer);
  EXPECT_EQ(seen.header("content-type"), "application/json");
  EXPECT_EQ(seen.header("content-encoding"), "gzip");
  EXPECT_EQ(seen.body, "wire bytes");
}

TEST_F(logs_ingestion, claims_gzip_only_for_gzip) {
  tests::memory_exchange exchange(
      [](const auto&) { return scripted_answer{.status = 204, .headers = {}, .body = {}}; });
  auto api = make(exchange);
  ASSERT_TRUE(run_task(api.upload("[]", false, used)));
  const auto seen = exchange.requests().at(0);
  EXPECT_EQ(seen.header("content-encoding"), "");
}

TEST_F(logs_ingestion, every_attempt_has_an_id_of_its_own) {
  tests::memory_exchange exchange(
      [](const auto&) { return scripted_answer{.status = 204, .headers = {}, .body = {}}; });
  auto api = make(exchange);
  ASSERT_TRUE(run_task(api.upload("[]", false, used)));
  ASSERT_TRUE(run_task(api.upload("[]", false, used)));
  EXPECT_EQ(exchange.requests().at(0).header("x-ms-client-request-id"), "01234567-89ab-4def-bfff-ffffffffffff");
  EXPECT_EQ(exchange.requests().at(1).header("x-ms-client-request-id"), "00000000-0000-4000-8000-000000000000");
}

TEST_F(logs_ingestion, takes_every_2xx_for_a_receipt) {
  for (const int status : {200, 202, 204}) {
    tests::memory_exchange exchange([&](const auto&) {
      return scripted_answer{
          .status = status, .headers = {{"x-ms-request-id", "aaaa-bbbb"}}, .body = status == 200 ? "body" : ""};
    });
    const auto taken = upload(exchange);
    ASSERT_TRUE(taken) << status;
    EXPECT_EQ(taken->status, status);
    EXPECT_EQ(taken->request_id, "aaaa-bbbb");
  }
}

TEST_F(logs_ingestion, reacts_to_every_row_of_the_services_error_table) {
  struct row {
    int status;
    const char* service_code;
    errc code;
    bool maybe_taken;
  };
  const std::vector<row> rows{{400, "InvalidStream", errc::invalid_stream, false},
                              {400, "RecordsTimeRangeIsMoreThan30Minutes", errc::time_span, false},
                              {400, "MalformedJson", errc::bad_rows, false},
                              {400, "InvalidPayload", errc::bad_rows, false},
                              {400, "InvalidContentEncoding", errc::bad_rows, false},
                              {400, "", errc::bad_rows, false},
                              {401, "TokenExpired", errc::unauthorized, false},
                              {401, "InvalidAudience", errc::unauthorized, false},
                              {401, "InvalidToken", errc::unauthorized, false},
                              {401, "AuthenticationTokenMissing", errc::unauthorized, false},
                              {403, "OperationFailed", errc::forbidden, false},
                              {404, "NotFound", errc::not_found, false},
                              {408, "TimeoutExpired", errc::server_error, true},
                              {408, "ReadyBody_ClientConnectionAbort", errc::server_error, true},
                              {413, "ContentLengthLimitExceeded", errc::too_large, false},
                              {413, "", errc::too_large, false},
                              {413, "PayloadSizeLimitExceeded", errc::too_large, false},
                              {400, "PayloadSizeLimitExceeded", errc::too_large, false},
                              {429, "TooManyRequests", errc::throttled, false},
                              {429, "", errc::throttled, false},
                              {500, "", errc::server_error, true},
                              {502, "", errc::server_error, true},
                              {503, "", errc::server_error, true},
                              {504, "", errc::server_error, true},
                              {501, "", errc::server_error, true},
                              {302, "", errc::unexpected_status, false},
                              {405, "", errc::unexpected_status, false},
                              {415, "", errc::unexpected_status, false}};
  for (const auto& [status, code, expected, maybe_taken] : rows) {
    const std::string text(code);
    for (const bool in_header : {true, false}) {
      tests::memory_exchange exchange([&](const auto&) {
        engine::http_headers headers{{"x-ms-request-id", "abc-123"}};
        if (in_header) {
          headers.emplace_back("x-ms-error-code", text);
          return json(status, "not json", headers);
        }
        return json(status, text.empty() ? "" : error_body(text), headers);
      });
      const auto reply = upload(exchange);
      ASSERT_FALSE(reply) << status << ' ' << text;
      EXPECT_EQ(reply.error().code, expected) << status << ' ' << text;
      EXPECT_EQ(reply.error().maybe_taken, maybe_taken) << status << ' ' << text;
      EXPECT_EQ(reply.error().status, status);
      EXPECT_EQ(reply.error().service_code, text);
      EXPECT_EQ(reply.error().request_id, "abc-123");
      EXPECT_EQ(reply.error().client_request_id, exchange.requests().at(0).header("x-ms-client-request-id"));
      EXPECT_EQ(exchange.request_count(), 1u) << "no retry is hidden in the client";
    }
  }
}

TEST_F(logs_ingestion, an_unavailable_service_that_says_when_to_come_back_is_throttling) {
  tests::memory_exchange exchange([](const auto&) { return json(503, "", {{"retry-after", "30"}}); });
  const auto reply = upload(exchange);
  EXPECT_EQ(reply.error().code, errc::throttled);
  EXPECT_EQ(reply.error().retry_after, 30s);
}

TEST_F(logs_ingestion, reads_every_way_to_say_how_long_to_wait) {
  for (const auto& [headers, expected] : std::vector<std::pair<engine::http_headers, std::optional<engine::duration>>>{
           {{{"retry-after", "12"}}, 12s},
           {{{"retry-after", "0"}}, 0s},
           {{{"retry-after", "Fri, 20 Nov 2026 08:00:30 GMT"}}, 30s},
           {{{"retry-after", "Fri, 20 Nov 2026 08:00:30 GMT"}, {"date", "Fri, 20 Nov 2026 08:00:10 GMT"}}, 20s},
           {{{"retry-after-ms", "1500"}}, 1500ms},
           {{{"x-ms-retry-after-ms", "2500"}, {"retry-after", "9"}}, 2500ms},
           {{{"retry-after", "18446744073709551615"}}, 1h},
           {{{"retry-after", "-3"}}, std::nullopt},
           {{}, std::nullopt}}) {
    tests::memory_exchange exchange([&](const auto&) { return json(429, "", headers); });
    EXPECT_EQ(upload(exchange).error().retry_after, expected);
  }
}

TEST_F(logs_ingestion, tells_whether_the_service_can_have_seen_a_request_that_was_lost) {
  for (const auto code : {http_errc::resolve, http_errc::connect, http_errc::tls, http_errc::timeout, http_errc::reset,
                          http_errc::malformed, http_errc::too_large}) {
    for (const bool sent : {false, true}) {
      tests::memory_exchange exchange([&](const auto&) {
        return std::unexpected(engine::http_failure{.code = code, .message = "m", .request_sent = sent, .head = {}});
      });
      const auto reply = upload(exchange);
      ASSERT_FALSE(reply);
      EXPECT_EQ(reply.error().code, sent ? errc::transport_ambiguous : errc::transport_not_sent);
      EXPECT_EQ(reply.error().maybe_taken, sent);
    }
  }
}

TEST_F(logs_ingestion, an_upload_cancelled_on_its_way_may_have_been_taken) {
  for (const bool sent : {false, true}) {
    tests::memory_exchange exchange([&](const auto&) {
      return std::unexpected(
          engine::http_failure{.code = http_errc::cancelled, .message = "m", .request_sent = sent, .head = {}});
    });
    const auto reply = upload(exchange);
    EXPECT_EQ(reply.error().code, errc::cancelled);
    EXPECT_EQ(reply.error().maybe_taken, sent);
  }
}

TEST_F(logs_ingestion, an_error_page_too_large_to_keep_is_judged_by_its_status) {
  tests::memory_exchange exchange(
      [](const auto&) { return json(413, std::string(stages::azure::answer_bytes_max + 1, 'x')); });
  EXPECT_EQ(upload(exchange).error().code, errc::too_large);
}

TEST_F(logs_ingestion, the_texts_about_configuration_reach_the_operator) {
  tests::memory_exchange exchange(
      [](const auto&) { return json(403, error_body("OperationFailed", "IsRbacPresent: False")); });
  EXPECT_EQ(upload(exchange).error().message, "Logs Ingestion answered 403 OperationFailed: IsRbacPresent: False");
}

TEST_F(logs_ingestion, no_failure_repeats_the_token_or_an_event) {
  for (const int status : {400, 401, 403, 404, 413, 429, 500, 503, 418}) {
    tests::memory_exchange exchange([&](const auto&) {
      const auto about = status == 400 || status >= 418 ? "near " + event_text : "token " + bearer;
      return json(status, error_body(bearer, about), {{"x-ms-request-id", bearer}});
    });
    const auto lost = upload(exchange).error();
    const auto all = lost.message + '|' + lost.service_code + '|' + lost.request_id;
    EXPECT_EQ(all.find(bearer), std::string::npos) << all;
    EXPECT_EQ(all.find("TokenValue"), std::string::npos) << all;
    EXPECT_EQ(all.find("eventId"), std::string::npos) << all;
  }
}

TEST_F(logs_ingestion, every_reaction_has_a_class_and_a_name) {
  using engine::fault;
  for (const auto& [code, kind] : std::vector<std::pair<errc, fault>>{{errc::too_large, fault::refused},
                                                                      {errc::throttled, fault::throttled},
                                                                      {errc::unauthorized, fault::unauthorized},
                                                                      {errc::forbidden, fault::unauthorized},
                                                                      {errc::not_found, fault::refused},
                                                                      {errc::invalid_stream, fault::refused},
                                                                      {errc::time_span, fault::refused},
                                                                      {errc::bad_rows, fault::refused},
                                                                      {errc::server_error, fault::transient},
                                                                      {errc::unexpected_status, fault::refused},
                                                                      {errc::transport_not_sent, fault::transient},
                                                                      {errc::transport_ambiguous, fault::transient},
                                                                      {errc::cancelled, fault::cancelled}}) {
    EXPECT_EQ(stages::azure::fault_of(code), kind) << stages::azure::name_of(code);
    EXPECT_NE(stages::azure::name_of(code), "unknown");
  }
}

}  // namespace
