#include "signature.hpp"

#include <algorithm>
#include <cctype>
#include <ctime>
#include <iomanip>
#include <locale>
#include <sstream>
#include <vector>

#include "../digests.hpp"
#include "cursor.hpp"

namespace emulator::sls {

namespace {

using std::chrono::system_clock;
using pair = std::pair<std::string, std::string>;

constexpr auto skew_max = std::chrono::minutes(15);
constexpr std::string_view v1_scheme = "LOG ";
constexpr std::string_view v4_scheme = "SLS4-HMAC-SHA256 ";

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

std::optional<system_clock::time_point> parsed(std::string_view text, const char* format) {
  std::tm parts{};
  std::istringstream stream{std::string(text)};
  stream.imbue(std::locale::classic());
  stream >> std::get_time(&parts, format);
  if (stream.fail()) return std::nullopt;
  return system_clock::from_time_t(timegm(&parts));
}

// The x-log- and x-acs- headers both versions sign, by name; names arrive lower-cased.
std::vector<pair> signed_headers(const request& r, bool v4) {
  std::vector<pair> list;
  for (const auto& [name, value] : r.headers) {
    const bool service = (name.starts_with("x-log-") || name.starts_with("x-acs-")) && !name.starts_with("x-log-meta-");
    const bool wanted = v4 ? service || name == "host" || name == "content-type" : service && name != "x-log-date";
    if (wanted) list.emplace_back(name, trimmed(value));
  }
  std::ranges::sort(list);
  return list;
}

std::string rfc3986(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                       std::string_view("-_.~").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      out += '%' + hex_upper({&c, 1});
    }
  }
  return out;
}

std::vector<pair> sorted_query(const request& r) {
  auto query = r.query;
  std::ranges::sort(query);
  return query;
}

std::string v1_text(const request& r, std::string_view date) {
  std::string text = r.method + "\n";
  if (!r.body.empty()) text += hex_upper(md5(r.body));
  text += "\n" + std::string(trimmed(r.header("content-type"))) + "\n" + std::string(date) + "\n";
  for (const auto& [name, value] : signed_headers(r, false)) text += name + ":" + value + "\n";
  text += percent_decode(r.path, false);
  char before = '?';
  for (const auto& [name, value] : sorted_query(r)) {
    text += before + name + "=" + value;
    before = '&';
  }
  return text;
}

std::string v4_text(const request& r, std::string_view date, std::string_view scope) {
  std::string canonical = r.method + "\n" + r.path + "\n";
  bool first = true;
  for (const auto& [name, value] : sorted_query(r)) {
    if (!first) canonical += '&';
    first = false;
    canonical += name;
    if (!value.empty()) canonical += "=" + rfc3986(value);
  }
  canonical += "\n";
  std::string names;
  for (const auto& [name, value] : signed_headers(r, true)) {
    canonical += name + ":" + value + "\n";
    names += (names.empty() ? "" : ";") + name;
  }
  canonical += "\n" + names + "\n" + std::string(r.header("x-log-content-sha256"));
  return "SLS4-HMAC-SHA256\n" + std::string(date) + "\n" + std::string(scope) + "\n" + hex_lower(sha256(canonical));
}

outcome<known_key> key_for(std::string_view id, const request& r, const key_finder& find) {
  auto key = find(id);
  if (!key) return refuse(401, "Unauthorized", "AccessKeyId not found : " + std::string(id));
  if (key->security_token != r.header("x-acs-security-token")) {
    return refuse(401, "Unauthorized", "the security token you provided is invalid");
  }
  return *std::move(key);
}

outcome<void> in_time(std::optional<system_clock::time_point> sent, system_clock::time_point now) {
  if (!sent) return refuse(400, "InvalidDateFormat", "date is not in the format the signature version asks for");
  if (*sent < now - skew_max || *sent > now + skew_max) {
    return refuse(400, "RequestTimeTooSkewed", "request time exceeds server time by more than 15 minutes");
  }
  return {};
}

outcome<void> not_expired(const known_key& key, system_clock::time_point now) {
  if (key.expires && *key.expires <= now) {
    return refuse(401, "Unauthorized", "the security token you provided has expired");
  }
  return {};
}

std::unexpected<sls_error> no_match(std::string_view signature) {
  return refuse(401, "SignatureNotMatch", "signature " + std::string(signature) + " not matched");
}

outcome<signer> check_v1(const request& r, std::string_view authorization, const key_finder& find,
                         system_clock::time_point now) {
  const auto credentials = authorization.substr(v1_scheme.size());
  const auto colon = credentials.find(':');
  if (colon == credentials.npos) return refuse(401, "Unauthorized", "authorization header is not LOG id:signature");
  const auto method = r.header("x-log-signaturemethod");
  if (method.empty()) return refuse(400, "MissingSignatureMethod", "x-log-signaturemethod does not exist");
  if (method != "hmac-sha1" && method != "hmac-sha256") {
    return refuse(400, "InvalidSignatureMethod", "signature method is not supported: " + std::string(method));
  }
  const auto date = trimmed(r.has_header("x-log-date") ? r.header("x-log-date") : r.header("date"));
  if (date.empty()) return refuse(400, "MissingDate", "date does not exist in the header");
  const auto key = key_for(credentials.substr(0, colon), r, find);
  if (!key) return std::unexpected(key.error());
  if (auto fits = in_time(http_date(date), now); !fits) return std::unexpected(fits.error());
  if (r.has_header("content-md5") && !r.body.empty() && r.header("content-md5") != hex_upper(md5(r.body))) {
    return refuse(400, "PostBodyInvalid", "Content-MD5 does not belong to the body");
  }
  const auto text = v1_text(r, date);
  const auto wanted = base64(method == "hmac-sha1" ? hmac_sha1(key->access_key_secret, text)
                                                   : hmac_sha256(key->access_key_secret, text));
  const auto signature = trimmed(credentials.substr(colon + 1));
  if (wanted != signature) return no_match(signature);
  if (auto fits = not_expired(*key, now); !fits) return std::unexpected(fits.error());
  return signer{key->account, ""};
}

outcome<signer> check_v4(const request& r, std::string_view authorization, const key_finder& find,
                         system_clock::time_point now) {
  constexpr std::string_view credential_name = "Credential=";
  constexpr std::string_view signature_name = ",Signature=";
  const auto credentials = authorization.substr(v4_scheme.size());
  const auto split = credentials.find(signature_name);
  const auto slash = credentials.find('/');
  if (!credentials.starts_with(credential_name) || split == credentials.npos || slash >= split) {
    return refuse(401, "Unauthorized", "authorization header is not Credential=id/scope,Signature=hex");
  }
  const auto id = credentials.substr(credential_name.size(), slash - credential_name.size());
  const auto scope = credentials.substr(slash + 1, split - slash - 1);
  const auto signature = trimmed(credentials.substr(split + signature_name.size()));
  const auto date = r.header("x-log-date");
  if (date.empty()) return refuse(400, "MissingDate", "x-log-date does not exist in the header");
  if (!r.has_header("x-log-content-sha256")) {
    return refuse(400, "MissingParameter", "x-log-content-sha256 does not exist in the header");
  }
  const auto key = key_for(id, r, find);
  if (!key) return std::unexpected(key.error());
  if (auto fits = in_time(basic_date(date), now); !fits) return std::unexpected(fits.error());
  // scope = date8/region/sls/aliyun_v4_request
  const auto region_end = scope.find('/', 9);
  if (scope.substr(0, 8) != date.substr(0, 8) || scope.substr(8, 1) != "/" || region_end == scope.npos ||
      scope.substr(region_end) != "/sls/aliyun_v4_request") {
    return refuse(401, "SignatureNotMatch", "credential scope is not valid: " + std::string(scope));
  }
  if (r.header("x-log-content-sha256") != hex_lower(sha256(r.body))) return no_match(signature);
  const auto region = scope.substr(9, region_end - 9);
  auto signing_key = hmac_sha256("aliyun_v4" + key->access_key_secret, date.substr(0, 8));
  signing_key = hmac_sha256(signing_key, region);
  signing_key = hmac_sha256(signing_key, "sls");
  signing_key = hmac_sha256(signing_key, "aliyun_v4_request");
  if (hex_lower(hmac_sha256(signing_key, v4_text(r, date, scope))) != signature) return no_match(signature);
  if (auto fits = not_expired(*key, now); !fits) return std::unexpected(fits.error());
  return signer{key->account, std::string(region)};
}

}  // namespace

std::optional<system_clock::time_point> http_date(std::string_view text) {
  return text.ends_with(" GMT") ? parsed(text, "%a, %d %b %Y %H:%M:%S GMT") : std::nullopt;
}

std::optional<system_clock::time_point> basic_date(std::string_view text) {
  const auto digit_at = [&](std::size_t i) { return i == 8 || i == 15 || (text[i] >= '0' && text[i] <= '9'); };
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!digit_at(i)) return std::nullopt;
  }
  const auto number = [&](std::size_t at, std::size_t size) {
    int value = 0;
    for (const char c : text.substr(at, size)) value = value * 10 + (c - '0');
    return value;
  };
  std::tm parts{};
  parts.tm_year = number(0, 4) - 1900;
  parts.tm_mon = number(4, 2) - 1;
  parts.tm_mday = number(6, 2);
  parts.tm_hour = number(9, 2);
  parts.tm_min = number(11, 2);
  parts.tm_sec = number(13, 2);
  return system_clock::from_time_t(timegm(&parts));
}

std::string http_date_text(system_clock::time_point at) {
  const auto seconds = system_clock::to_time_t(at);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

outcome<void> check_common_headers(const request& r) {
  if (r.header("host").empty()) return refuse(400, "MissingHost", "host does not exist in the header");
  const auto version = r.header("x-log-apiversion");
  if (version.empty()) return refuse(400, "MissingAPIVersion", "x-log-apiversion does not exist in the header");
  if (version != "0.6.0") return refuse(400, "InvalidAPIVersion", "version is not supported: " + std::string(version));
  return {};
}

outcome<signer> check_signature(const request& r, const key_finder& find, system_clock::time_point now) {
  const auto authorization = r.header("authorization");
  if (authorization.starts_with(v1_scheme)) return check_v1(r, authorization, find, now);
  if (authorization.starts_with(v4_scheme)) return check_v4(r, authorization, find, now);
  return refuse(401, "Unauthorized", "the request is not signed in a known way");
}

}  // namespace emulator::sls
