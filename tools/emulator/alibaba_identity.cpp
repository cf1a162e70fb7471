#include "alibaba_identity.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <expected>
#include <map>
#include <mutex>
#include <set>

#include "digests.hpp"
#include "json_value.hpp"
#include "rpc_signature.hpp"

namespace emulator {

namespace {

using time_point = std::chrono::system_clock::time_point;

constexpr std::chrono::minutes skew_max{15};
constexpr std::chrono::seconds role_lifetime_min{900};
constexpr std::chrono::seconds role_lifetime_max{43'200};
constexpr std::chrono::seconds role_lifetime_usual{3600};
constexpr std::chrono::seconds machine_key_lifetime{6 * 3600};
constexpr std::chrono::minutes machine_key_renewed_before{30};
constexpr std::chrono::seconds metadata_token_lifetime_max{21'600};
// Nonces are remembered to refuse replays; beyond this many the memory starts anew.
constexpr std::size_t nonces_max = 100'000;

struct refusal {
  int status;
  std::string code;
  std::string message;
};

std::string random_hex(std::size_t bytes) {
  std::string raw(bytes, '\0');
  RAND_bytes(reinterpret_cast<unsigned char*>(raw.data()), static_cast<int>(bytes));
  return hex_upper(raw);
}

std::string request_id() {
  std::string hex = random_hex(16);
  for (const std::size_t at : {8U, 13U, 18U, 23U}) hex.insert(at, 1, '-');
  return hex;
}

std::string time_text(time_point when) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(when);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

std::optional<time_point> read_time(std::string_view text) {
  std::tm parts{};
  const std::string copy(text);
  const char* const end = strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return std::chrono::system_clock::from_time_t(timegm(&parts));
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

response json_reply(int status, std::string text) {
  response answer;
  answer.status = status;
  answer.set("content-type", "application/json;charset=utf-8");
  answer.text(std::move(text));
  return answer;
}

response plain_reply(int status, std::string text) {
  response answer;
  answer.status = status;
  answer.set("content-type", "text/plain");
  answer.text(std::move(text));
  return answer;
}

response sts_error(const refusal& why, std::string_view host) {
  return json_reply(why.status, R"({"RequestId":")" + request_id() + R"(","HostId":)" + json_quoted(host) +
                                    R"(,"Code":)" + json_quoted(why.code) + R"(,"Message":)" +
                                    json_quoted(why.message) + "}");
}

std::string usual_code(int status) {
  if (status == 429) return "Throttling";
  if (status == 403) return "NoPermission";
  return status >= 500 ? "InternalError" : "InvalidParameter";
}

bool session_name_valid(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '@' ||
           c == '-' || c == '_';
  };
  return name.size() >= 2 && name.size() <= 64 && std::ranges::all_of(name, fits);
}

// acs:ram::{account}:role/{name}
struct role_name {
  std::string account;
  std::string name;
};

std::optional<role_name> read_role(std::string_view arn) {
  constexpr std::string_view opening = "acs:ram::";
  constexpr std::string_view middle = ":role/";
  const auto at = arn.find(middle);
  if (!arn.starts_with(opening) || at == arn.npos || at < opening.size()) return std::nullopt;
  role_name role{std::string(arn.substr(opening.size(), at - opening.size())),
                 std::string(arn.substr(at + middle.size()))};
  if (role.account.empty() || role.name.empty()) return std::nullopt;
  return role;
}

struct temporary_key {
  std::string id;
  known_key key;
};

}  // namespace

struct alibaba_identity::parts {
  account_book& book;
  fault_plan& faults;
  const alibaba_identity_options options;
  const clock now;

  std::mutex mutex;
  std::set<std::string> nonces;
  std::optional<temporary_key> machine_key;
  std::map<std::string, time_point> metadata_tokens;

  struct call {
    rpc_parameters parameters;  // of query and form
    [[nodiscard]] std::string operator[](std::string_view name) const {
      const auto found = std::ranges::find(parameters, name, &rpc_parameters::value_type::first);
      return found == parameters.end() ? std::string() : found->second;
    }
  };

  temporary_key make_key(std::string account, std::chrono::seconds lifetime) {
    temporary_key made{"STS.N" + random_hex(12),
                       {random_hex(20), "CAIS" + random_hex(200), std::move(account), now() + lifetime}};
    book.add_temporary_key(made.id, made.key);
    return made;
  }

  // ---- STS ----

  std::optional<refusal> check_caller(std::string_view method, const call& in) {
    if (in["AccessKeyId"].empty())
      return refusal{400, "MissingAccessKeyId", "AccessKeyId is mandatory for this action."};
    if (in["SignatureMethod"] != "HMAC-SHA1" || in["SignatureVersion"] != "1.0") {
      return refusal{400, "InvalidParameter.SignatureMethod", "Only HMAC-SHA1 in version 1.0 is supported."};
    }
    const auto time = read_time(in["Timestamp"]);
    if (!time) return refusal{400, "InvalidTimeStamp.Format", "Specified time stamp is not well formatted."};
    if (*time > now() + skew_max || *time < now() - skew_max) {
      return refusal{400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired."};
    }
    if (in["SignatureNonce"].empty())
      return refusal{400, "MissingSignatureNonce", "SignatureNonce is mandatory for this action."};
    const auto key = book.find_key(in["AccessKeyId"]);
    if (!key) return refusal{404, "InvalidAccessKeyId.NotFound", "Specified access key is not found."};
    if (in["SecurityToken"] != key->security_token) {
      return refusal{400, "InvalidSecurityToken.Malformed", "Specified SecurityToken is malformed."};
    }
    if (key->expires && *key->expires <= now()) {
      return refusal{400, "InvalidSecurityToken.Expired", "Specified SecurityToken is expired."};
    }
    if (in["Signature"] != rpc_signature(method, in.parameters, key->access_key_secret)) {
      return refusal{400, "SignatureDoesNotMatch",
                     "Specified signature is not matched with our calculation. server string to sign is:" +
                         rpc_string_to_sign(method, in.parameters)};
    }
    const std::lock_guard lock(mutex);
    if (nonces.size() >= nonces_max) nonces.clear();
    if (!nonces.insert(in["AccessKeyId"] + in["SignatureNonce"]).second) {
      return refusal{400, "SignatureNonceUsed", "Specified signature nonce was used already."};
    }
    return std::nullopt;
  }

  std::expected<std::chrono::seconds, refusal> lifetime_of(const call& in) const {
    std::chrono::seconds lifetime = role_lifetime_usual;
    if (const std::string text = in["DurationSeconds"]; !text.empty()) {
      const auto number = whole_number(text);
      if (!number || *number < role_lifetime_min.count() || *number > role_lifetime_max.count()) {
        return std::unexpected(
            refusal{400, "InvalidParameter.DurationSeconds", "The Min/Max value of DurationSeconds is 15min/12hr."});
      }
      lifetime = std::chrono::seconds(*number);
    }
    return options.key_lifetime.value_or(lifetime);
  }

  std::expected<std::string, refusal> assume_role(std::string_view method, const call& in) {
    if (in["Action"] != "AssumeRole") {
      return std::unexpected(
          refusal{404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method."});
    }
    if (in["Version"] != "2015-04-01")
      return std::unexpected(refusal{400, "InvalidVersion", "Specified parameter Version is not valid."});
    if (auto why = check_caller(method, in)) return std::unexpected(*std::move(why));
    const auto role = read_role(in["RoleArn"]);
    if (!role)
      return std::unexpected(refusal{400, "InvalidParameter.RoleArn", "The parameter RoleArn is wrongly formed."});
    if (!session_name_valid(in["RoleSessionName"])) {
      return std::unexpected(
          refusal{400, "InvalidParameter.RoleSessionName", "The parameter RoleSessionName is wrongly formed."});
    }
    if (const auto id = in["ExternalId"]; !id.empty() && (id.size() < 2 || id.size() > 1224)) {
      return std::unexpected(
          refusal{400, "InvalidParameter.ExternalId", "The parameter ExternalId is wrongly formed."});
    }
    if (const auto policy = in["Policy"]; !policy.empty() && !parse_json(policy)) {
      return std::unexpected(
          refusal{400, "InvalidParameter.PolicyGrammar", "The parameter Policy has not passed grammar check."});
    }
    const auto lifetime = lifetime_of(in);
    if (!lifetime) return std::unexpected(lifetime.error());
    if (book.find_account(role->account) == nullptr) {
      return std::unexpected(refusal{404, "EntityNotExist.Role", "The specified Role not exists."});
    }
    const temporary_key made = make_key(role->account, *lifetime);
    const std::string session = in["RoleSessionName"];
    return R"({"RequestId":")" + request_id() + R"(","AssumedRoleUser":{"Arn":)" +
           json_quoted("acs:ram::" + role->account + ":role/" + role->name + "/" + session) + R"(,"AssumedRoleId":)" +
           json_quoted("3" + role->account + "1:" + session) + R"(},"Credentials":{"AccessKeyId":)" +
           json_quoted(made.id) + R"(,"AccessKeySecret":)" + json_quoted(made.key.access_key_secret) +
           R"(,"SecurityToken":)" + json_quoted(made.key.security_token) + R"(,"Expiration":")" +
           time_text(*made.key.expires) + R"("}})";
  }

  response sts(const request& in) {
    call asked;
    asked.parameters = in.query;
    for (auto& pair : decode_form(in.body)) asked.parameters.push_back(std::move(pair));
    const auto role = read_role(asked["RoleArn"]);
    const auto hit =
        faults.match({"sts", "assume_role", role ? std::string_view(role->account) : std::string_view(), "", ""});
    if (hit && hit->kind == fault_kind::status) {
      response answer = sts_error(
          {hit->status, hit->code.empty() ? usual_code(hit->status) : hit->code, "fault asked for"}, in.header("host"));
      if (hit->retry_after_s) answer.set("retry-after", std::to_string(*hit->retry_after_s));
      return answer;
    }
    const auto made = assume_role(in.method, asked);
    response answer = made ? json_reply(200, *made) : sts_error(made.error(), in.header("host"));
    if (hit) spoil_answer(*hit, answer);
    return answer;
  }

  // ---- metadata of an ECS machine ----

  response metadata_token(const request& in) {
    const auto lifetime = whole_number(in.header("x-aliyun-ecs-metadata-token-ttl-seconds"));
    if (!lifetime || *lifetime < 1 || *lifetime > metadata_token_lifetime_max.count()) {
      return plain_reply(400, "X-aliyun-ecs-metadata-token-ttl-seconds: 1 to 21600");
    }
    std::string token = random_hex(28);
    const std::lock_guard lock(mutex);
    const auto time = now();
    std::erase_if(metadata_tokens, [&](const auto& one) { return one.second <= time; });
    metadata_tokens[token] = time + std::chrono::seconds(*lifetime);
    return plain_reply(200, std::move(token));
  }

  bool metadata_allowed(const request& in) {
    const auto token = in.header("x-aliyun-ecs-metadata-token");
    if (token.empty()) return !options.metadata_needs_token;
    const std::lock_guard lock(mutex);
    const auto found = metadata_tokens.find(std::string(token));
    return found != metadata_tokens.end() && found->second > now();
  }

  response machine_credentials() {
    const std::lock_guard lock(mutex);
    const auto lifetime = options.key_lifetime.value_or(machine_key_lifetime);
    const auto margin = std::min<std::chrono::seconds>(machine_key_renewed_before, lifetime / 2);
    if (!machine_key || *machine_key->key.expires <= now() + margin)
      machine_key = make_key(book.accounts().front().id, lifetime);
    const known_key& key = machine_key->key;
    return json_reply(200, R"({"AccessKeyId":)" + json_quoted(machine_key->id) + R"(,"AccessKeySecret":)" +
                               json_quoted(key.access_key_secret) + R"(,"Expiration":")" + time_text(*key.expires) +
                               R"(","SecurityToken":)" + json_quoted(key.security_token) + R"(,"LastUpdated":")" +
                               time_text(*key.expires - lifetime) + R"(","Code":"Success"})");
  }

  response metadata_answer(const request& in) {
    constexpr std::string_view credentials = "/latest/meta-data/ram/security-credentials";
    const std::string_view path = in.path;
    if (path == "/latest/api/token") return in.method == "PUT" ? metadata_token(in) : plain_reply(405, "PUT expected");
    if (in.method != "GET") return plain_reply(405, "GET expected");
    if (!metadata_allowed(in)) return plain_reply(401, "a valid token is needed");
    if (path == "/latest/meta-data/region-id") return plain_reply(200, book.accounts().front().region);
    if (path == credentials || path == std::string(credentials) + "/")
      return plain_reply(200, std::string(machine_role));
    if (path == std::string(credentials) + "/" + std::string(machine_role)) return machine_credentials();
    return plain_reply(404, "404 - Not Found");
  }

  response metadata(const request& in) {
    const auto hit = faults.match({"metadata", "token", "", "", ""});
    if (hit && hit->kind == fault_kind::status) return plain_reply(hit->status, hit->code);
    response answer = metadata_answer(in);
    if (hit) spoil_answer(*hit, answer);
    return answer;
  }
};

alibaba_identity::alibaba_identity(account_book& book, fault_plan& faults, alibaba_identity_options options, clock now)
    : parts_(new parts{book, faults, std::move(options), std::move(now), {}, {}, {}, {}}) {}
alibaba_identity::~alibaba_identity() = default;

response alibaba_identity::handle(const request& in) {
  return in.path.starts_with("/latest/") ? parts_->metadata(in) : parts_->sts(in);
}

}  // namespace emulator
