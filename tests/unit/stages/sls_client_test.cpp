#include "stages/sls/client.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/support/memory_exchange.hpp"
#include "tests/support/run_task.hpp"
#include "tests/support/set_clock.hpp"

namespace {

using namespace std::chrono_literals;
using engine::http_errc;
using stages::codec;
using stages::sls::edge;
using stages::sls::errc;
using stages::sls::pull_announcement;
using stages::sls::receive_time;
using tests::json;
using tests::run_task;
using tests::scripted_answer;

const std::string secret_key = "Sup3rSecret/Key+Value";
const std::string secret_token = "CAISTemporaryTokenValue==";

// Counts what it is told, and gives a key of the next generation each time the current one is refused.
class counting_credentials final : public stages::sls::credentials {
 public:
  engine::task<std::expected<stages::sls::access_key, stages::sls::credentials_failure>> current() override {
    ++asked;
    if (failing) co_return std::unexpected(*failing);
    co_return stages::sls::access_key{.id = "LTAIexample",
                                      .key = engine::secret(secret_key),
                                      .token = engine::secret(secret_token),
                                      .generation = generation};
  }
  void reject(std::uint64_t refused) override { rejected.push_back(refused); }

  std::optional<stages::sls::credentials_failure> failing;
  std::uint64_t generation = 7;
  int asked = 0;
  std::vector<std::uint64_t> rejected;
};

struct sls_client : testing::Test {
  stages::sls::client make(tests::memory_exchange& exchange, std::string endpoint = "cn-hangzhou.log.aliyuncs.com",
                           codec accept = codec::lz4) {
    return make_with(exchange, {.endpoint = stages::http::parse_base_url(endpoint).value(),
                                .region = "cn-hangzhou",
                                .project = "audit",
                                .ca_file = "/etc/ca.pem",
                                .accept = accept});
  }
  stages::sls::client make_with(tests::memory_exchange& exchange, stages::sls::client_options options) {
    return {std::move(options), exchange, clock, credentials};
  }

  tests::set_clock clock;
  counting_credentials credentials;
};

scripted_answer block(std::string body, engine::http_headers headers = {}) {
  engine::http_headers all{{"x-log-bodyrawsize", std::to_string(body.size() * 3)},
                           {"x-log-count", "2"},
                           {"x-log-cursor", "MTI="},
                           {"x-log-compresstype", "lz4"},
                           {"x-log-requestid", "5F0123456789ABCDEF012345"}};
  for (auto& [name, value] : headers) {
    std::erase_if(all, [&](const auto& field) { return field.first == name; });
    if (value != "-") all.emplace_back(name, value);
  }
  return {.status = 200, .headers = std::move(all), .body = std::move(body)};
}

std::optional<engine::buffer> accept_all(const pull_announcement& announced) {
  return engine::buffer(static_cast<std::size_t>(announced.content_length));
}

stages::sls::pull_request wanted(std::string end = {}) {
  return {.logstore = "trail", .shard = 3, .cursor = "MTA=", .count = 500, .end_cursor = std::move(end)};
}

// --- what goes out -------------------------------------------------------------------------------------------------

TEST_F(sls_client, asks_the_projects_own_host_and_signs_for_it) {
  tests::memory_exchange exchange([](const auto&) { return json(200, R"({"cursor":"MA=="})"); });
  auto client = make(exchange);
  ASSERT_TRUE(run_task(client.get_cursor("trail", 0, edge::begin)));
  const auto seen = exchange.requests().at(0);
  EXPECT_EQ(seen.origin.host, "audit.cn-hangzhou.log.aliyuncs.com");
  EXPECT_EQ(seen.origin.verify_name, "audit.cn-hangzhou.log.aliyuncs.com");
  EXPECT_EQ(seen.origin.port, 443);
  EXPECT_EQ(seen.origin.ca_file, "/etc/ca.pem");
  EXPECT_TRUE(seen.origin.tls);
  EXPECT_EQ(seen.header("host"), "audit.cn-hangzhou.log.aliyuncs.com");
  EXPECT_EQ(seen.target, "/logstores/trail/shards/0?type=cursor&from=begin");

  // The signature covers exactly the host that was sent.
  stages::sls::unsigned_request again{.method = "GET",
                                      .path = "/logstores/trail/shards/0",
                                      .query = {{"type", "cursor"}, {"from", "begin"}},
                                      .headers = {},
                                      .body = {}};
  for (const auto& [name, value] : seen.headers) {
    if (name != "Authorization") again.headers.emplace_back(name, value);
  }
  const stages::sls::access_key key{.id = "LTAIexample", .key = engine::secret(secret_key), .token = {}};
  EXPECT_EQ(seen.header("authorization"), stages::sls::authorization_v4(again, key, "cn-hangzhou"));
}

TEST_F(sls_client, names_the_port_in_the_host_field_unless_it_is_the_schemes_own) {
  tests::memory_exchange exchange([](const auto&) { return json(200, R"({"cursor":"MA=="})"); });
  for (const auto& [endpoint, host] :
       std::vector<std::pair<std::string, std::string>>{{"sls.localhost:8443", "audit.sls.localhost:8443"},
                                                        {"https://sls.localhost:443", "audit.sls.localhost"},
                                                        {"http://sls.localhost", "audit.sls.localhost"},
                                                        {"http://sls.localhost:443", "audit.sls.localhost:443"},
                                                        {"SLS.Localhost", "audit.sls.localhost"}}) {
    auto client = make(exchange, endpoint);
    ASSERT_TRUE(run_task(client.get_cursor("trail", 0, edge::end)));
    EXPECT_EQ(exchange.requests().back().header("host"), host) << endpoint;
  }
}

TEST_F(sls_client, connects_to_an_address_directly_and_verifies_the_address) {
  tests::memory_exchange exchange([](const auto&) { return json(200, R"({"cursor":"MA=="})"); });
  for (const auto& [endpoint, ip, host] : std::vector<std::tuple<std::string, std::string, std::string>>{
           {"https://127.0.0.1:9443", "127.0.0.1", "audit.127.0.0.1:9443"},
           {"127.0.0.1", "127.0.0.1", "audit.127.0.0.1"},
           {"https://[::1]:9443", "::1", "audit.[::1]:9443"}}) {
    auto client = make(exchange, endpoint);
    ASSERT_TRUE(run_task(client.get_cursor("trail", 0, edge::end)));
    const auto seen = exchange.requests().back();
    EXPECT_EQ(seen.origin.host, ip);
    EXPECT_EQ(seen.origin.verify_name, ip);
    EXPECT_EQ(seen.header("host"), host);
  }
}

TEST_F(sls_client, signs_with_v1_where_the_region_is_not_known) {
  tests::memory_exchange exchange([](const auto&) { return json(200, "[]"); });
  auto client = make_with(
      exchange, {.endpoint = stages::http::parse_base_url("e.example").value(), .region = "", .project = "p"});
  ASSERT_TRUE(run_task(client.list_shards("trail")));
  EXPECT_TRUE(exchange.requests().at(0).header("authorization").starts_with("LOG LTAIexample:"));
}

TEST_F(sls_client, pull_names_cursor_count_end_and_the_coding_it_prefers) {
  tests::memory_exchange exchange([](const auto&) { return block("data"); });
  auto client = make(exchange, "e.example", codec::zstd);
  ASSERT_TRUE(run_task(client.pull_logs(wanted("MTE="), accept_all)));
  const auto seen = exchange.requests().at(0);
  EXPECT_EQ(seen.target, "/logstores/trail/shards/3?type=log&cursor=MTA%3D&count=500&end_cursor=MTE%3D");
  EXPECT_EQ(seen.header("accept-encoding"), "zstd");
  EXPECT_EQ(seen.header("accept"), "application/x-protobuf");
  EXPECT_EQ(seen.header("x-acs-security-token"), secret_token);
}

TEST_F(sls_client, asks_for_a_time_in_unix_seconds) {
  tests::memory_exchange exchange([](const auto&) { return json(200, R"({"cursor":"NQ=="})"); });
  auto client = make(exchange);
  EXPECT_EQ(run_task(client.get_cursor("trail", 2, receive_time{1'700'000'000})).value(), "NQ==");
  EXPECT_EQ(exchange.requests().at(0).target, "/logstores/trail/shards/2?type=cursor&from=1700000000");
}

// --- what comes back -----------------------------------------------------------------------------------------------

TEST_F(sls_client, lists_shards_by_id_whatever_their_order_and_their_spelling_of_numbers) {
  tests::memory_exchange exchange([](const auto&) {
    return json(
        200,
        R"([{"shardID":163,"status":"readwrite","inclusiveBeginKey":"80","exclusiveEndKey":"ff","createTime":"1453949705","serverIp":null,"new":[1]},
                         {"shardID":"33","status":"readonly","createTime":1453949000},
                         {"shardID":40,"status":"whatever"},{"shardID":40,"status":"readonly"}])");
  });
  auto client = make(exchange);
  const auto shards = run_task(client.list_shards("trail")).value();
  ASSERT_EQ(shards.size(), 3u);
  EXPECT_EQ(shards[0].id, 33);
  EXPECT_EQ(shards[0].status, stages::sls::shard_status::read_only);
  EXPECT_EQ(shards[0].create_time_s, 1453949000);
  EXPECT_EQ(shards[1].id, 40);
  EXPECT_EQ(shards[1].status, stages::sls::shard_status::read_write);  // never taken for finished
  EXPECT_EQ(shards[2].id, 163);
  EXPECT_EQ(shards[2].create_time_s, 1453949705);
  EXPECT_EQ(shards[2].begin_key, "80");
  EXPECT_EQ(shards[2].end_key, "ff");
  EXPECT_EQ(exchange.requests().at(0).target, "/logstores/trail/shards");
}

TEST_F(sls_client, reads_the_cursor_time_as_number_and_as_text) {
  for (const char* body : {R"({"cursor_time":1554260243})", R"({"cursor_time":"1554260243"})"}) {
    tests::memory_exchange exchange([&](const auto&) { return json(200, body); });
    auto client = make(exchange);
    EXPECT_EQ(run_task(client.get_cursor_time("trail", 0, "MA==")).value(), 1554260243);
    EXPECT_EQ(exchange.requests().at(0).target, "/logstores/trail/shards/0?type=cursor_time&cursor=MA%3D%3D");
  }
}

TEST_F(sls_client, calls_an_answer_bad_that_is_not_the_json_it_must_be) {
  for (const char* body : {"", "null", "[", "{}", R"([{"shardID":-1}])", R"([{"status":"readwrite"}])", "[1]",
                           R"({"cursor":5})", R"({"cursor_time":"soon"})"}) {
    tests::memory_exchange exchange([&](const auto&) { return json(200, body); });
    auto client = make(exchange);
    EXPECT_EQ(run_task(client.list_shards("trail")).error().code, errc::bad_reply) << body;
    EXPECT_EQ(run_task(client.get_cursor("trail", 0, edge::begin)).error().code, errc::bad_reply) << body;
    EXPECT_EQ(run_task(client.get_cursor_time("trail", 0, "MA==")).error().code, errc::bad_reply) << body;
  }
}

TEST_F(sls_client, refuses_a_json_answer_over_its_limit_without_reading_it) {
  tests::memory_exchange exchange(
      [](const auto&) { return json(200, std::string(stages::sls::json_bytes_max + 1, ' ')); });
  auto client = make(exchange);
  EXPECT_EQ(run_task(client.list_shards("trail")).error().code, errc::bad_reply);
}

TEST_F(sls_client, hands_over_a_block_as_it_came_and_in_the_callers_own_buffer) {
  tests::memory_exchange exchange([](const auto&) {
    return block("compressed",
                 {{"x-log-end-of-cursor", "1"}, {"x-log-read-last-cursor", "11"}, {"x-log-cursor-time", "99"}});
  });
  auto client = make(exchange);
  std::optional<pull_announcement> announced;
  const char* room = nullptr;
  auto reply = run_task(client.pull_logs(wanted(), [&](const pull_announcement& a) -> std::optional<engine::buffer> {
    announced = a;
    engine::buffer out(100);
    room = out.data();
    return out;
  }));
  ASSERT_TRUE(reply);
  EXPECT_EQ(announced->content_length, 10u);
  EXPECT_EQ(announced->raw_bytes, 30u);
  EXPECT_EQ(announced->group_count, 2u);
  EXPECT_EQ(announced->next_cursor, "MTI=");
  EXPECT_EQ(announced->coding, codec::lz4);
  EXPECT_EQ(reply->block.bytes.data(), room);
  EXPECT_EQ(reply->block.bytes.view(), "compressed");
  EXPECT_EQ(reply->block.coding, codec::lz4);
  EXPECT_EQ(reply->block.plain_bytes, 30u);
  EXPECT_EQ(reply->block.group_count, 2u);
  EXPECT_EQ(reply->block.cursor, "MTA=");
  EXPECT_EQ(reply->block.next_cursor, "MTI=");
  EXPECT_EQ(reply->block.fetched_at, clock.now());
  EXPECT_TRUE(reply->hints.at_end);
  EXPECT_EQ(reply->hints.read_last_cursor, 11);
  EXPECT_EQ(reply->hints.cursor_time_s, 99);
  EXPECT_EQ(reply->request_id, "5F0123456789ABCDEF012345");
}

TEST_F(sls_client, knows_every_coding_the_service_names) {
  for (const auto& [name, coding] : std::vector<std::pair<std::string, codec>>{{"lz4", codec::lz4},
                                                                               {"ZSTD", codec::zstd},
                                                                               {"deflate", codec::deflate},
                                                                               {"gzip", codec::deflate},
                                                                               {"-", codec::none},
                                                                               {"", codec::none}}) {
    tests::memory_exchange exchange([&](const auto&) { return block("x", {{"x-log-compresstype", name}}); });
    auto client = make(exchange);
    EXPECT_EQ(run_task(client.pull_logs(wanted(), accept_all)).value().block.coding, coding) << name;
  }
}

TEST_F(sls_client, a_refused_block_is_never_read_and_its_size_is_told) {
  tests::memory_exchange exchange([](const auto&) { return block("compressed"); });
  auto client = make(exchange);
  const auto reply = run_task(client.pull_logs(wanted(), [](const auto&) { return std::nullopt; }));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, errc::refused_by_caller);
  ASSERT_TRUE(reply.error().announcement);
  EXPECT_EQ(reply.error().announcement->raw_bytes, 30u);
  EXPECT_EQ(reply.error().announcement->next_cursor, "MTI=");
  EXPECT_EQ(reply.error().request_id, "5F0123456789ABCDEF012345");
}

TEST_F(sls_client, an_empty_pull_asks_for_no_buffer) {
  for (const char* body : {"", "ignored"}) {
    tests::memory_exchange exchange([&](const auto&) {
      return block(
          body,
          {{"x-log-bodyrawsize", "0"}, {"x-log-count", "0"}, {"x-log-cursor", "MTA="}, {"x-log-compresstype", "-"}});
    });
    auto client = make(exchange);
    bool asked = false;
    const auto reply = run_task(client.pull_logs(wanted(), [&](const auto&) {
      asked = true;
      return std::nullopt;
    }));
    ASSERT_TRUE(reply);
    EXPECT_FALSE(asked);
    EXPECT_TRUE(reply->block.bytes.empty());
    EXPECT_EQ(reply->block.plain_bytes, 0u);
    EXPECT_EQ(reply->block.next_cursor, "MTA=");
  }
}

TEST_F(sls_client, keeps_the_old_cursor_only_when_an_empty_reply_has_an_empty_one) {
  tests::memory_exchange empty(
      [](const auto&) { return block("", {{"x-log-bodyrawsize", "0"}, {"x-log-cursor", ""}}); });
  auto client = make(empty);
  EXPECT_EQ(run_task(client.pull_logs(wanted(), accept_all)).value().block.next_cursor, "MTA=");
  tests::memory_exchange full([](const auto&) { return block("data", {{"x-log-cursor", ""}}); });
  auto other = make(full);
  EXPECT_EQ(run_task(other.pull_logs(wanted(), accept_all)).error().code, errc::bad_reply);
}

TEST_F(sls_client, calls_a_pull_bad_that_lacks_or_garbles_a_header_and_reads_none_of_it) {
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"x-log-bodyrawsize", "-"},
                                                        {"x-log-bodyrawsize", "many"},
                                                        {"x-log-bodyrawsize", "18446744073709551616"},
                                                        {"x-log-count", "-"},
                                                        {"x-log-count", "-1"},
                                                        {"x-log-cursor", "-"},
                                                        {"x-log-compresstype", "brotli"}}) {
    tests::memory_exchange exchange([&](const auto&) { return block("data", {{name, value}}); });
    auto client = make(exchange);
    bool asked = false;
    const auto reply = run_task(client.pull_logs(wanted(), [&](const auto& a) {
      asked = true;
      return accept_all(a);
    }));
    ASSERT_FALSE(reply) << name;
    EXPECT_EQ(reply.error().code, errc::bad_reply) << name;
    EXPECT_FALSE(reply.error().message.empty());
    EXPECT_FALSE(asked);
  }
}

TEST_F(sls_client, calls_a_pull_bad_that_announces_data_and_sends_none) {
  tests::memory_exchange exchange([](const auto&) { return block("", {{"x-log-bodyrawsize", "30"}}); });
  auto client = make(exchange);
  EXPECT_EQ(run_task(client.pull_logs(wanted(), accept_all)).error().code, errc::bad_reply);
}

TEST_F(sls_client, asks_the_caller_for_a_block_of_unknown_length_too) {
  tests::memory_exchange exchange([](const auto&) {
    auto answer = block("chunked");
    answer.length_known = false;
    return answer;
  });
  auto client = make(exchange);
  std::uint64_t announced = 0;
  auto reply = run_task(client.pull_logs(wanted(), [&](const auto& a) {
    announced = a.content_length;
    return accept_all(a);
  }));
  EXPECT_EQ(reply.value().block.bytes.view(), "chunked");
  EXPECT_EQ(announced, 7u);
  reply = run_task(client.pull_logs(wanted(), [](const auto&) { return std::nullopt; }));
  EXPECT_EQ(reply.error().code, errc::refused_by_caller);
  EXPECT_EQ(reply.error().announcement->content_length, 7u);
}

// --- errors --------------------------------------------------------------------------------------------------------

struct error_row {
  int status;
  const char* service_code;
  errc code;
};

TEST_F(sls_client, reacts_to_every_row_of_the_services_error_table) {
  const std::vector<error_row> rows{
      {400, "MissingHost", errc::bad_request},
      {400, "InvalidHost", errc::bad_request},
      {400, "MissingAPIVersion", errc::bad_request},
      {400, "InvalidAPIVersion", errc::bad_request},
      {400, "MissingSignatureMethod", errc::bad_request},
      {400, "InvalidSignatureMethod", errc::bad_request},
      {400, "MissAccessKeyId", errc::bad_request},
      {400, "MissingContentType", errc::bad_request},
      {400, "MissingBodyRawSize", errc::bad_request},
      {400, "InvalidBodyRawSize", errc::bad_request},
      {400, "InvalidCompressType", errc::bad_request},
      {400, "InvalidAcceptEncoding", errc::bad_request},
      {400, "InvalidAcceptContentType", errc::bad_request},
      {400, "BadRequest", errc::bad_request},
      {400, "NotSupported", errc::bad_request},
      {400, "MissingParameter", errc::bad_request},
      {400, "ParameterInvalid", errc::bad_request},
      {400, "InvalidParameter", errc::bad_request},
      {400, "InvalidCursor", errc::invalid_cursor},
      {400, "ShardNotExist", errc::shard_gone},
      {404, "ShardNotExist", errc::shard_gone},
      {404, "ShardNotExsit", errc::shard_gone},
      {400, "LogStoreWithoutShard", errc::server_busy},
      {400, "ConsumerGroupAlreadyExist", errc::group_exists},
      {400, "NotExistConsumerWithBody", errc::lost_ownership},
      {400, "JsonInfoInvalid", errc::bad_request},
      {400, "InvalidShardCheckPoint", errc::bad_request},
      {400, "PostBodyInvalid", errc::bad_request},
      {400, "ConsumerNotMatch", errc::lost_ownership},
      {401, "SignatureNotMatch", errc::unauthorized},
      {401, "Unauthorized", errc::unauthorized},
      {401, "InvalidAccessKeyId", errc::unauthorized},
      {401, "SecurityTokenExpired", errc::unauthorized},
      {401, "SecurityToken.Expired", errc::unauthorized},
      {401, "InvalidAccessKeyId.NotFound", errc::unauthorized},
      {403, "ReadQuotaExceed", errc::throttled},
      {403, "ShardReadQuotaExceed", errc::throttled},
      {403, "WriteQuotaExceed", errc::throttled},
      {403, "ShardWriteQuotaExceed", errc::throttled},
      {403, "ExceedQuota", errc::throttled},
      {403, "ProjectQuotaExceed", errc::throttled},
      {403, "MetaOperationQpsLimitExceeded", errc::throttled},
      {403, "ProjectForbidden", errc::forbidden},
      {403, "NoPermission", errc::forbidden},
      {404, "ProjectNotExist", errc::not_found_project},
      {404, "ProjectNotExists", errc::not_found_project},
      {404, "LogStoreNotExist", errc::not_found_logstore},
      {404, "LogstoreNotExist", errc::not_found_logstore},
      {404, "ConsumerGroupNotExist", errc::group_not_found},
      {404, "GroupNotExist", errc::group_not_found},
      {404, "ConsumerNotExist", errc::lost_ownership},
      {404, "ConsumerNotExsit", errc::lost_ownership},
      {405, "InvalidMethod", errc::bad_request},
      {411, "MissingContentLength", errc::bad_request},
      {413, "PostBodyTooLarge", errc::bad_request},
      {415, "InvalidContentType", errc::bad_request},
      {500, "InternalServerError", errc::server_busy},
      {500, "RequestTimeout", errc::server_busy},
      {500, "ServerBusy", errc::server_busy},
      {503, "ServerBusy", errc::server_busy},
      {502, "Whatever", errc::server_busy},
      {429, "Whatever", errc::throttled},
  };
  for (const auto& row : rows) {
    for (const bool lower : {false, true}) {
      const auto spelled = lower ? stages::http::to_lower(row.service_code) : std::string(row.service_code);
      tests::memory_exchange exchange([&](const auto&) {
        return json(row.status, R"({"errorCode":")" + spelled + R"(","errorMessage":"a text"})",
                    {{"x-log-requestid", "ABC123"}});
      });
      auto client = make(exchange);
      const auto reply = run_task(client.pull_logs(wanted(), accept_all));
      ASSERT_FALSE(reply) << row.service_code;
      EXPECT_EQ(reply.error().code, row.code) << row.status << ' ' << spelled;
      EXPECT_EQ(reply.error().status, row.status);
      EXPECT_EQ(reply.error().service_code, spelled);
      EXPECT_EQ(reply.error().message, "a text");
      EXPECT_EQ(reply.error().request_id, "ABC123");
      EXPECT_EQ(exchange.request_count(), 1u) << "no retry is hidden in the client";
    }
  }
}

TEST_F(sls_client, takes_a_parameter_error_about_the_cursor_for_an_invalid_cursor) {
  tests::memory_exchange exchange([](const auto&) {
    return json(400, R"({"errorCode":"ParameterInvalid","errorMessage":"Invalid Cursor MTA="})");
  });
  auto client = make(exchange);
  EXPECT_EQ(run_task(client.pull_logs(wanted(), accept_all)).error().code, errc::invalid_cursor);
}

TEST_F(sls_client, takes_the_project_quota_texts_for_throttling) {
  for (const char* message : {"Read QPS Exceed", "Project write quota exceed: qps: 5"}) {
    tests::memory_exchange exchange([&](const auto&) {
      return json(403, std::string(R"({"errorCode":"Forbidden","errorMessage":")") + message + "\"}");
    });
    auto client = make(exchange);
    EXPECT_EQ(run_task(client.pull_logs(wanted(), accept_all)).error().code, errc::throttled) << message;
  }
}

TEST_F(sls_client, judges_answers_that_are_not_the_services_by_their_status) {
  for (const auto& [status, code] : std::vector<std::pair<int, errc>>{{400, errc::bad_request},
                                                                      {401, errc::unauthorized},
                                                                      {403, errc::forbidden},
                                                                      {404, errc::not_found_logstore},
                                                                      {408, errc::server_busy},
                                                                      {418, errc::bad_request},
                                                                      {429, errc::throttled},
                                                                      {502, errc::server_busy},
                                                                      {504, errc::server_busy},
                                                                      {302, errc::bad_reply},
                                                                      {204, errc::bad_reply}}) {
    for (const std::string& body : {std::string("<html>proxy</html>"), std::string(), std::string("[1]"),
                                    std::string(stages::sls::error_bytes_max + 1, '<')}) {
      if (status < 300 && !body.empty()) continue;
      tests::memory_exchange exchange(
          [&](const auto&) { return scripted_answer{.status = status, .headers = {}, .body = body}; });
      auto client = make(exchange);
      const auto reply = run_task(client.pull_logs(wanted(), accept_all));
      ASSERT_FALSE(reply);
      EXPECT_EQ(reply.error().code, code) << status << ' ' << body.size();
      EXPECT_EQ(reply.error().status, status);
      EXPECT_TRUE(reply.error().service_code.empty());
    }
  }
}

TEST_F(sls_client, tells_how_long_the_service_wants_to_be_left_alone) {
  for (const auto& [value, expected] :
       std::vector<std::pair<std::string, std::optional<engine::duration>>>{{"7", 7s},
                                                                            {"Fri, 20 Nov 2026 08:00:09 GMT", 9s},
                                                                            {"Fri, 20 Nov 2026 07:00:00 GMT", 0s},
                                                                            {"99999999999", 1h},
                                                                            {"soon", std::nullopt}}) {
    tests::memory_exchange exchange([&](const auto&) { return json(503, "{}", {{"retry-after", value}}); });
    auto client = make(exchange);
    EXPECT_EQ(run_task(client.list_shards("trail")).error().retry_after, expected) << value;
  }
}

TEST_F(sls_client, tells_the_phase_in_which_the_transport_failed) {
  for (const auto& [lost, code] : std::vector<std::pair<http_errc, errc>>{{http_errc::resolve, errc::transport},
                                                                          {http_errc::connect, errc::transport},
                                                                          {http_errc::tls, errc::transport},
                                                                          {http_errc::timeout, errc::transport},
                                                                          {http_errc::reset, errc::transport},
                                                                          {http_errc::malformed, errc::bad_reply},
                                                                          {http_errc::too_large, errc::bad_reply},
                                                                          {http_errc::cancelled, errc::cancelled}}) {
    tests::memory_exchange exchange([&](const auto&) {
      return std::unexpected(engine::http_failure{.code = lost, .message = "m", .request_sent = true, .head = {}});
    });
    auto client = make(exchange);
    const auto reply = run_task(client.list_shards("trail"));
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, code);
    EXPECT_EQ(reply.error().message, "m");
    if (code == errc::transport) {
      EXPECT_EQ(reply.error().transport, lost);
    }
  }
}

TEST_F(sls_client, every_reaction_has_a_class_and_a_name) {
  using engine::fault;
  for (const auto& [code, kind] : std::vector<std::pair<errc, fault>>{{errc::transport, fault::transient},
                                                                      {errc::server_busy, fault::transient},
                                                                      {errc::throttled, fault::throttled},
                                                                      {errc::unauthorized, fault::unauthorized},
                                                                      {errc::forbidden, fault::unauthorized},
                                                                      {errc::not_found_project, fault::refused},
                                                                      {errc::not_found_logstore, fault::refused},
                                                                      {errc::shard_gone, fault::refused},
                                                                      {errc::invalid_cursor, fault::refused},
                                                                      {errc::clock_skew, fault::refused},
                                                                      {errc::group_not_found, fault::refused},
                                                                      {errc::group_exists, fault::refused},
                                                                      {errc::lost_ownership, fault::refused},
                                                                      {errc::bad_reply, fault::malformed},
                                                                      {errc::bad_request, fault::refused},
                                                                      {errc::refused_by_caller, fault::refused},
                                                                      {errc::cancelled, fault::cancelled}}) {
    EXPECT_EQ(stages::sls::fault_of(code), kind) << stages::sls::name_of(code);
    EXPECT_NE(stages::sls::name_of(code), "unknown");
  }
}

// --- keys ----------------------------------------------------------------------------------------------------------

TEST_F(sls_client, asks_for_the_key_at_every_attempt_and_reports_the_refused_generation) {
  tests::memory_exchange exchange(
      [](const auto&) { return json(401, R"({"errorCode":"Unauthorized","errorMessage":"expired"})"); });
  auto client = make(exchange);
  EXPECT_FALSE(run_task(client.list_shards("trail")));
  credentials.generation = 8;
  EXPECT_FALSE(run_task(client.list_shards("trail")));
  EXPECT_EQ(credentials.asked, 2);
  EXPECT_EQ(credentials.rejected, (std::vector<std::uint64_t>{7, 8}));
}

TEST_F(sls_client, sends_nothing_without_a_key) {
  tests::memory_exchange exchange([](const auto&) { return json(200, "[]"); });
  auto client = make(exchange);
  for (const auto& [kind, code] :
       std::vector<std::pair<engine::fault, errc>>{{engine::fault::unauthorized, errc::unauthorized},
                                                   {engine::fault::transient, errc::server_busy},
                                                   {engine::fault::throttled, errc::throttled},
                                                   {engine::fault::cancelled, errc::cancelled}}) {
    credentials.failing = stages::sls::credentials_failure{.kind = kind, .message = "no key"};
    const auto reply = run_task(client.list_shards("trail"));
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, code);
    EXPECT_EQ(reply.error().message, "no key");
  }
  EXPECT_EQ(exchange.request_count(), 0u);
}

TEST_F(sls_client, no_failure_repeats_the_key_or_the_token_even_if_the_service_does) {
  tests::memory_exchange exchange([](const tests::seen_request&) {
    return json(401,
                R"({"errorCode":")" + secret_token + R"(","errorMessage":"signature of )" + secret_key + " with " +
                    secret_token + "\\r\\nforged: line" + R"( wrong"})",
                {{"x-log-requestid", secret_token}});
  });
  auto client = make(exchange);
  const auto lost = run_task(client.list_shards("trail")).error();
  const auto all = lost.message + '|' + lost.service_code + '|' + lost.request_id;
  EXPECT_EQ(all.find(secret_key), std::string::npos) << all;
  EXPECT_EQ(all.find(secret_token), std::string::npos) << all;
  EXPECT_EQ(all.find("Temporary"), std::string::npos) << all;
  EXPECT_EQ(all.find('\n'), std::string::npos);
  EXPECT_EQ(lost.message, "signature of *** with ***  forged: line wrong");
}

// --- the clock -----------------------------------------------------------------------------------------------------

// A service whose clock stands at `time` and refuses everything signed for more than 15 minutes off it.
tests::memory_exchange::script strict_clock(engine::wall_time time) {
  return [time](const tests::seen_request& seen) {
    const auto signed_for = stages::http::parse_date(seen.header("date"));
    if (signed_for && std::chrono::abs(*signed_for - time) <= 15min) return json(200, R"({"cursor":"MA=="})");
    return json(400, R"({"errorCode":"RequestTimeTooSkewed","errorMessage":"off"})",
                {{"date", stages::http::format_date(time)}});
  };
}

TEST_F(sls_client, corrects_its_clock_once_and_keeps_the_correction) {
  tests::memory_exchange exchange(strict_clock(clock.wall() + 3h));
  auto client = make(exchange);
  EXPECT_TRUE(run_task(client.get_cursor("trail", 0, edge::begin)));
  EXPECT_EQ(exchange.request_count(), 2u);
  EXPECT_EQ(client.clock_offset(), 3h);
  EXPECT_EQ(credentials.asked, 2) << "every attempt is signed anew";
  EXPECT_TRUE(run_task(client.get_cursor("trail", 0, edge::begin)));
  EXPECT_EQ(exchange.request_count(), 3u);
}

TEST_F(sls_client, corrects_a_clock_that_is_ahead_too) {
  tests::memory_exchange exchange(strict_clock(clock.wall() - 23h));
  auto client = make(exchange);
  EXPECT_TRUE(run_task(client.get_cursor("trail", 0, edge::begin)));
  EXPECT_EQ(client.clock_offset(), -23h);
}

TEST_F(sls_client, tries_only_once_more_when_the_service_stays_dissatisfied) {
  for (const char* code :
       {"RequestTimeTooSkewed", "RequestTimeExpired", "InvalidRequestTime", "InvalidDateFormat", "MissingDate"}) {
    tests::memory_exchange exchange([&](const auto&) {
      return json(400, std::string(R"({"errorCode":")") + code + "\"}", {{"date", "Fri, 20 Nov 2026 09:00:00 GMT"}});
    });
    auto client = make(exchange);
    EXPECT_EQ(run_task(client.get_cursor("trail", 0, edge::begin)).error().code, errc::clock_skew);
    EXPECT_EQ(exchange.request_count(), 2u) << code;
  }
}

TEST_F(sls_client, believes_no_time_that_came_over_plain_http) {
  tests::memory_exchange exchange(strict_clock(clock.wall() + 3h));
  auto client = make(exchange, "http://sls.localhost:8080");
  EXPECT_EQ(run_task(client.get_cursor("trail", 0, edge::begin)).error().code, errc::clock_skew);
  EXPECT_EQ(exchange.request_count(), 1u);
  EXPECT_EQ(client.clock_offset(), 0h);
}

TEST_F(sls_client, believes_no_time_more_than_a_day_off_and_none_it_cannot_read) {
  for (const char* date : {"Sun, 22 Nov 2026 08:00:01 GMT", "Wed, 18 Nov 2026 08:00:00 GMT", "yesterday", ""}) {
    tests::memory_exchange exchange(
        [&](const auto&) { return json(400, R"({"errorCode":"RequestTimeTooSkewed"})", {{"date", date}}); });
    auto client = make(exchange);
    EXPECT_EQ(run_task(client.get_cursor("trail", 0, edge::begin)).error().code, errc::clock_skew);
    EXPECT_EQ(exchange.request_count(), 1u) << date;
    EXPECT_EQ(client.clock_offset(), 0h);
  }
}

TEST_F(sls_client, takes_no_time_from_other_errors) {
  tests::memory_exchange exchange(
      [](const auto&) { return json(500, "{}", {{"date", "Fri, 20 Nov 2026 09:00:00 GMT"}}); });
  auto client = make(exchange);
  EXPECT_FALSE(run_task(client.get_cursor("trail", 0, edge::begin)));
  EXPECT_EQ(client.clock_offset(), 0h);
}

TEST(base_url, reads_endpoints_as_people_write_them) {
  const auto url = stages::http::parse_base_url("HTTP://Example.com:8080/prefix/").value();
  EXPECT_FALSE(url.tls);
  EXPECT_EQ(url.host, "example.com");
  EXPECT_EQ(url.port, 8080);
  EXPECT_EQ(url.path, "/prefix");
  EXPECT_TRUE(stages::http::parse_base_url("example.com")->tls);
  for (const char* bad : {"", "https://", "ftp://x", "host:", "host:0", "host:65536", "host:a", "a b", "::1", "[::1",
                          "[::1]x", "[host]", "host/a?b", "h\nost", "user@host"}) {
    EXPECT_FALSE(stages::http::parse_base_url(bad)) << bad;
  }
}

}  // namespace
