#include "stages/azure/failure.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "stages/http_fields.hpp"

namespace stages::azure {
namespace {

using namespace std::chrono_literals;
using engine::fault;

struct error_row {
  int status;
  std::vector<std::string> service_codes;  // empty texts: the answer has none
  errc code;
  fault kind;
};

const std::vector<error_row>& error_table() {
  static const std::vector<error_row> rows{
      {400, {"InvalidStream"}, errc::invalid_stream, fault::refused},
      {400, {"RecordsTimeRangeIsMoreThan30Minutes"}, errc::time_span, fault::refused},
      {400, {"", "InvalidPayload", "InvalidContentEncoding", "SomethingNew"}, errc::bad_rows, fault::refused},
      {401,
       {"TokenExpired", "InvalidAudience", "InvalidToken", "AuthenticationTokenMissing", ""},
       errc::unauthorized,
       fault::unauthorized},
      {403, {"OperationFailed", ""}, errc::forbidden, fault::unauthorized},
      {404, {"NotFound", ""}, errc::not_found, fault::refused},
      {408, {"TimeoutExpired", "ReadyBody_ClientConnectionAbort", ""}, errc::server_error, fault::transient},
      {413, {"ContentLengthLimitExceeded", "PayloadSizeLimitExceeded", ""}, errc::too_large, fault::refused},
      {429, {"TooManyRequests", ""}, errc::throttled, fault::throttled},
      {500, {""}, errc::server_error, fault::transient},
      {502, {"", "BadGateway"}, errc::server_error, fault::transient},
      {503, {"", "ServiceUnavailable"}, errc::server_error, fault::transient},
      {504, {"", "GatewayTimeout"}, errc::server_error, fault::transient}};
  return rows;
}

TEST(azure_failure, every_row_of_the_services_table_has_its_reaction_and_its_class) {
  for (const auto& row : error_table()) {
    for (const auto& spelled : row.service_codes) {
      const auto code = classify(row.status, spelled, false);
      EXPECT_EQ(name_of(code), name_of(row.code)) << row.status << ' ' << spelled;
      EXPECT_EQ(engine::name_of(fault_of(code)), engine::name_of(row.kind)) << row.status << ' ' << spelled;
      EXPECT_EQ(name_of(classify(row.status, http::to_lower(spelled), false)), name_of(row.code)) << spelled;
    }
  }
}

// Which status tells of the limit behind the decompression is written nowhere; the code is.
TEST(azure_failure, a_body_over_a_limit_is_split_whatever_refusal_names_the_limit) {
  for (const int status : {400, 401, 403, 404, 405, 409, 411, 413, 415, 422}) {
    EXPECT_EQ(name_of(classify(status, "ContentLengthLimitExceeded", false)), "too_large") << status;
    EXPECT_EQ(name_of(classify(status, "PayloadSizeLimitExceeded", false)), "too_large") << status;
    EXPECT_EQ(name_of(classify(status, "payloadsizelimitexceeded", false)), "too_large") << status;
  }
  EXPECT_EQ(name_of(classify(302, "PayloadSizeLimitExceeded", false)), "unexpected_status");
}

TEST(azure_failure, a_413_is_too_large_whatever_code_stands_with_it) {
  for (const char* code : {"", "InvalidStream", "TooManyRequests", "RecordsTimeRangeIsMoreThan30Minutes"}) {
    EXPECT_EQ(name_of(classify(413, code, false)), "too_large") << code;
    EXPECT_EQ(name_of(classify(413, code, true)), "too_large") << code;
  }
}

TEST(azure_failure, the_codes_of_a_400_mean_nothing_under_other_statuses) {
  for (const char* code : {"InvalidStream", "RecordsTimeRangeIsMoreThan30Minutes"}) {
    EXPECT_EQ(name_of(classify(401, code, false)), "unauthorized") << code;
    EXPECT_EQ(name_of(classify(403, code, false)), "forbidden") << code;
    EXPECT_EQ(name_of(classify(404, code, false)), "not_found") << code;
    EXPECT_EQ(name_of(classify(405, code, false)), "unexpected_status") << code;
    EXPECT_EQ(name_of(classify(429, code, false)), "throttled") << code;
    EXPECT_EQ(name_of(classify(500, code, false)), "server_error") << code;
  }
}

TEST(azure_failure, a_code_must_be_whole_to_be_known) {
  for (const char* nearly : {"InvalidStrea", "InvalidStreams", " InvalidStream", "InvalidStream\n", "PayloadSizeLimit",
                             "RecordsTimeRangeIsMoreThan30Minute"}) {
    EXPECT_EQ(name_of(classify(400, nearly, false)), "bad_rows") << nearly;
  }
}

TEST(azure_failure, every_status_from_500_up_is_the_services_own_trouble) {
  for (int status = 500; status < 600; ++status) EXPECT_EQ(name_of(classify(status, "", false)), "server_error");
}

TEST(azure_failure, what_is_no_error_of_this_api_comes_from_something_else) {
  for (const int status : {0, 100, 200, 202, 204, 206, 301, 302, 307, 399, 402, 405, 406, 407, 409, 411, 415, 499}) {
    EXPECT_EQ(name_of(classify(status, "", false)), "unexpected_status") << status;
    EXPECT_EQ(name_of(classify(status, "", true)), "unexpected_status") << status;
  }
}

// --- when to come back ---------------------------------------------------------------------------------------------

errc judged(int status, engine::http_headers headers) {
  const engine::http_response_head head{.status = status, .headers = std::move(headers), .content_length = {}};
  const auto now = http::parse_date("Fri, 20 Nov 2026 08:00:00 GMT").value();
  return classify(status, "", http::retry_after(head, now).has_value());
}

TEST(azure_failure, an_unavailable_service_that_says_when_to_come_back_is_throttling) {
  EXPECT_EQ(name_of(judged(503, {{"retry-after", "30"}})), "throttled");
  EXPECT_EQ(name_of(judged(503, {{"retry-after", "0"}})), "throttled");
  EXPECT_EQ(name_of(judged(503, {{"retry-after", "Fri, 20 Nov 2026 08:00:30 GMT"}})), "throttled");
  EXPECT_EQ(name_of(judged(503, {{"retry-after-ms", "1500"}})), "throttled");
  EXPECT_EQ(name_of(judged(503, {{"x-ms-retry-after-ms", "1500"}})), "throttled");
}

TEST(azure_failure, a_wait_that_cannot_be_read_is_none) {
  EXPECT_EQ(name_of(judged(503, {})), "server_error");
  EXPECT_EQ(name_of(judged(503, {{"retry-after", "soon"}})), "server_error");
  EXPECT_EQ(name_of(judged(503, {{"retry-after", "-1"}})), "server_error");
  EXPECT_EQ(name_of(judged(503, {{"retry-after", "Fri, 32 Nov 2026 08:00:30 GMT"}})), "server_error");
}

TEST(azure_failure, a_wait_changes_the_meaning_of_no_other_status) {
  for (const auto& row : error_table()) {
    if (row.status == 503) continue;
    for (const auto& spelled : row.service_codes) {
      EXPECT_EQ(name_of(classify(row.status, spelled, true)), name_of(row.code)) << row.status << ' ' << spelled;
    }
  }
}

// --- bytes of any kind ---------------------------------------------------------------------------------------------

TEST(azure_failure, bytes_of_any_kind_for_a_code_are_judged_by_the_status) {
  std::mt19937_64 random(20261120);
  for (int round = 0; round < 200; ++round) {
    std::string code(random() % 64, ' ');
    for (char& c : code) c = static_cast<char>(random());
    EXPECT_EQ(name_of(classify(400, code, false)), "bad_rows") << round;
    EXPECT_EQ(name_of(classify(404, code, true)), "not_found") << round;
  }
  EXPECT_EQ(name_of(classify(400, std::string(1 << 20, '\0'), false)), "bad_rows");
  EXPECT_EQ(name_of(classify(400, std::string_view("InvalidStream\0", 14), false)), "bad_rows");
}

struct reaction {
  errc code;
  std::string_view name;
  fault kind;
};

// The names are labels of metrics and words of logs: whoever changes one changes what operators search for.
TEST(azure_failure, every_reaction_has_its_name_and_its_class) {
  const std::vector<reaction> reactions{{errc::too_large, "too_large", fault::refused},
                                        {errc::throttled, "throttled", fault::throttled},
                                        {errc::unauthorized, "unauthorized", fault::unauthorized},
                                        {errc::forbidden, "forbidden", fault::unauthorized},
                                        {errc::not_found, "not_found", fault::refused},
                                        {errc::invalid_stream, "invalid_stream", fault::refused},
                                        {errc::time_span, "time_span", fault::refused},
                                        {errc::bad_rows, "bad_rows", fault::refused},
                                        {errc::server_error, "server_error", fault::transient},
                                        {errc::unexpected_status, "unexpected_status", fault::refused},
                                        {errc::transport_not_sent, "transport_not_sent", fault::transient},
                                        {errc::transport_ambiguous, "transport_ambiguous", fault::transient},
                                        {errc::cancelled, "cancelled", fault::cancelled}};
  std::set<errc> seen;
  for (const auto& [code, name, kind] : reactions) {
    EXPECT_EQ(name_of(code), name);
    EXPECT_EQ(engine::name_of(fault_of(code)), engine::name_of(kind)) << name;
    const failure lost{.code = code, .service_code = {}, .message = {}, .request_id = {}, .client_request_id = {}};
    EXPECT_EQ(fault_of(lost), kind) << name;
    EXPECT_FALSE(lost.maybe_taken);
    seen.insert(code);
  }
  // All of them, so that a new one is missed here.
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(errc::cancelled) + 1);
}

TEST(azure_failure, a_body_over_a_limit_is_cut_under_every_status) {
  for (const int status : {400, 408, 413, 429, 500, 502, 503}) {
    EXPECT_EQ(name_of(classify(status, "PayloadSizeLimitExceeded", false)), "too_large") << status;
    EXPECT_EQ(name_of(classify(status, "ContentLengthLimitExceeded", true)), "too_large") << status;
  }
}

}  // namespace
}  // namespace stages::azure
