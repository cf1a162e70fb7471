#include "ingestion.hpp"

#include <algorithm>
#include <charconv>

#include "../gunzip.hpp"
#include "../sls/cursor.hpp"
#include "body_check.hpp"
#include "entra.hpp"
#include "spoil_rows.hpp"

namespace emulator {

namespace {

// Clients that send a new x-ms-client-request-id with every request must not fill the memory.
constexpr std::size_t header_hits_max = 100'000;

response refuse(int status, std::string_view code, std::string_view message) {
  response answer;
  answer.status = status;
  answer.set("content-type", "application/json; charset=utf-8");
  answer.set("x-ms-error-code", std::string(code));
  answer.set("x-ms-request-id", random_guid());
  answer.text(R"({"error":{"code":)" + json_quoted(code) + R"(,"message":)" + json_quoted(message) + "}}");
  return answer;
}

response bare(int status) {
  response answer;
  answer.status = status;
  return answer;
}

// The usual code of a status; nothing for those that come without a body.
std::string_view usual_code(int status) {
  switch (status) {
    case 400:
      return "InvalidPayload";
    case 401:
      return "TokenExpired";
    case 403:
      return "OperationFailed";
    case 404:
      return "NotFound";
    case 413:
      return "ContentLengthLimitExceeded";
    case 429:
      return "TooManyRequests";
    default:
      return {};
  }
}

response asked_for(int status, std::string_view code, std::optional<int> retry_after_s) {
  if (code.empty()) code = usual_code(status);
  response answer = code.empty() ? bare(status) : refuse(status, code, "fault asked for");
  if (retry_after_s) answer.set("retry-after", std::to_string(*retry_after_s));
  return answer;
}

void add_challenge(response& answer) {
  const std::string claims = sls::base64(R"({"access_token":{"nbf":{"essential":true,"value":"1760000000"}}})");
  answer.set("www-authenticate",
             R"(Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", )"
             R"(error="insufficient_claims", claims=")" +
                 claims + "\"");
}

// One `name=N` of x-emulator-fault, or nothing.
std::optional<int> option(std::string_view header, std::string_view name) {
  const std::string opening = ";" + std::string(name) + "=";
  const auto at = header.find(opening);
  if (at == header.npos) return std::nullopt;
  const auto text = header.substr(at + opening.size());
  int value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc()) return std::nullopt;
  return value;
}

bool same_text(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::uint64_t announced_bytes(const request& in) {
  const auto text = in.header("content-length");
  std::uint64_t bytes = 0;
  std::from_chars(text.data(), text.data() + text.size(), bytes);
  return std::max<std::uint64_t>(bytes, in.body.size());
}

response too_long(std::string_view code, std::uint64_t bytes_max, std::uint64_t bytes) {
  return refuse(413, code,
                "Maximum allowed content length: " + std::to_string(bytes_max) +
                    " bytes. Provided content length: " + std::to_string(bytes) + " bytes.");
}

}  // namespace

ingestion::ingestion(const azure_options& options, token_book& tokens, ledger& book, fault_plan& faults,
                     const wall_clock& now)
    : options_(options), tokens_(tokens), book_(book), faults_(faults), now_(now) {
  for (const azure_rule& one : options.rules) {
    buckets_.try_emplace(one.rule, buckets{rate_bucket(static_cast<double>(options.rule_bytes_per_minute)),
                                           rate_bucket(static_cast<double>(options.rule_requests_per_minute))});
  }
}

std::optional<response> ingestion::header_fault(const request& in) {
  const auto header = in.header("x-emulator-fault");
  if (header.empty()) return std::nullopt;
  if (const auto count = option(header, "count")) {
    const std::lock_guard lock(mutex_);
    if (header_hits_.size() >= header_hits_max) header_hits_.clear();
    auto& hits = header_hits_[std::string(in.header("x-ms-client-request-id"))];
    if (hits >= static_cast<std::uint64_t>(std::max(*count, 0))) return std::nullopt;
    ++hits;
  }
  if (header.starts_with("reset")) {
    response answer;
    answer.how = delivery::close_without_answer;
    return answer;
  }
  int status = 0;
  std::from_chars(header.data(), header.data() + header.size(), status);
  if (status < 100 || status > 599) return refuse(400, "InvalidFault", "x-emulator-fault: STATUS or reset expected");
  response answer = asked_for(status, "", option(header, "retry-after"));
  if (option(header, "claims") == 1) add_challenge(answer);
  return answer;
}

std::optional<response> ingestion::refuse_request(const request& in) const {
  if (in.method != "POST") return refuse(405, "MethodNotAllowed", "The endpoint only accepts POST requests.");
  const auto bytes = announced_bytes(in);
  if (bytes > wire_bytes_max) return too_long("ContentLengthLimitExceeded", wire_bytes_max, bytes);
  const auto version = in.query_value("api-version");
  if (version.empty()) return refuse(400, "MissingApiVersionParameter", "The api-version query parameter is required.");
  if (version != "2023-01-01" && version != "2021-11-01-preview") {
    return refuse(400, "UnsupportedApiVersion", "The api-version '" + std::string(version) + "' is not supported.");
  }
  return std::nullopt;
}

std::optional<response> ingestion::refuse_token(const request& in) const {
  constexpr std::string_view audience = "https://monitor.azure.com";
  constexpr std::string_view bearer = "Bearer ";
  const auto header = in.header("authorization");
  if (header.empty()) return refuse(401, "AuthenticationTokenMissing", "The Authorization header is missing.");
  if (header.size() < bearer.size() || !same_text(header.substr(0, bearer.size()), bearer)) {
    return refuse(401, "InvalidToken", "The Authorization header holds no bearer token.");
  }
  const auto token = header.substr(bearer.size());
  switch (tokens_.check(token, audience)) {
    case token_state::unknown:
      return refuse(401, "InvalidToken", "The access token is invalid.");
    case token_state::expired:
      return refuse(401, "TokenExpired", "The access token has expired.");
    case token_state::other_audience:
      return refuse(401, "InvalidAudience", "The access token has been obtained for the wrong audience.");
    case token_state::good:
      break;
  }
  if (!options_.claims_challenge || tokens_.answered_challenge(token)) return std::nullopt;
  response answer = refuse(401, "InvalidToken", "Continuous access evaluation resulted in a challenge.");
  add_challenge(answer);
  return answer;
}

std::optional<response> ingestion::refuse_rule(upload& to) const {
  const auto found =
      std::ranges::find_if(options_.rules, [&](const azure_rule& one) { return same_text(one.rule, to.rule); });
  if (found == options_.rules.end()) {
    return refuse(404, "NotFound", "Data collection rule with immutable Id '" + to.rule + "' not found.");
  }
  to.rule = found->rule;
  const bool known = std::ranges::any_of(
      options_.rules, [&](const azure_rule& one) { return one.rule == to.rule && one.stream == to.stream; });
  if (known) return std::nullopt;
  return refuse(
      400, "InvalidStream",
      "The stream " + to.stream + " was not configured in the data collection rule with immutable Id " + to.rule);
}

std::optional<response> ingestion::refuse_rate(const upload& to) {
  const std::lock_guard lock(mutex_);
  buckets& of = buckets_.at(to.rule);
  const auto now = now_();
  const auto wait = std::max(of.bytes.wait(now), of.requests.wait(now));
  if (wait > std::chrono::seconds(0)) {
    response answer = refuse(429, "TooManyRequests", "The rate limit of the data collection rule is exceeded.");
    answer.set("retry-after", std::to_string(wait.count()));
    return answer;
  }
  of.requests.take(1);
  return std::nullopt;
}

response ingestion::store(const request& in, upload& to, const std::optional<fault>& hit) {
  // An upload decompresses to some MB: the buffer is kept, its pages are touched once per thread.
  thread_local std::string plain;
  const auto coding = in.header("content-encoding");
  const bool gzip = same_text(coding, "gzip");
  if (!gzip && !coding.empty() && !same_text(coding, "identity")) {
    return refuse(400, "InvalidContentEncoding",
                  "The content encoding '" + std::string(coding) + "' is not supported.");
  }
  const auto fill = [&](std::string& text) {
    if (gzip) return gunzip(in.body, text, raw_bytes_max);
    text = in.body;
    return gunzip_outcome::ok;
  };
  const auto outcome = fill(plain);
  if (outcome == gunzip_outcome::malformed) {
    return refuse(400, "InvalidContentEncoding", "The body is not a complete gzip member.");
  }
  if (outcome == gunzip_outcome::too_large) {
    return refuse(413, "PayloadSizeLimitExceeded",
                  "Maximum allowed payload size: " + std::to_string(raw_bytes_max) + " bytes.");
  }
  to.raw_bytes = plain.size();
  if (options_.limit_uncompressed && plain.size() > wire_bytes_max) {
    return too_long("ContentLengthLimitExceeded", wire_bytes_max, plain.size());
  }
  if (options_.rule_bytes_per_minute > 0) {
    const std::lock_guard lock(mutex_);
    buckets_.at(to.rule).bytes.take(static_cast<double>(plain.size()));
  }
  std::optional<std::string> spoilt;
  if (hit) spoilt = spoil_rows(plain, hit->kind, hit->draw);
  if (!is_array_of_objects(plain, [&](std::string& text) { fill(text); })) {
    return refuse(400, "InvalidPayload", "The body is not a JSON array of objects.");
  }
  if (spoilt) {
    book_.accepted(to.rule, to.stream, std::make_shared<const std::string>(*std::move(spoilt)), false);
  } else {
    book_.accepted(to.rule, to.stream, std::make_shared<const std::string>(in.body), gzip);
  }
  return bare(204);
}

response ingestion::answer(const request& in, upload& to, const std::optional<fault>& hit) {
  if (hit && hit->kind == fault_kind::status) return asked_for(hit->status, hit->code, hit->retry_after_s);
  if (hit && hit->kind == fault_kind::reset_after) return bare(503);  // spoil_answer closes instead
  if (auto asked = header_fault(in)) return *std::move(asked);
  if (auto refusal = refuse_request(in)) return *std::move(refusal);
  if (auto refusal = refuse_token(in)) return *std::move(refusal);
  if (auto refusal = refuse_rule(to)) return *std::move(refusal);
  if (auto refusal = refuse_rate(to)) return *std::move(refusal);
  // What the service does with an empty body; an empty array is another thing.
  if (in.body.empty()) return bare(500);
  return store(in, to, hit);
}

response ingestion::handle(const request& in) {
  const auto path = path_segments(in.path);
  if (path.size() != 4 || path[0] != "dataCollectionRules" || path[2] != "streams") {
    return refuse(404, "NotFound", "No such resource.");
  }
  upload to{path[1], path[3]};
  const auto hit = faults_.match({"ingest", "upload", "", "", to.rule});
  response made = answer(in, to, hit);
  if (hit) spoil_answer(*hit, made);
  // A closed connection is no answer; but what was stored before it closed was.
  const bool stored = made.status == 204;
  if (stored || made.how != delivery::close_without_answer)
    book_.answered(to.rule, to.stream, made.status, in.body.size(), to.raw_bytes);
  if (const auto id = in.header("x-ms-client-request-id"); !id.empty())
    made.set("x-ms-client-request-id", std::string(id));
  return made;
}

}  // namespace emulator
