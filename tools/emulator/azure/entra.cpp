#include "entra.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <optional>

#include "../sls/cursor.hpp"

namespace emulator {

namespace {

// Resources a token can be asked for; all but the first three are there to be the wrong one.
constexpr std::array<std::string_view, 7> resources = {"https://monitor.azure.com",   "https://monitor.azure.us",
                                                       "https://monitor.azure.cn",    "https://management.azure.com",
                                                       "https://graph.microsoft.com", "https://vault.azure.net",
                                                       "https://storage.azure.com"};

response json_reply(int status, std::string text) {
  response answer;
  answer.status = status;
  answer.set("content-type", "application/json; charset=utf-8");
  answer.set("cache-control", "no-store, no-cache");
  answer.set("x-ms-request-id", random_guid());
  answer.text(std::move(text));
  return answer;
}

bool same_text(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

// 2026-01-01 00:00:00Z
std::string time_text(std::chrono::system_clock::time_point when) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(when);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%SZ", &parts)};
}

}  // namespace

std::string plain_audience(std::string_view audience) {
  while (audience.ends_with('/')) audience.remove_suffix(1);
  return std::string(audience);
}

// What a token request says about itself.
struct entra::form {
  std::vector<std::pair<std::string, std::string>> fields;
  std::string client_id;
  std::string client_secret;

  explicit form(const request& in) : fields(decode_form(in.body)) {
    client_id = field("client_id");
    client_secret = field("client_secret");
    constexpr std::string_view basic = "Basic ";
    const auto header = in.header("authorization");
    if (!header.starts_with(basic)) return;
    const auto pair = sls::unbase64(header.substr(basic.size()));
    const auto colon = pair ? pair->find(':') : std::string::npos;
    if (colon == std::string::npos) return;
    // Both halves are form-encoded before base64 (RFC 6749, 2.3.1).
    client_id = percent_decode(std::string_view(*pair).substr(0, colon), true);
    client_secret = percent_decode(std::string_view(*pair).substr(colon + 1), true);
  }
  [[nodiscard]] std::string field(std::string_view name) const {
    const auto found = std::ranges::find(fields, name, &std::pair<std::string, std::string>::first);
    return found == fields.end() ? std::string() : found->second;
  }
};

response entra::error(int status, std::string_view name, int number, std::string_view text) const {
  const std::string trace = random_guid();
  const std::string correlation = random_guid();
  const std::string time = time_text(now_());
  const std::string code = std::to_string(number);
  const std::string description = "AADSTS" + code + ": " + std::string(text) + " Trace ID: " + trace +
                                  " Correlation ID: " + correlation + " Timestamp: " + time;
  return json_reply(status, R"({"error":)" + json_quoted(name) + R"(,"error_description":)" + json_quoted(description) +
                                R"(,"error_codes":[)" + code + R"(],"timestamp":)" + json_quoted(time) +
                                R"(,"trace_id":)" + json_quoted(trace) + R"(,"correlation_id":)" +
                                json_quoted(correlation) +
                                R"(,"error_uri":"https://login.microsoftonline.com/error?code=)" + code + R"("})");
}

response entra::fault_answer(const fault& f) const {
  const auto usual = [](int status) -> std::string_view {
    if (status >= 500 || status == 429) return "temporarily_unavailable";
    return status == 401 ? "invalid_client" : "invalid_request";
  };
  constexpr int service_fault = 90033;
  response answer =
      error(f.status, f.code.empty() ? usual(f.status) : f.code, service_fault, "A transient error has occurred.");
  if (f.retry_after_s) answer.set("retry-after", std::to_string(*f.retry_after_s));
  return answer;
}

response entra::discovery(const request& in, std::string_view tenant) const {
  const std::string host = options_.scheme + "://" + std::string(in.header("host"));
  const std::string base = host + "/" + std::string(tenant);
  return json_reply(
      200,
      R"({"token_endpoint":)" + json_quoted(base + "/oauth2/v2.0/token") + R"(,"authorization_endpoint":)" +
          json_quoted(base + "/oauth2/v2.0/authorize") + R"(,"issuer":)" + json_quoted(base + "/v2.0") +
          R"(,"jwks_uri":)" + json_quoted(base + "/discovery/v2.0/keys") +
          R"(,"token_endpoint_auth_methods_supported":["client_secret_post","private_key_jwt","client_secret_basic"])" +
          R"(,"response_types_supported":["token"],"subject_types_supported":["pairwise"]})");
}

response entra::refuse_client(const form& in) const {
  if (const auto assertion = in.field("client_assertion"); !assertion.empty()) {
    if (std::ranges::find(options_.client_assertions, assertion) != options_.client_assertions.end()) return {};
    return error(401, "invalid_client", 700027,
                 "The certificate with identifier used to sign the client assertion is not registered on application.");
  }
  if (in.client_secret.empty()) {
    return error(401, "invalid_client", 7000218,
                 "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.");
  }
  if (in.client_secret != options_.client_secret) {
    return error(
        401, "invalid_client", 7000215,
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
        "not the client secret ID, for a secret added to app '" +
            in.client_id + "'.");
  }
  return {};
}

response entra::token(const request& in, std::string_view tenant) {
  if (in.method != "POST") return error(400, "invalid_request", 900561, "The endpoint only accepts POST requests.");
  if (!same_text(tenant, options_.tenant)) {
    return error(400, "invalid_request", 90002, "Tenant '" + std::string(tenant) + "' not found.");
  }
  const form asked(in);
  if (const auto grant = asked.field("grant_type"); grant != "client_credentials") {
    return grant.empty() ? error(400, "invalid_request", 900144,
                                 "The request body must contain the following parameter: 'grant_type'.")
                         : error(400, "unsupported_grant_type", 70003,
                                 "The app requested an unsupported grant type '" + grant + "'.");
  }
  if (asked.client_id.empty()) {
    return error(400, "invalid_request", 900144, "The request body must contain the following parameter: 'client_id'.");
  }
  if (!same_text(asked.client_id, options_.client_id)) {
    return error(400, "unauthorized_client", 700016,
                 "Application with identifier '" + asked.client_id + "' was not found in the directory.");
  }
  if (response refusal = refuse_client(asked); refusal.status != 200) return refusal;

  constexpr std::string_view suffix = "/.default";
  const std::string scope = asked.field("scope");
  if (scope.empty())
    return error(400, "invalid_request", 900144, "The request body must contain the following parameter: 'scope'.");
  if (!scope.ends_with(suffix)) {
    return error(400, "invalid_scope", 1002012,
                 "The provided value for scope " + scope +
                     " is not valid. Client credential flows must have a scope value "
                     "with /.default suffixed to the resource identifier (application ID URI).");
  }
  std::string audience = plain_audience(std::string_view(scope).substr(0, scope.size() - suffix.size()));
  if (std::ranges::find(resources, audience) == resources.end()) {
    return error(400, "invalid_scope", 70011,
                 "The provided request must include a 'scope' input parameter. The scope " + scope + " is not valid.");
  }
  const access_token made = tokens_.issue(std::move(audience), !asked.field("claims").empty());
  const std::string seconds = std::to_string(made.lifetime.count());
  // Long-lived tokens say when to begin refreshing.
  const std::string refresh =
      made.lifetime >= std::chrono::hours(2) ? R"(,"refresh_in":)" + std::to_string(made.lifetime.count() / 2) : "";
  return json_reply(200, R"({"token_type":"Bearer","expires_in":)" + seconds + R"(,"ext_expires_in":)" + seconds +
                             refresh + R"(,"access_token":")" + made.text + R"("})");
}

response entra::handle(const request& in) {
  const auto hit = faults_.match({"entra", "token", "", "", ""});
  if (hit && hit->kind == fault_kind::status) return fault_answer(*hit);
  const auto path = path_segments(in.path);
  response answer;
  if (path.size() >= 3 && path[path.size() - 2] == ".well-known" && path.back() == "openid-configuration") {
    answer = discovery(in, path.front());
  } else if (path.size() == 4 && path[1] == "oauth2" && path[2] == "v2.0" && path[3] == "token") {
    answer = token(in, path.front());
  } else {
    answer = error(404, "invalid_request", 900384, "No such endpoint.");
  }
  if (hit) spoil_answer(*hit, answer);
  return answer;
}

}  // namespace emulator
