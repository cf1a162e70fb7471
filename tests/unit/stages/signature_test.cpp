#include "stages/sls/signature.hpp"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "engine/base/digest.hpp"
#include "stages/http_fields.hpp"

namespace {

using stages::sls::access_key;
using stages::sls::unsigned_request;
namespace dom = simdjson::dom;

struct vector {
  std::string name;
  unsigned_request request;
  std::string body;  // what request.body looks at
  access_key key;
  std::map<std::string, std::string> expected;
};

std::string text(const dom::element& element, std::string_view key) {
  std::string_view out;
  if (element[key].get(out) != simdjson::SUCCESS) return {};
  return std::string(out);
}

// Published by running other clients' signers with a stopped clock; see the file's own description.
std::vector<vector> vectors(std::string_view kind) {
  dom::parser parser;
  const dom::element root = parser.load(PENSTOCK_SOURCE_DIR "/tests/data/sls_sign_vectors.json");
  std::vector<vector> out;
  for (const dom::element one : dom::array(root[kind])) {
    vector v{.name = text(one, "name"), .request = {}, .body = {}, .key = {}, .expected = {}};
    v.request.method = text(one, "method");
    v.request.path = text(one, "path");
    for (const auto [key, value] : dom::object(one["query"])) {
      v.request.query.emplace_back(std::string(key), std::string(std::string_view(value)));
    }
    for (const auto [key, value] : dom::object(one["sign_headers"])) {
      v.request.headers.emplace_back(std::string(key), std::string(std::string_view(value)));
    }
    v.body = engine::from_base64(text(one, "body_base64")).value();
    v.key = {.id = text(one, "access_key_id"),
             .key = engine::secret(text(one, "access_key_secret")),
             .token = engine::secret(text(one, "security_token"))};
    for (const char* name : {"authorization", "string_to_sign", "canonical_request", "content_md5", "content_sha256",
                             "signing_key_hex", "region", "datetime"}) {
      v.expected[name] = text(one, name);
    }
    out.push_back(std::move(v));
  }
  for (auto& v : out) v.request.body = v.body;  // only now: the strings do not move any more
  return out;
}

std::string header(const engine::http_headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (stages::http::equals_ignoring_case(key, name)) return value;
  }
  return {};
}

constexpr auto eight_o_clock = std::chrono::sys_days(std::chrono::year(2026) / 11 / 20) + std::chrono::hours(8);

TEST(signature, v1_agrees_with_every_published_vector) {
  const auto all = vectors("v1");
  ASSERT_EQ(all.size(), 15u);
  for (const auto& v : all) {
    EXPECT_EQ(stages::sls::string_to_sign_v1(v.request), v.expected.at("string_to_sign")) << v.name;
    EXPECT_EQ(stages::sls::authorization_v1(v.request, v.key), v.expected.at("authorization")) << v.name;
  }
}

TEST(signature, v4_agrees_with_every_published_vector) {
  const auto all = vectors("v4");
  ASSERT_EQ(all.size(), 18u);
  for (const auto& v : all) {
    const auto& region = v.expected.at("region");
    EXPECT_EQ(stages::sls::canonical_request_v4(v.request), v.expected.at("canonical_request")) << v.name;
    EXPECT_EQ(stages::sls::string_to_sign_v4(v.request, region), v.expected.at("string_to_sign")) << v.name;
    const auto key = stages::sls::signing_key_v4(v.key.key, v.expected.at("datetime").substr(0, 8), region);
    EXPECT_EQ(engine::to_hex(key.reveal()), v.expected.at("signing_key_hex")) << v.name;
    EXPECT_EQ(stages::sls::authorization_v4(v.request, v.key, region), v.expected.at("authorization")) << v.name;
  }
}

// The vectors of real calls once more, through sign(), which has to find date, digest and token headers by itself.
TEST(signature, sign_adds_the_headers_that_the_vectors_were_signed_with) {
  std::size_t compared = 0;
  for (const char* kind : {"v1", "v4"}) {
    for (const auto& v : vectors(kind)) {
      const auto raw_size = header(v.request.headers, "x-log-bodyrawsize");
      const bool ours = header(v.request.headers, "Host") == "audit-proj.cn-hangzhou.log.aliyuncs.com" &&
                        raw_size == std::to_string(v.body.size());
      if (!ours) continue;
      auto request = v.request;
      std::erase_if(request.headers, [](const auto& field) {
        return field.first.starts_with("x-log-api") || field.first.starts_with("x-log-body") ||
               field.first.starts_with("x-log-sig") || field.first.starts_with("x-log-date") ||
               field.first.starts_with("x-log-content") || field.first.starts_with("x-acs-") || field.first == "Date" ||
               field.first == "Content-MD5";
      });
      const auto headers = stages::sls::sign(request, v.key, v.expected.at("region"), eight_o_clock);
      EXPECT_EQ(header(headers, "Authorization"), v.expected.at("authorization")) << kind << ' ' << v.name;
      EXPECT_EQ(header(headers, "x-acs-security-token"), v.key.token.reveal());
      ++compared;
    }
  }
  EXPECT_EQ(compared, 20u);
}

TEST(signature, a_renewed_token_changes_the_signature) {
  const unsigned_request request{
      .method = "GET", .path = "/logstores", .query = {}, .headers = {{"Host", "p.e"}}, .body = {}};
  access_key key{.id = "id", .key = engine::secret("s"), .token = engine::secret("one")};
  const auto before = header(stages::sls::sign(request, key, "", eight_o_clock), "Authorization");
  key.token = engine::secret("two");
  EXPECT_NE(header(stages::sls::sign(request, key, "", eight_o_clock), "Authorization"), before);
}

TEST(signature, v1_without_a_region_and_v4_with_one) {
  const unsigned_request request{.method = "GET", .path = "/", .query = {}, .headers = {{"Host", "p.e"}}, .body = {}};
  const access_key key{.id = "id", .key = engine::secret("s"), .token = {}};
  EXPECT_TRUE(header(stages::sls::sign(request, key, "", eight_o_clock), "Authorization").starts_with("LOG id:"));
  const auto v4 = stages::sls::sign(request, key, "cn-hangzhou", eight_o_clock);
  EXPECT_TRUE(header(v4, "Authorization")
                  .starts_with("SLS4-HMAC-SHA256 Credential=id/20261120/cn-hangzhou/sls/aliyun_v4_request,Signature="));
  EXPECT_EQ(header(v4, "x-log-date"), "20261120T080000Z");
}

TEST(signature, percent_encodes_all_but_the_unreserved_characters) {
  EXPECT_EQ(stages::http::percent_encode("123abc!@#$%^&*()-=_+ ~|\\/"),
            "123abc%21%40%23%24%25%5E%26%2A%28%29-%3D_%2B%20~%7C%5C%2F");
  EXPECT_EQ(stages::http::percent_encode("é中"), "%C3%A9%E4%B8%AD");
}

TEST(signature, the_query_on_the_wire_carries_padding_and_spaces_encoded) {
  EXPECT_EQ(stages::sls::wire_query({{"type", "log"}, {"cursor", "MA=="}, {"q", "a b"}}),
            "?type=log&cursor=MA%3D%3D&q=a%20b");
  EXPECT_EQ(stages::sls::wire_query({}), "");
}

TEST(signature, writes_and_reads_http_dates) {
  EXPECT_EQ(stages::http::format_date(eight_o_clock), "Fri, 20 Nov 2026 08:00:00 GMT");
  EXPECT_EQ(stages::http::parse_date("Fri, 20 Nov 2026 08:00:00 GMT"), eight_o_clock);
  EXPECT_EQ(stages::http::parse_date("Mon, 3 Jan 2010 08:33:47 GMT"),
            std::chrono::sys_days(std::chrono::year(2010) / 1 / 3) + std::chrono::seconds(30827));
  for (const char* bad :
       {"", "Fri", "Fri, 20 Nov 2026 08:00:00", "Fri, 31 Feb 2026 08:00:00 GMT", "Fri, 20 Nov 2026 25:00:00 GMT",
        "Fri, 20 Nov 2026 08:00:00 CET", "Fri, -1 Nov 2026 08:00:00 GMT", "2026-11-20T08:00:00Z"}) {
    EXPECT_EQ(stages::http::parse_date(bad), std::nullopt) << bad;
  }
}

}  // namespace
