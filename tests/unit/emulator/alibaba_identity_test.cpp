#include "tools/emulator/alibaba_identity.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "tools/emulator/json_value.hpp"
#include "tools/emulator/rpc_signature.hpp"

namespace {

using namespace emulator;

std::string text(const response& answer, std::string_view name) {
  const auto json = answer.body ? parse_json(*answer.body) : std::nullopt;
  const json_value* at = json ? &*json : nullptr;
  while (at != nullptr && !name.empty()) {
    const auto dot = std::min(name.find('.'), name.size());
    at = at->find(name.substr(0, dot));
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  return at == nullptr ? "" : at->text;
}

std::string verdict(const response& answer) { return std::to_string(answer.status) + " " + text(answer, "Code"); }

struct identity_world {
  std::chrono::system_clock::time_point now{std::chrono::seconds(1'795'161'600)};  // 2026-11-20T08:00:00Z
  account_book book{1, 2, 1};
  fault_plan faults{1};
  alibaba_identity_options options;
  std::unique_ptr<alibaba_identity> identity;

  explicit identity_world(alibaba_identity_options given = {}) : options(given) {
    identity = std::make_unique<alibaba_identity>(book, faults, options, [this] { return now; });
  }

  [[nodiscard]] rpc_parameters usual() const {
    return {{"Action", "AssumeRole"},
            {"Version", "2015-04-01"},
            {"Format", "JSON"},
            {"Timestamp", "2026-11-20T08:00:00Z"},
            {"SignatureMethod", "HMAC-SHA1"},
            {"SignatureVersion", "1.0"},
            {"SignatureNonce", "nonce-1"},
            {"AccessKeyId", book.accounts()[0].access_key_id},
            {"RoleArn", "acs:ram::" + book.accounts()[1].id + ":role/reader"},
            {"RoleSessionName", "a.session"},
            {"DurationSeconds", "900"}};
  }
  static rpc_parameters with(rpc_parameters parameters, std::string name, std::string value) {
    std::erase_if(parameters, [&](const auto& one) { return one.first == name; });
    if (!value.empty()) parameters.emplace_back(std::move(name), std::move(value));
    return parameters;
  }
  // Common parameters in the query, those of the operation in the form, as the clients send them.
  response ask(rpc_parameters parameters, std::string_view secret = "") {
    if (secret.empty()) secret = book.accounts()[0].access_key_secret;
    parameters.emplace_back("Signature", rpc_signature("POST", parameters, secret));
    request in;
    in.method = "POST";
    set_target(in, "/");
    in.headers = {{"host", "sts.aliyuncs.com"}, {"content-type", "application/x-www-form-urlencoded"}};
    for (auto& [name, value] : parameters) {
      if (name.starts_with("Role") || name == "Policy") {
        in.body += (in.body.empty() ? "" : "&") + name + "=";
        for (const char c : value) {
          constexpr std::string_view digits = "0123456789ABCDEF";
          in.body += {'%', digits[static_cast<unsigned char>(c) >> 4U], digits[static_cast<unsigned char>(c) & 15U]};
        }
      } else {
        in.query.emplace_back(name, value);
      }
    }
    return identity->handle(in);
  }
  response metadata(std::string method, std::string_view path, header_list headers = {}) {
    request in;
    in.method = std::move(method);
    set_target(in, path);
    in.headers = std::move(headers);
    return identity->handle(in);
  }
};

TEST(rpc_signature, agrees_with_the_published_vectors) {
  std::ifstream file(PENSTOCK_SOURCE_DIR "/tests/data/sts_vectors.json");
  const auto vectors = parse_json(std::string(std::istreambuf_iterator<char>(file), {}));
  ASSERT_TRUE(vectors);
  EXPECT_EQ(vectors->items.size(), 4U);
  for (const json_value& vector : vectors->items) {
    rpc_parameters parameters;
    const json_value* const params = vector.find("params");
    for (std::size_t i = 0; i < params->items.size(); ++i)
      parameters.emplace_back(params->names[i], params->items[i].text);
    parameters.emplace_back("Signature", "left out");
    const std::string& method = vector.find("method")->text;
    EXPECT_EQ(rpc_string_to_sign(method, parameters), vector.find("string_to_sign")->text);
    EXPECT_EQ(rpc_signature(method, parameters, vector.find("access_key_secret")->text),
              vector.find("signature")->text);
  }
}

TEST(alibaba_identity, gives_keys_of_the_role_s_account_that_the_book_knows) {
  identity_world world;
  const auto answer = world.ask(world.usual());
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(text(answer, "Credentials.Expiration"), "2026-11-20T08:15:00Z");
  EXPECT_EQ(text(answer, "AssumedRoleUser.Arn"), "acs:ram::" + world.book.accounts()[1].id + ":role/reader/a.session");
  const auto key = world.book.find_key(text(answer, "Credentials.AccessKeyId"));
  ASSERT_TRUE(key);
  EXPECT_EQ(key->access_key_secret, text(answer, "Credentials.AccessKeySecret"));
  EXPECT_EQ(key->security_token, text(answer, "Credentials.SecurityToken"));
  EXPECT_EQ(key->account, world.book.accounts()[1].id);
  EXPECT_EQ(key->expires, world.now + std::chrono::seconds(900));
}

TEST(alibaba_identity, chains_roles_while_the_first_keys_live) {
  identity_world world;
  const auto first = world.ask(world.usual());
  auto second = identity_world::with(world.usual(), "AccessKeyId", text(first, "Credentials.AccessKeyId"));
  const std::string secret = text(first, "Credentials.AccessKeySecret");
  EXPECT_EQ(verdict(world.ask(second, secret)), "400 InvalidSecurityToken.Malformed");
  second = identity_world::with(second, "SecurityToken", text(first, "Credentials.SecurityToken"));
  EXPECT_EQ(world.ask(second, secret).status, 200);
  world.now += std::chrono::seconds(900);
  second = identity_world::with(second, "Timestamp", "2026-11-20T08:15:00Z");
  EXPECT_EQ(verdict(world.ask(second, secret)), "400 InvalidSecurityToken.Expired");
}

TEST(alibaba_identity, refuses_what_sts_refuses) {
  identity_world world;
  const auto ask = [&](std::string name, std::string value) {
    return verdict(world.ask(identity_world::with(world.usual(), std::move(name), std::move(value))));
  };
  EXPECT_EQ(verdict(world.ask(world.usual(), "wrong secret")), "400 SignatureDoesNotMatch");
  EXPECT_EQ(ask("AccessKeyId", "unknown"), "404 InvalidAccessKeyId.NotFound");
  EXPECT_EQ(ask("AccessKeyId", ""), "400 MissingAccessKeyId");
  EXPECT_EQ(ask("Action", "GetCallerIdentity"), "404 InvalidAction.NotFound");
  EXPECT_EQ(ask("Version", "2014-01-01"), "400 InvalidVersion");
  EXPECT_EQ(ask("SignatureMethod", "HMAC-MD5"), "400 InvalidParameter.SignatureMethod");
  EXPECT_EQ(ask("SignatureNonce", ""), "400 MissingSignatureNonce");
  EXPECT_EQ(ask("Timestamp", "yesterday"), "400 InvalidTimeStamp.Format");
  EXPECT_EQ(ask("Timestamp", "2026-11-20T07:44:59Z"), "400 InvalidTimeStamp.Expired");
  EXPECT_EQ(ask("Timestamp", "2026-11-20T08:15:01Z"), "400 InvalidTimeStamp.Expired");
  // Each of these passes the signature, so each needs a nonce of its own.
  int nonce = 10;
  const auto asked = [&](std::string name, std::string value) {
    auto parameters = identity_world::with(world.usual(), "SignatureNonce", std::to_string(nonce++));
    return verdict(world.ask(identity_world::with(std::move(parameters), std::move(name), std::move(value))));
  };
  EXPECT_EQ(asked("RoleArn", "acs:ram::role/reader"), "400 InvalidParameter.RoleArn");
  EXPECT_EQ(asked("RoleArn", "acs:ram::9999999999999999:role/reader"), "404 EntityNotExist.Role");
  EXPECT_EQ(asked("RoleSessionName", "a"), "400 InvalidParameter.RoleSessionName");
  EXPECT_EQ(asked("RoleSessionName", "with blank"), "400 InvalidParameter.RoleSessionName");
  EXPECT_EQ(asked("DurationSeconds", "899"), "400 InvalidParameter.DurationSeconds");
  EXPECT_EQ(asked("DurationSeconds", "43201"), "400 InvalidParameter.DurationSeconds");
  EXPECT_EQ(asked("ExternalId", "x"), "400 InvalidParameter.ExternalId");
  EXPECT_EQ(asked("Policy", "{"), "400 InvalidParameter.PolicyGrammar");
}

TEST(alibaba_identity, refuses_a_nonce_used_before) {
  identity_world world;
  EXPECT_EQ(world.ask(world.usual()).status, 200);
  EXPECT_EQ(verdict(world.ask(world.usual())), "400 SignatureNonceUsed");
}

TEST(alibaba_identity, carries_out_faults) {
  identity_world world;
  ASSERT_TRUE(world.faults.replace(R"([{"role":"sts","op":"assume_role","match":{"account":")" +
                                   world.book.accounts()[1].id +
                                   R"("},"kind":"status","status":403,"code":"NoPermission","count":1}])"));
  EXPECT_EQ(verdict(world.ask(world.usual())), "403 NoPermission");
  EXPECT_EQ(world.ask(world.usual()).status, 200);
}

TEST(alibaba_identity, shortens_lifetimes_on_demand) {
  identity_world world({.key_lifetime = std::chrono::seconds(5), .metadata_needs_token = false});
  EXPECT_EQ(text(world.ask(world.usual()), "Credentials.Expiration"), "2026-11-20T08:00:05Z");
}

constexpr std::string_view credentials_path = "/latest/meta-data/ram/security-credentials/";

TEST(ecs_metadata, gives_keys_of_the_machine_s_role) {
  identity_world world;
  const auto role = world.metadata("GET", credentials_path);
  ASSERT_EQ(role.status, 200);
  const auto answer = world.metadata("GET", std::string(credentials_path) + *role.body);
  EXPECT_EQ(verdict(answer), "200 Success");
  EXPECT_EQ(text(answer, "Expiration"), "2026-11-20T14:00:00Z");
  EXPECT_EQ(text(answer, "LastUpdated"), "2026-11-20T08:00:00Z");
  EXPECT_EQ(world.book.find_key(text(answer, "AccessKeyId"))->account, world.book.accounts()[0].id);
  EXPECT_EQ(text(world.metadata("GET", std::string(credentials_path) + *role.body), "AccessKeyId"),
            text(answer, "AccessKeyId"));
  world.now += std::chrono::minutes(331);
  EXPECT_NE(text(world.metadata("GET", std::string(credentials_path) + *role.body), "AccessKeyId"),
            text(answer, "AccessKeyId"));
}

TEST(ecs_metadata, wants_a_living_token_where_one_is_needed) {
  identity_world world({.key_lifetime = std::nullopt, .metadata_needs_token = true});
  EXPECT_EQ(world.metadata("GET", credentials_path).status, 401);
  EXPECT_EQ(world.metadata("PUT", "/latest/api/token").status, 400);
  const auto token = world.metadata("PUT", "/latest/api/token", {{"x-aliyun-ecs-metadata-token-ttl-seconds", "60"}});
  ASSERT_EQ(token.status, 200);
  const header_list with_token = {{"x-aliyun-ecs-metadata-token", *token.body}};
  EXPECT_EQ(world.metadata("GET", credentials_path, with_token).status, 200);
  EXPECT_EQ(world.metadata("GET", "/latest/meta-data/region-id", with_token).status, 200);
  EXPECT_EQ(world.metadata("GET", "/latest/meta-data/unknown", with_token).status, 404);
  EXPECT_EQ(world.metadata("GET", credentials_path, {{"x-aliyun-ecs-metadata-token", "made up"}}).status, 401);
  world.now += std::chrono::seconds(60);
  EXPECT_EQ(world.metadata("GET", credentials_path, with_token).status, 401);
}

}  // namespace
