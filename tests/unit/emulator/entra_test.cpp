#include <gtest/gtest.h>

#include "azure_world.hpp"
#include "tools/emulator/sls/cursor.hpp"

namespace {

using namespace emulator_tests;
using namespace emulator;

std::string verdict(const response& answer) {
  const auto json = parse_json(*answer.body);
  const auto* codes = json->find("error_codes");
  const std::string number = codes == nullptr ? "" : codes->items.at(0).text;
  EXPECT_NE(azure_world::text(answer, "error_description").find("AADSTS" + number + ": "), std::string::npos);
  return std::to_string(answer.status) + " " + azure_world::text(answer, "error") + " " + number;
}

std::string without(std::string form, std::string_view field) {
  const auto at = form.find(field);
  EXPECT_NE(at, std::string::npos);
  return form.erase(at, form.find('&', at) - at + 1);
}

TEST(entra, describes_its_endpoints) {
  azure_world world;
  const auto answer = world.roles.handle(
      azure_world::call("GET", "/" + std::string(azure_world::tenant) + "/v2.0/.well-known/openid-configuration"));
  const std::string base = "https://localhost:8443/" + std::string(azure_world::tenant);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(azure_world::text(answer, "token_endpoint"), base + "/oauth2/v2.0/token");
  EXPECT_EQ(azure_world::text(answer, "authorization_endpoint"), base + "/oauth2/v2.0/authorize");
  EXPECT_EQ(azure_world::text(answer, "issuer"), base + "/v2.0");
  EXPECT_EQ(azure_world::text(answer, "jwks_uri"), base + "/discovery/v2.0/keys");
}

TEST(entra, gives_a_token_for_the_secret_in_the_form) {
  azure_world world;
  const auto answer = world.ask_token(azure_world::token_form());
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(azure_world::text(answer, "token_type"), "Bearer");
  EXPECT_EQ(azure_world::text(answer, "expires_in"), "3599");
  EXPECT_EQ(azure_world::text(answer, "access_token").size(), 1200U);
  EXPECT_NE(world.fetch_token(), azure_world::text(answer, "access_token"));
}

TEST(entra, gives_a_token_for_the_secret_in_http_basic) {
  azure_world world;
  const std::string pair = std::string(azure_world::client) + ":" + azure_world::encoded(azure_world::secret);
  const std::string form = "grant_type=client_credentials&scope=https%3A%2F%2Fmonitor.azure.com%2F%2F.default";
  EXPECT_EQ(world.ask_token(form, {{"authorization", "Basic " + sls::base64(pair)}}).status, 200);
  EXPECT_EQ(verdict(world.ask_token(form, {{"authorization", "Basic " + sls::base64(pair + "x")}})),
            "401 invalid_client 7000215");
}

TEST(entra, says_when_to_refresh_long_lived_tokens) {
  auto options = azure_world::usual();
  options.token_lifetime = std::chrono::hours(24);
  azure_world world(options);
  EXPECT_EQ(azure_world::text(world.ask_token(azure_world::token_form()), "refresh_in"), "43200");
}

TEST(entra, refuses_what_entra_refuses) {
  azure_world world;
  const std::string good = azure_world::token_form();
  const auto ask = [&](std::string form) { return verdict(world.ask_token(std::move(form))); };
  EXPECT_EQ(ask(azure_world::token_form("wrong")), "401 invalid_client 7000215");
  EXPECT_EQ(ask(without(good, "client_secret")), "401 invalid_client 7000218");
  EXPECT_EQ(ask("client_id=other&client_secret=x&scope=x&grant_type=client_credentials"),
            "400 unauthorized_client 700016");
  EXPECT_EQ(ask(without(good, "client_id")), "400 invalid_request 900144");
  EXPECT_EQ(ask(without(good, "scope")), "400 invalid_request 900144");
  EXPECT_EQ(ask(without(good, "grant_type")), "400 invalid_request 900144");
  EXPECT_EQ(ask("grant_type=password"), "400 unsupported_grant_type 70003");
  EXPECT_EQ(ask(azure_world::token_form(azure_world::secret, "https://monitor.azure.com")),
            "400 invalid_scope 1002012");
  EXPECT_EQ(ask(azure_world::token_form(azure_world::secret, "https://nowhere.example/.default")),
            "400 invalid_scope 70011");
  EXPECT_EQ(verdict(world.ask_token(good, {}, "99999999-0000-0000-0000-000000000000")), "400 invalid_request 90002");
}

TEST(entra, takes_only_registered_assertions) {
  auto options = azure_world::usual();
  options.client_assertions = {"federated-token"};
  azure_world world(options);
  const std::string form = without(azure_world::token_form(), "client_secret") + "&client_assertion=";
  EXPECT_EQ(world.ask_token(form + "federated-token").status, 200);
  EXPECT_EQ(verdict(world.ask_token(form + "another")), "401 invalid_client 700027");
}

TEST(entra, carries_out_faults) {
  azure_world world;
  world.set_faults(
      R"([{"role":"entra","op":"token","kind":"status","status":503,"retry_after":4,"count":1},{"role":"entra","kind":"reset_after","count":1}])");
  const auto first = world.ask_token(azure_world::token_form());
  EXPECT_EQ(first.status, 503);
  EXPECT_EQ(azure_world::text(first, "error"), "temporarily_unavailable");
  EXPECT_EQ(azure_world::header(first, "retry-after"), "4");
  EXPECT_EQ(world.ask_token(azure_world::token_form()).how, delivery::close_without_answer);
  EXPECT_EQ(world.ask_token(azure_world::token_form()).status, 200);
}

constexpr std::string_view imds_path =
    "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fmonitor.azure.com";

TEST(imds, gives_a_token_that_ingestion_takes) {
  azure_world world;
  const auto answer = world.roles.handle(azure_world::call("GET", imds_path, {{"metadata", "true"}}));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(azure_world::text(answer, "expires_in"), "3599");
  EXPECT_EQ(azure_world::text(answer, "expires_on"), "1790003599");
  EXPECT_EQ(azure_world::text(answer, "resource"), "https://monitor.azure.com");
  world.token = azure_world::text(answer, "access_token");
  EXPECT_EQ(azure_world::verdict(world.upload("[]")), "204");
}

TEST(imds, refuses_what_imds_refuses) {
  azure_world world;
  const auto ask = [&](std::string_view target, header_list headers, std::string method = "GET") {
    const auto answer = world.roles.handle(azure_world::call(std::move(method), target, std::move(headers)));
    return std::to_string(answer.status) + " " + azure_world::text(answer, "error_description");
  };
  EXPECT_EQ(ask(imds_path, {}), "400 bad_request_102: Required metadata header not specified");
  EXPECT_EQ(ask(imds_path, {{"metadata", "true"}, {"x-forwarded-for", "10.0.0.1"}}),
            "400 X-Forwarded-For must not be present");
  EXPECT_EQ(ask("/metadata/identity/oauth2/token?resource=x", {{"metadata", "true"}}),
            "400 Required query variable 'api-version' is missing");
  EXPECT_EQ(ask("/metadata/identity/oauth2/token?api-version=2018-02-01", {{"metadata", "true"}}),
            "400 Required query variable 'resource' is missing");
  EXPECT_EQ(ask(std::string(imds_path) + "&client_id=unknown", {{"metadata", "true"}}), "400 Identity not found");
  EXPECT_EQ(ask(imds_path, {{"metadata", "true"}}, "POST"), "405 Method not allowed");
  EXPECT_EQ(ask("/metadata/instance", {{"metadata", "true"}}), "404 No such endpoint");
}

}  // namespace
