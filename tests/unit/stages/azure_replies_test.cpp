#include "stages/azure/replies.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "stages/azure/cloud.hpp"
#include "stages/azure/token.hpp"

namespace stages::azure {
namespace {

using namespace std::chrono_literals;

std::vector<std::string> garbage() {
  std::vector<std::string> texts{"",
                                 " ",
                                 "<html>proxy</html>",
                                 "\xff\xfe",
                                 "nul",
                                 "{\"a\":}",
                                 "{} {}",
                                 "{\"access_token\":",
                                 std::string(8, '\0'),
                                 "{'a':'b'}",
                                 "[1,]",
                                 "[",
                                 "\"\xc3\x28\"",
                                 "{\"error\":\"a\nb\"}"};
  texts.push_back(std::string(5000, '['));
  texts.push_back(std::string(5000, '[') + std::string(5000, ']'));
  return texts;
}

// --- tokens --------------------------------------------------------------------------------------------------------

// Value, life and renewal in seconds, or the sentence of the error.
std::string shown(std::string_view json) {
  const auto reply = read_token(json);
  if (!reply) return "error: " + reply.error();
  const auto seconds = [](engine::duration d) {
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(d).count());
  };
  return std::string(reply->value.reveal()) + " " + seconds(reply->life) +
         (reply->refresh_in ? " " + seconds(*reply->refresh_in) : "");
}

std::string token_of(const std::string& access_token) {
  return R"({"access_token":")" + access_token + R"(","expires_in":3599})";
}
std::string living(const std::string& expires_in, const std::string& refresh_in = "null") {
  return R"({"access_token":"t","expires_in":)" + expires_in + R"(,"refresh_in":)" + refresh_in + "}";
}

const std::string no_object = "error: the token answer is not a JSON object";
const std::string no_bearer = "error: the token is not a bearer token";
const std::string no_token = "error: the token answer has no usable access_token";
const std::string no_life = "error: the token answer has no usable expires_in";

TEST(azure_token_reply, is_read_in_the_forms_of_entra_and_of_managed_identities) {
  EXPECT_EQ(shown(R"({"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"eyJ0.a-_b.c"})"),
            "eyJ0.a-_b.c 3599");
  EXPECT_EQ(shown(R"({"access_token":"t","client_id":"1","expires_in":"86399","expires_on":"1586984735",
                      "not_before":"1586898035","resource":"r","refresh_in":"43199","token_type":"Bearer"})"),
            "t 86399 43199");
  EXPECT_EQ(shown(R"({"access_token":"t","expires_in":60,"token_type":"bearer","new":{"access_token":"u"}})"), "t 60");
}

// It goes into a header as it is.
TEST(azure_token_reply, holds_only_characters_that_may_stand_in_a_header) {
  EXPECT_EQ(shown(token_of("!~")), "!~ 3599");
  for (const char* bad :
       {"", " ", "a b", "a\\r\\nX-Forged: 1", "a\\nb", "a\\tb", "a\\u0000b", "\\u007f", "\\u00e9", "t "}) {
    EXPECT_EQ(shown(token_of(bad)), no_token) << bad;
  }
  for (const char* other : {"5", "null", "[\"t\"]", "{}", "true"}) {
    EXPECT_EQ(shown(R"({"expires_in":60,"access_token":)" + std::string(other) + "}"), no_token) << other;
  }
  EXPECT_EQ(shown(R"({"expires_in":60})"), no_token);
}

TEST(azure_token_reply, has_a_longest_token) {
  EXPECT_EQ(shown(token_of(std::string(token_bytes_max, 'x'))), std::string(token_bytes_max, 'x') + " 3599");
  EXPECT_EQ(shown(token_of(std::string(token_bytes_max + 1, 'x'))), no_token);
}

TEST(azure_token_reply, is_for_bearers_or_does_not_say) {
  for (const char* type : {R"("Bearer")", R"("BEARER")", R"("")", "null", "5"}) {
    EXPECT_EQ(shown(R"({"access_token":"t","expires_in":60,"token_type":)" + std::string(type) + "}"), "t 60") << type;
  }
  for (const char* type : {R"("mac")", R"("pop")", R"("Bearer ")"}) {
    EXPECT_EQ(shown(R"({"access_token":"t","expires_in":60,"token_type":)" + std::string(type) + "}"), no_bearer)
        << type;
  }
}

TEST(azure_token_reply, lives_at_least_a_second_and_at_most_a_day) {
  EXPECT_EQ(shown(living("1")), "t 1");
  EXPECT_EQ(shown(living("86400")), "t 86400");
  EXPECT_EQ(shown(living("86401")), "t 86400");
  EXPECT_EQ(shown(living("18446744073709551615")), "t 86400");
  EXPECT_EQ(shown(living(R"("18446744073709551615")")), "t 86400");
  for (const char* bad : {"0", R"("0")", "-5", R"("-5")", "1.5", "null", "true", R"("")", R"("later")", R"(" 60")",
                          R"("60s")", "[60]", R"("18446744073709551616")"}) {
    EXPECT_EQ(shown(living(bad)), no_life) << bad;
  }
}

TEST(azure_token_reply, is_renewed_early_only_within_its_life) {
  EXPECT_EQ(shown(living("100", "99")), "t 100 99");
  EXPECT_EQ(shown(living("100", R"("50")")), "t 100 50");
  EXPECT_EQ(shown(living("100", "100")), "t 100");
  EXPECT_EQ(shown(living("100", "101")), "t 100");
  EXPECT_EQ(shown(living("86400", "18446744073709551615")), "t 86400");
  for (const char* bad : {"-1", "1.5", "true", R"("soon")", R"("")", "[]"}) {
    EXPECT_EQ(shown(living("100", bad)), "t 100") << bad;
  }
}

TEST(azure_token_reply, is_an_object_and_nothing_else) {
  for (const char* other : {"[]", "null", "5", R"("t")", R"([{"access_token":"t","expires_in":60}])"}) {
    EXPECT_EQ(shown(other), no_object) << other;
  }
  for (const auto& text : garbage()) EXPECT_EQ(shown(text), no_object) << text.substr(0, 40);
  const auto whole = token_of("t");
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_EQ(shown(whole.substr(0, size)), no_object) << size;
}

TEST(azure_token_reply, may_carry_much_that_is_not_wanted) {
  EXPECT_EQ(shown(R"({"note":")" + std::string(1'000'000, 'x') + R"(","access_token":"t","expires_in":60})"), "t 60");
}

std::string error_shown(std::string_view json) {
  const auto error = read_token_error(json);
  return error.error + "|" + std::to_string(error.aadsts);
}

TEST(azure_token_error, is_a_word_and_a_number_to_search_for) {
  EXPECT_EQ(error_shown(R"({"error":"invalid_client","error_description":"AADSTS7000215: ...",
                            "error_codes":[7000215,5],"timestamp":"x","trace_id":"y"})"),
            "invalid_client|7000215");
  EXPECT_EQ(error_shown(R"({"error":"invalid_scope"})"), "invalid_scope|0");
  EXPECT_EQ(error_shown(R"({"error_codes":[70011]})"), "|70011");
}

TEST(azure_token_error, takes_the_first_number_that_is_one) {
  EXPECT_EQ(error_shown(R"({"error_codes":["7000215",-1,1.5,null,4294967296,90002,50196]})"), "|90002");
  EXPECT_EQ(error_shown(R"({"error_codes":[4294967295]})"), "|4294967295");
  for (const char* other : {"[]", "7000215", R"("7000215")", "null", "{}", "[[7000215]]"}) {
    EXPECT_EQ(error_shown(R"({"error_codes":)" + std::string(other) + "}"), "|0") << other;
  }
}

TEST(azure_token_error, keeps_safe_characters_only) {
  EXPECT_EQ(error_shown(R"({"error":"bad\r\nword <b>\u00e9"})"), "badwordb|0");
  EXPECT_EQ(error_shown(R"({"error":")" + std::string(1000, 'x') + "\"}"), std::string(64, 'x') + "|0");
}

TEST(azure_token_error, is_empty_when_the_answer_is_of_another_kind) {
  for (const char* other : {"{}", "[]", "null", R"({"error":{"code":"x"}})", R"({"error":5})", R"(["error"])"}) {
    EXPECT_EQ(error_shown(other), "|0") << other;
  }
  for (const auto& text : garbage()) EXPECT_EQ(error_shown(text), "|0") << text.substr(0, 40);
}

// --- refused uploads -----------------------------------------------------------------------------------------------

std::string refusal_shown(std::string_view json) {
  const auto error = read_ingestion_error(json);
  return error.code + "|" + error.message;
}

TEST(azure_ingestion_error, is_read_as_sent) {
  EXPECT_EQ(refusal_shown(R"({"error":{"code":"ContentLengthLimitExceeded","message":"Maximum allowed: 1048576"}})"),
            "ContentLengthLimitExceeded|Maximum allowed: 1048576");
  EXPECT_EQ(refusal_shown(R"({"x":1,"error":{"target":"t","details":[{"code":"other"}],"additionalInfo":[],
                              "message":"\u00e9","code":"A b"}})"),
            "A b|\xc3\xa9");
}

TEST(azure_ingestion_error, lacks_what_is_missing_or_of_another_type) {
  EXPECT_EQ(refusal_shown(R"({"error":{"code":"NotFound"}})"), "NotFound|");
  EXPECT_EQ(refusal_shown(R"({"error":{"message":"m"}})"), "|m");
  EXPECT_EQ(refusal_shown(R"({"error":{"code":404,"message":["m"]}})"), "|");
  for (const char* other : {"{}", "[]", "null", R"({"error":"NotFound"})", R"({"error":[{"code":"x"}]})",
                            R"({"error":null})", R"({"code":"NotFound"})", R"({"Error":{"code":"NotFound"}})"}) {
    EXPECT_EQ(refusal_shown(other), "|") << other;
  }
  for (const auto& text : garbage()) EXPECT_EQ(refusal_shown(text), "|") << text.substr(0, 40);
}

// --- names and classes of failing tokens ---------------------------------------------------------------------------

TEST(azure_token, every_failure_has_its_name_and_its_class) {
  using engine::fault;
  struct row {
    token_errc code;
    std::string_view name;
    fault kind;
  };
  const std::vector<row> rows{{token_errc::transport, "transport", fault::transient},
                              {token_errc::server_busy, "server_busy", fault::transient},
                              {token_errc::throttled, "throttled", fault::throttled},
                              {token_errc::rejected, "rejected", fault::unauthorized},
                              {token_errc::misconfigured, "misconfigured", fault::unauthorized},
                              {token_errc::bad_reply, "bad_reply", fault::malformed},
                              {token_errc::cancelled, "cancelled", fault::cancelled}};
  std::set<token_errc> seen;
  for (const auto& [code, name, kind] : rows) {
    EXPECT_EQ(name_of(code), name);
    EXPECT_EQ(engine::name_of(fault_of(code)), engine::name_of(kind)) << name;
    EXPECT_EQ(fault_of(token_failure{.code = code, .error = {}, .message = {}}), kind) << name;
    seen.insert(code);
  }
  // All of them, so that a new one is missed here.
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(token_errc::cancelled) + 1);
}

// --- clouds --------------------------------------------------------------------------------------------------------

std::string cloud_shown(std::string_view host) {
  const auto found = cloud_of(host);
  return std::string(found.audience) + " " + std::string(found.authority);
}

const std::string public_cloud = "https://monitor.azure.com https://login.microsoftonline.com";
const std::string government = "https://monitor.azure.us https://login.microsoftonline.us";
const std::string china = "https://monitor.azure.cn https://login.chinacloudapi.cn";

TEST(azure_cloud, is_known_by_the_suffix_of_the_ingestion_host) {
  for (const char* name : {"x-a1b2.westeurope-1.ingest", "rule-a1b2-westeurope.logs.z1.ingest"}) {
    const std::string host(name);
    EXPECT_EQ(cloud_shown(host + ".monitor.azure.com"), public_cloud);
    EXPECT_EQ(cloud_shown(host + ".monitor.azure.us"), government);
    EXPECT_EQ(cloud_shown(host + ".monitor.azure.cn"), china);
  }
}

// A name that only looks like another cloud's must not send the secret to that cloud's authority.
TEST(azure_cloud, of_any_other_host_is_the_public_one) {
  for (const char* host : {"", "localhost", "127.0.0.1", "ingest.private.example", "monitor.azure.us",
                           "xmonitor.azure.us", "x.monitor.azure.us.example", "x.monitor.azure.cn.", "azure.cn"}) {
    EXPECT_EQ(cloud_shown(host), public_cloud) << host;
  }
}

}  // namespace
}  // namespace stages::azure
