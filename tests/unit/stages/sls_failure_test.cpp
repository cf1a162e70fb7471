#include "stages/sls/failure.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "stages/http_fields.hpp"

namespace stages::sls {
namespace {

using engine::fault;

struct error_row {
  int status;
  std::vector<std::string> service_codes;
  errc code;
  fault kind;
};

// The service's own table of errors, row by row, with the spellings its documents and client libraries use.
const std::vector<error_row>& error_table() {
  static const std::vector<error_row> rows{
      {400,
       {"RequestTimeTooSkewed", "RequestTimeExpired", "InvalidRequestTime", "InvalidDateFormat", "MissingDate"},
       errc::clock_skew,
       fault::refused},
      {400,
       {"MissingHost", "InvalidHost", "MissingAPIVersion", "InvalidAPIVersion", "MissingSignatureMethod",
        "InvalidSignatureMethod", "MissAccessKeyId", "MissingContentType", "MissingBodyRawSize", "InvalidBodyRawSize",
        "InvalidCompressType", "InvalidAcceptEncoding", "InvalidAcceptContentType", "BadRequest", "NotSupported",
        "MissingParameter"},
       errc::bad_request,
       fault::refused},
      {400, {"ParameterInvalid", "InvalidParameter"}, errc::bad_request, fault::refused},
      {400, {"InvalidCursor"}, errc::invalid_cursor, fault::refused},
      {400, {"ShardNotExist", "ShardNotExists", "ShardNotExsit"}, errc::shard_gone, fault::refused},
      {404, {"ShardNotExist", "ShardNotExists", "ShardNotExsit"}, errc::shard_gone, fault::refused},
      {400, {"LogStoreWithoutShard", "LogstoreWithoutShard"}, errc::server_busy, fault::transient},
      {400, {"ConsumerGroupAlreadyExist", "ConsumerGroupAlreadyExists"}, errc::group_exists, fault::refused},
      {400, {"NotExistConsumerWithBody", "ConsumerNotMatch"}, errc::lost_ownership, fault::refused},
      {400, {"JsonInfoInvalid", "InvalidShardCheckPoint", "PostBodyInvalid"}, errc::bad_request, fault::refused},
      {401, {"SignatureNotMatch", "Unauthorized"}, errc::unauthorized, fault::unauthorized},
      {401,
       {"InvalidAccessKeyId", "SecurityTokenExpired", "SecurityToken.Expired", "InvalidAccessKeyId.NotFound"},
       errc::unauthorized,
       fault::unauthorized},
      {403, {"ReadQuotaExceed", "ShardReadQuotaExceed"}, errc::throttled, fault::throttled},
      {403, {"WriteQuotaExceed", "ShardWriteQuotaExceed", "ExceedQuota"}, errc::throttled, fault::throttled},
      {403, {"MetaOperationQpsLimitExceeded"}, errc::throttled, fault::throttled},
      {403, {"ProjectForbidden"}, errc::forbidden, fault::unauthorized},
      {404, {"ProjectNotExist", "ProjectNotExists"}, errc::not_found_project, fault::refused},
      {404, {"LogStoreNotExist", "LogstoreNotExist", "LogStoreNotExists"}, errc::not_found_logstore, fault::refused},
      {404,
       {"ConsumerGroupNotExist", "ConsumerGroupNotExists", "GroupNotExist"},
       errc::group_not_found,
       fault::refused},
      {404, {"ConsumerNotExist", "ConsumerNotExists", "ConsumerNotExsit"}, errc::lost_ownership, fault::refused},
      {405, {"InvalidMethod"}, errc::bad_request, fault::refused},
      {411, {"MissingContentLength"}, errc::bad_request, fault::refused},
      {413, {"PostBodyTooLarge"}, errc::bad_request, fault::refused},
      {415, {"InvalidContentType"}, errc::bad_request, fault::refused},
      {500, {"InternalServerError", "RequestTimeout", "ServerBusy"}, errc::server_busy, fault::transient},
      {503, {"ServerBusy"}, errc::server_busy, fault::transient},
      {502, {""}, errc::server_busy, fault::transient},
      {504, {""}, errc::server_busy, fault::transient}};
  return rows;
}

TEST(sls_failure, every_row_of_the_services_table_has_its_reaction_and_its_class) {
  for (const auto& row : error_table()) {
    for (const auto& spelled : row.service_codes) {
      const auto code = classify(row.status, spelled, "a text for people");
      EXPECT_EQ(name_of(code), name_of(row.code)) << row.status << ' ' << spelled;
      EXPECT_EQ(engine::name_of(fault_of(code)), engine::name_of(row.kind)) << row.status << ' ' << spelled;
    }
  }
}

TEST(sls_failure, codes_are_known_in_any_case_of_their_letters) {
  for (const auto& row : error_table()) {
    for (const auto& spelled : row.service_codes) {
      auto upper = spelled;
      for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
      EXPECT_EQ(name_of(classify(row.status, http::to_lower(spelled), "")), name_of(row.code)) << spelled;
      EXPECT_EQ(name_of(classify(row.status, upper, "")), name_of(row.code)) << upper;
    }
  }
}

// The same code comes with different statuses, by operation and by age of the service.
TEST(sls_failure, a_known_code_says_more_than_the_status_it_came_with) {
  for (const auto& row : error_table()) {
    for (const auto& spelled : row.service_codes) {
      if (spelled.empty()) continue;
      for (const int status : {200, 400, 401, 403, 404, 418, 429, 500, 503}) {
        EXPECT_EQ(name_of(classify(status, spelled, "")), name_of(row.code)) << status << ' ' << spelled;
      }
    }
  }
}

const std::vector<std::pair<int, errc>>& reactions_by_status() {
  static const std::vector<std::pair<int, errc>> reactions{
      {0, errc::bad_reply},     {100, errc::bad_reply},   {200, errc::bad_reply},          {204, errc::bad_reply},
      {302, errc::bad_reply},   {399, errc::bad_reply},   {400, errc::bad_request},        {401, errc::unauthorized},
      {402, errc::bad_request}, {403, errc::forbidden},   {404, errc::not_found_logstore}, {405, errc::bad_request},
      {407, errc::bad_request}, {408, errc::server_busy}, {409, errc::bad_request},        {411, errc::bad_request},
      {413, errc::bad_request}, {415, errc::bad_request}, {428, errc::bad_request},        {429, errc::throttled},
      {430, errc::bad_request}, {499, errc::bad_request}, {500, errc::server_busy},        {501, errc::server_busy},
      {502, errc::server_busy}, {503, errc::server_busy}, {504, errc::server_busy},        {505, errc::server_busy},
      {599, errc::server_busy}};
  return reactions;
}

TEST(sls_failure, codes_that_no_page_lists_and_missing_ones_are_judged_by_the_status) {
  for (const auto& [status, code] : reactions_by_status()) {
    for (const char* unknown : {"", "SomethingNew", "Forbidden", "invalid cursor", "Cursor", "Shard"}) {
      EXPECT_EQ(name_of(classify(status, unknown, "")), name_of(code)) << status << ' ' << unknown;
    }
  }
}

TEST(sls_failure, a_code_must_be_whole_to_be_known) {
  for (const char* nearly : {"InvalidCurso", "InvalidCursorX", " InvalidCursor", "InvalidCursor ", "InvalidCursor\n",
                             "XInvalidCursor", "Invalid-Cursor"}) {
    EXPECT_EQ(name_of(classify(400, nearly, "")), "bad_request") << nearly;
  }
  EXPECT_EQ(name_of(classify(400, std::string_view("InvalidCursor\0", 14), "")), "bad_request");
}

TEST(sls_failure, a_parameter_error_is_about_the_cursor_when_its_text_says_so) {
  for (const char* code : {"ParameterInvalid", "InvalidParameter", "parameterinvalid", "INVALIDPARAMETER"}) {
    for (const char* about : {"cursor", "Invalid Cursor MTA=", "the CURSOR has expired", "xcursorx"}) {
      EXPECT_EQ(name_of(classify(400, code, about)), "invalid_cursor") << code << ' ' << about;
    }
    for (const char* other : {"", "count is too large", "cur sor", "curso"}) {
      EXPECT_EQ(name_of(classify(400, code, other)), "bad_request") << code << ' ' << other;
    }
  }
  // Only these two codes leave it to the text.
  EXPECT_EQ(name_of(classify(400, "MissingParameter", "the cursor is missing")), "bad_request");
  EXPECT_EQ(name_of(classify(400, "SomethingNew", "the cursor is missing")), "bad_request");
}

TEST(sls_failure, quotas_of_a_project_are_known_by_their_texts_and_by_codes_about_a_quota) {
  for (const char* text : {"Read QPS Exceed", "Write QPS Exceed", "Inflow Quota Exceed", "read qps exceed",
                           "Project write quota exceed: qps: 5", "Project PROJECT Quota Exceeded"}) {
    EXPECT_EQ(name_of(classify(403, "Forbidden", text)), "throttled") << text;
    EXPECT_EQ(name_of(classify(403, "", text)), "throttled") << text;
    EXPECT_EQ(name_of(classify(400, "Forbidden", text)), "bad_request") << text;
  }
  for (const char* code : {"ProjectQuotaExceed", "InflowQuota", "quota", "IndexQUOTAReached"}) {
    EXPECT_EQ(name_of(classify(403, code, "")), "throttled") << code;
    EXPECT_EQ(name_of(classify(404, code, "")), "not_found_logstore") << code;
  }
  EXPECT_EQ(name_of(classify(403, "NoPermission", "denied by a policy about QPS")), "forbidden");
  EXPECT_EQ(name_of(classify(403, "NoPermission", "quota")), "forbidden");
}

TEST(sls_failure, a_text_about_a_quota_does_not_outweigh_a_known_code) {
  EXPECT_EQ(name_of(classify(403, "ProjectForbidden", "Read QPS Exceed")), "forbidden");
  EXPECT_EQ(name_of(classify(403, "SignatureNotMatch", "quota exceed")), "unauthorized");
}

TEST(sls_failure, bytes_of_any_kind_are_judged_by_the_status) {
  std::mt19937_64 random(20261120);
  for (int round = 0; round < 200; ++round) {
    std::string code(random() % 64, ' ');
    std::string text(random() % 256, ' ');
    for (char& c : code) c = static_cast<char>(random());
    for (char& c : text) c = static_cast<char>(random());
    EXPECT_EQ(name_of(classify(404, code, text)), "not_found_logstore") << round;
  }
  const std::string huge(1 << 20, '\0');
  EXPECT_EQ(name_of(classify(403, huge, huge)), "forbidden");
  EXPECT_EQ(name_of(classify(400, "\xff\xfe<html>", "\xc3")), "bad_request");
}

struct reaction {
  errc code;
  std::string_view name;
  fault kind;
};

// The names are labels of metrics and words of logs: whoever changes one changes what operators search for.
TEST(sls_failure, every_reaction_has_its_name_and_its_class) {
  const std::vector<reaction> reactions{{errc::transport, "transport", fault::transient},
                                        {errc::server_busy, "server_busy", fault::transient},
                                        {errc::throttled, "throttled", fault::throttled},
                                        {errc::unauthorized, "unauthorized", fault::unauthorized},
                                        {errc::forbidden, "forbidden", fault::unauthorized},
                                        {errc::not_found_project, "not_found_project", fault::refused},
                                        {errc::not_found_logstore, "not_found_logstore", fault::refused},
                                        {errc::shard_gone, "shard_gone", fault::refused},
                                        {errc::invalid_cursor, "invalid_cursor", fault::refused},
                                        {errc::clock_skew, "clock_skew", fault::refused},
                                        {errc::group_not_found, "group_not_found", fault::refused},
                                        {errc::group_exists, "group_exists", fault::refused},
                                        {errc::lost_ownership, "lost_ownership", fault::refused},
                                        {errc::bad_reply, "bad_reply", fault::malformed},
                                        {errc::bad_request, "bad_request", fault::refused},
                                        {errc::refused_by_caller, "refused_by_caller", fault::refused},
                                        {errc::cancelled, "cancelled", fault::cancelled}};
  std::set<errc> seen;
  for (const auto& [code, name, kind] : reactions) {
    EXPECT_EQ(name_of(code), name);
    EXPECT_EQ(engine::name_of(fault_of(code)), engine::name_of(kind)) << name;
    EXPECT_EQ(fault_of(failure{.code = code, .service_code = {}, .message = {}, .request_id = {}}), kind) << name;
    seen.insert(code);
  }
  // All of them, so that a new one is missed here.
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(errc::cancelled) + 1);
}

TEST(sls_failure, a_failure_of_the_transport_is_worth_another_try_in_whatever_phase) {
  using engine::http_errc;
  for (const auto phase :
       {http_errc::resolve, http_errc::connect, http_errc::tls, http_errc::timeout, http_errc::reset}) {
    const failure lost{
        .code = errc::transport, .service_code = {}, .message = "m", .request_id = {}, .transport = phase};
    EXPECT_EQ(fault_of(lost), fault::transient);
    EXPECT_EQ(lost.status, 0);
    EXPECT_EQ(lost.retry_after, std::nullopt);
  }
}

}  // namespace
}  // namespace stages::sls
