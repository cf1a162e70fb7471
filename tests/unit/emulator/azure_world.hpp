// The Azure roles over an empty ledger, with a clock that is set and requests written in one line.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>

#include "ledger_world.hpp"
#include "tools/emulator/azure/roles.hpp"
#include "tools/emulator/json_value.hpp"

namespace emulator_tests {

struct azure_world : ledger_world {
  static constexpr std::string_view tenant = "11111111-2222-3333-4444-555555555555";
  static constexpr std::string_view client = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
  static constexpr std::string_view secret = "s3cr~t+/=&";
  static constexpr std::string_view rule = "dcr-00000000000000000000000000000001";
  static constexpr std::string_view stream = "Custom-AliCloudActionTrailLogs";

  static emulator::azure_options usual() {
    emulator::azure_options options;
    options.tenant = tenant;
    options.client_id = client;
    options.client_secret = secret;
    options.rules = {{std::string(rule), std::string(stream)}};
    return options;
  }

  explicit azure_world(emulator::azure_options options = usual())
      : roles(std::move(options), book, faults, [this] { return wall; }) {}

  static emulator::request call(std::string method, std::string_view target, emulator::header_list headers = {},
                                std::string body = "") {
    emulator::request made;
    made.method = std::move(method);
    emulator::set_target(made, target);
    made.headers = std::move(headers);
    made.headers.emplace_back("host", "localhost:8443");
    made.body = std::move(body);
    return made;
  }
  static std::string encoded(std::string_view text) {
    std::string out;
    for (const char c : text) {
      constexpr std::string_view digits = "0123456789ABCDEF";
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', digits[byte >> 4U], digits[byte & 15U]};
    }
    return out;
  }
  static std::string token_form(std::string_view given_secret = secret,
                                std::string_view scope = "https://monitor.azure.com/.default") {
    return "client_id=" + std::string(client) + "&scope=" + encoded(scope) + "&client_secret=" + encoded(given_secret) +
           "&grant_type=client_credentials&x-client-SKU=test";
  }
  emulator::response ask_token(std::string body, emulator::header_list headers = {},
                               std::string_view of_tenant = tenant) {
    headers.emplace_back("content-type", "application/x-www-form-urlencoded");
    return roles.handle(call("POST", "/" + std::string(of_tenant) + "/oauth2/v2.0/token?client-request-id=x",
                             std::move(headers), std::move(body)));
  }
  std::string fetch_token(std::string_view scope = "https://monitor.azure.com/.default") {
    return text(ask_token(token_form(secret, scope)), "access_token");
  }

  static std::string path(std::string_view of_rule = rule, std::string_view of_stream = stream,
                          std::string_view query = "api-version=2023-01-01") {
    return "/dataCollectionRules/" + std::string(of_rule) + "/streams/" + std::string(of_stream) + "?" +
           std::string(query);
  }
  emulator::response upload(std::string body, emulator::header_list more = {}, std::string target = path()) {
    if (token.empty()) token = fetch_token();
    more.emplace_back("authorization", "Bearer " + token);
    more.emplace_back("content-type", "application/json");
    return roles.handle(call("POST", target, std::move(more), std::move(body)));
  }
  emulator::response upload_gzip(std::string_view plain) {
    return upload(gzipped(plain), {{"content-encoding", "gzip"}});
  }

  // Members of JSON answers; "error.code" goes one level down.
  static std::string text(const emulator::response& answer, std::string_view name) {
    const auto json = answer.body ? emulator::parse_json(*answer.body) : std::nullopt;
    const emulator::json_value* at = json ? &*json : nullptr;
    while (at != nullptr && !name.empty()) {
      const auto dot = std::min(name.find('.'), name.size());
      at = at->find(name.substr(0, dot));
      name.remove_prefix(std::min(dot + 1, name.size()));
    }
    return at == nullptr ? "" : at->text;
  }
  static std::string header(const emulator::response& answer, std::string_view name) {
    for (const auto& [key, value] : answer.headers) {
      if (key == name) return value;
    }
    return "";
  }
  // "STATUS code", the code equal in body and header.
  static std::string verdict(const emulator::response& answer) {
    const std::string code = text(answer, "error.code");
    EXPECT_EQ(header(answer, "x-ms-error-code"), code);
    return std::to_string(answer.status) + (code.empty() ? "" : " " + code);
  }
  void set_faults(std::string_view json) { EXPECT_TRUE(faults.replace(json).has_value()); }

  std::chrono::system_clock::time_point wall{std::chrono::seconds(1'790'000'000)};
  emulator::fault_plan faults{1};
  emulator::azure_roles roles;
  std::string token;
};

}  // namespace emulator_tests
