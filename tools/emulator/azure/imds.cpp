#include "imds.hpp"

#include "entra.hpp"

namespace emulator {

namespace {

response json_reply(int status, std::string text) {
  response answer;
  answer.status = status;
  answer.set("content-type", "application/json; charset=utf-8");
  answer.text(std::move(text));
  return answer;
}

response refuse(int status, std::string_view name, std::string_view text) {
  return json_reply(status, R"({"error":)" + json_quoted(name) + R"(,"error_description":)" + json_quoted(text) + "}");
}

}  // namespace

response imds::token(const request& in) {
  if (in.method != "GET") return refuse(405, "method_not_allowed", "Method not allowed");
  if (in.header("metadata") != "true" && in.header("metadata") != "True") {
    return refuse(400, "invalid_request", "bad_request_102: Required metadata header not specified");
  }
  // A forwarded request means a proxy stands between the machine and its own metadata.
  if (in.has_header("x-forwarded-for")) return refuse(400, "invalid_request", "X-Forwarded-For must not be present");
  if (in.query_value("api-version").empty())
    return refuse(400, "invalid_request", "Required query variable 'api-version' is missing");
  if (in.query_value("resource").empty())
    return refuse(400, "invalid_request", "Required query variable 'resource' is missing");
  if (in.has_query("client_id") && in.query_value("client_id") != options_.client_id) {
    return refuse(400, "invalid_request", "Identity not found");
  }
  const auto made = tokens_.issue(plain_audience(in.query_value("resource")), false);
  const auto now_s = std::chrono::duration_cast<std::chrono::seconds>(now_().time_since_epoch());
  return json_reply(200, R"({"access_token":")" + made.text + R"(","client_id":)" + json_quoted(options_.client_id) +
                             R"(,"refresh_token":"","expires_in":")" + std::to_string(made.lifetime.count()) +
                             R"(","expires_on":")" + std::to_string((now_s + made.lifetime).count()) +
                             R"(","not_before":")" + std::to_string(now_s.count()) + R"(","resource":)" +
                             json_quoted(in.query_value("resource")) + R"(,"token_type":"Bearer"})");
}

response imds::handle(const request& in) {
  const auto hit = faults_.match({"metadata", "token", "", "", ""});
  response answer;
  if (hit && hit->kind == fault_kind::status) {
    answer = refuse(hit->status, hit->code.empty() ? "server_error" : hit->code, "fault asked for");
    if (hit->retry_after_s) answer.set("retry-after", std::to_string(*hit->retry_after_s));
    return answer;
  }
  answer = in.path == "/metadata/identity/oauth2/token" ? token(in) : refuse(404, "not_found", "No such endpoint");
  if (hit) spoil_answer(*hit, answer);
  return answer;
}

}  // namespace emulator
