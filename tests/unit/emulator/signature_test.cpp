#include "tools/emulator/sls/signature.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "tools/emulator/digests.hpp"
#include "tools/emulator/json_value.hpp"
#include "tools/emulator/sls/cursor.hpp"

namespace emulator::sls {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::system_clock;

struct vector {
  std::string name;
  request r;
  known_key key;
  std::string key_id;
  system_clock::time_point date;
};

std::string text(const json_value& of, std::string_view name) {
  const auto* member = of.find(name);
  return member == nullptr ? "" : member->text;
}

std::string lower(std::string name) {
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name;
}

vector read_vector(const json_value& v, bool v4) {
  vector one;
  one.name = text(v, "name");
  one.r.method = text(v, "method");
  one.r.path = text(v, "path");
  const auto* query = v.find("query");
  for (std::size_t i = 0; i < query->names.size(); ++i) {
    one.r.query.emplace_back(query->names[i], query->items[i].text);
  }
  const auto* headers = v.find("sign_headers");
  for (std::size_t i = 0; i < headers->names.size(); ++i) {
    one.r.headers.emplace_back(lower(headers->names[i]), headers->items[i].text);
  }
  // The Python SDK adds x-log-date after it has signed.
  if (const auto* late = v.find("unsigned_headers_added_after_signing")) {
    for (std::size_t i = 0; i < late->names.size(); ++i) {
      one.r.headers.emplace_back(lower(late->names[i]), late->items[i].text);
    }
  }
  one.r.headers.emplace_back("authorization", text(v, "authorization"));
  one.r.body = unbase64(text(v, "body_base64")).value();
  one.key_id = text(v, "access_key_id");
  one.key = {text(v, "access_key_secret"), text(v, "security_token"), "1000", std::nullopt};
  one.date = v4 ? basic_date(text(v, "datetime")).value() : http_date(text(v, "date")).value();
  return one;
}

std::vector<vector> vectors(std::string_view version) {
  std::ifstream file(PENSTOCK_SOURCE_DIR "/tests/data/sls_sign_vectors.json");
  std::ostringstream bytes;
  bytes << file.rdbuf();
  const auto all = parse_json(bytes.str());
  std::vector<vector> list;
  for (const auto& v : all.value().find(version)->items) list.push_back(read_vector(v, version == "v4"));
  return list;
}

outcome<signer> check(const vector& v, system_clock::time_point now) {
  const auto find = [&](std::string_view id) { return id == v.key_id ? std::optional(v.key) : std::nullopt; };
  return check_signature(v.r, find, now);
}

std::string code_of(const outcome<signer>& result) { return result ? "" : result.error().code; }

class every_vector : public testing::TestWithParam<const char*> {};

TEST_P(every_vector, is_accepted) {
  const auto all = vectors(GetParam());
  EXPECT_EQ(all.size(), GetParam() == std::string_view("v1") ? 15U : 18U);
  for (const auto& v : all) {
    const auto result = check(v, v.date + seconds(7));
    EXPECT_TRUE(result.has_value()) << v.name << ": " << (result ? "" : result.error().message);
    if (result) {
      EXPECT_EQ(result->account, "1000");
    }
  }
}

TEST_P(every_vector, is_refused_with_another_secret) {
  for (auto v : vectors(GetParam())) {
    v.key.access_key_secret += "x";
    EXPECT_EQ(code_of(check(v, v.date)), "SignatureNotMatch") << v.name;
  }
}

TEST_P(every_vector, is_refused_with_one_query_value_changed_or_added) {
  for (auto v : vectors(GetParam())) {
    if (v.r.query.empty()) {
      v.r.query.emplace_back("count", "1");
    } else {
      v.r.query.back().second += "1";
    }
    EXPECT_EQ(code_of(check(v, v.date)), "SignatureNotMatch") << v.name;
  }
}

TEST_P(every_vector, is_refused_with_another_body) {
  for (auto v : vectors(GetParam())) {
    v.r.body += "x";
    const auto code = code_of(check(v, v.date));
    EXPECT_TRUE(code == "SignatureNotMatch" || code == "PostBodyInvalid") << v.name << " " << code;
  }
}

TEST_P(every_vector, is_refused_when_sixteen_minutes_old_or_early_but_not_fourteen) {
  for (const auto& v : vectors(GetParam())) {
    EXPECT_EQ(code_of(check(v, v.date + minutes(16))), "RequestTimeTooSkewed") << v.name;
    EXPECT_EQ(code_of(check(v, v.date - minutes(16))), "RequestTimeTooSkewed") << v.name;
    EXPECT_EQ(code_of(check(v, v.date + minutes(14))), "") << v.name;
    EXPECT_EQ(code_of(check(v, v.date - minutes(14))), "") << v.name;
  }
}

TEST_P(every_vector, is_refused_with_an_unknown_key_or_another_token) {
  for (auto v : vectors(GetParam())) {
    auto unknown = v;
    unknown.key_id = "LTAI5tUnknown";
    EXPECT_EQ(code_of(check(unknown, v.date)), "Unauthorized") << v.name;
    v.key.security_token += "x";
    EXPECT_EQ(code_of(check(v, v.date)), "Unauthorized") << v.name;
  }
}

TEST_P(every_vector, is_refused_once_its_token_has_expired) {
  for (auto v : vectors(GetParam())) {
    v.key.expires = v.date + seconds(10);
    EXPECT_EQ(code_of(check(v, v.date + seconds(9))), "") << v.name;
    EXPECT_EQ(code_of(check(v, v.date + seconds(10))), "Unauthorized") << v.name;
  }
}

INSTANTIATE_TEST_SUITE_P(versions, every_vector, testing::Values("v1", "v4"));

request v1_sha256_request() {
  request r;
  r.method = "GET";
  r.path = "/logstores/a/shards/0";
  r.query = {{"type", "log"}, {"count", "10"}};
  r.headers = {{"host", "p.example"},
               {"date", "Fri, 20 Nov 2026 08:00:00 GMT"},
               {"x-log-apiversion", "0.6.0"},
               {"x-log-signaturemethod", "hmac-sha256"}};
  const std::string text =
      "GET\n\n\nFri, 20 Nov 2026 08:00:00 GMT\nx-log-apiversion:0.6.0\nx-log-signaturemethod:hmac-sha256\n"
      "/logstores/a/shards/0?count=10&type=log";
  r.headers.emplace_back("authorization", "LOG id:" + base64(hmac_sha256("secret", text)));
  return r;
}

TEST(signature, first_version_with_sha256_is_accepted) {
  const auto find = [](std::string_view) { return std::optional(known_key{"secret", "", "1000", std::nullopt}); };
  const auto now = http_date("Fri, 20 Nov 2026 08:00:00 GMT").value();
  auto r = v1_sha256_request();
  EXPECT_TRUE(check_signature(r, find, now).has_value());
  r.headers[3].second = "hmac-sha512";
  EXPECT_EQ(code_of(check_signature(r, find, now)), "InvalidSignatureMethod");
}

TEST(signature, missing_parts_have_their_own_errors) {
  const auto find = [](std::string_view) { return std::optional(known_key{"secret", "", "1000", std::nullopt}); };
  const auto now = http_date("Fri, 20 Nov 2026 08:00:00 GMT").value();
  const auto without = [&](std::string_view name) {
    auto r = v1_sha256_request();
    std::erase_if(r.headers, [&](const auto& h) { return h.first == name; });
    const auto common = check_common_headers(r);
    return common ? code_of(check_signature(r, find, now)) : common.error().code;
  };
  EXPECT_EQ(without("host"), "MissingHost");
  EXPECT_EQ(without("x-log-apiversion"), "MissingAPIVersion");
  EXPECT_EQ(without("date"), "MissingDate");
  EXPECT_EQ(without("x-log-signaturemethod"), "MissingSignatureMethod");
  EXPECT_EQ(without("authorization"), "Unauthorized");
}

TEST(signature, dates_of_other_forms_are_not_dates) {
  EXPECT_FALSE(http_date("2026-11-20T08:00:00Z"));
  EXPECT_FALSE(http_date("Fri, 20 Nov 2026 08:00:00"));
  EXPECT_FALSE(basic_date("20261120T080000"));
  EXPECT_FALSE(basic_date("2026112xT080000Z"));
  EXPECT_EQ(http_date("Fri, 20 Nov 2026 08:00:00 GMT"), basic_date("20261120T080000Z"));
  EXPECT_EQ(http_date_text(basic_date("20261120T080000Z").value()), "Fri, 20 Nov 2026 08:00:00 GMT");
}

}  // namespace
}  // namespace emulator::sls
