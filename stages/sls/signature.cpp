#include "stages/sls/signature.hpp"

#include <algorithm>
#include <cstdio>

#include "engine/base/digest.hpp"
#include "stages/http_fields.hpp"

namespace stages::sls {
namespace {

using engine::byte_view;

std::string_view trim(std::string_view text) {
  constexpr std::string_view blank = " \t";
  const auto first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

// Value of the header under any spelling of its name; empty when absent.
std::string_view value_of(const engine::http_headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (http::equals_ignoring_case(key, name)) return value;
  }
  return {};
}

bool is_service_header(std::string_view lower_name) {
  if (lower_name.starts_with("x-log-meta-")) return false;
  return lower_name.starts_with("x-log-") || lower_name.starts_with("x-acs-");
}

template <class F>
engine::http_headers signed_headers(const engine::http_headers& headers, F wanted) {
  engine::http_headers out;
  for (const auto& [name, value] : headers) {
    auto key = http::to_lower(name);
    if (wanted(key)) out.emplace_back(std::move(key), trim(value));
  }
  std::ranges::sort(out);
  return out;
}

query_fields sorted(query_fields query) {
  std::ranges::sort(query);
  return query;
}

// "20261120T080000Z"
std::string compact_date(engine::wall_time when) {
  const auto day = std::chrono::floor<std::chrono::days>(when);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(when - day));
  char text[40];
  const int size = std::snprintf(text, sizeof text, "%04d%02u%02uT%02d%02d%02dZ", static_cast<int>(date.year()),
                                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                                 static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                                 static_cast<int>(time.seconds().count()));
  return {text, static_cast<std::size_t>(size)};
}

std::string hex_sha256(byte_view bytes) { return engine::to_hex(engine::view_of(engine::sha256(bytes))); }

std::string scope(std::string_view date, std::string_view region) {
  std::string out(date.substr(0, 8));
  out.append("/").append(region).append("/sls/aliyun_v4_request");
  return out;
}

}  // namespace

std::string wire_query(const query_fields& query) {
  std::string out;
  for (const auto& [name, value] : query) {
    out += out.empty() ? '?' : '&';
    out += http::percent_encode(name) + "=" + http::percent_encode(value);
  }
  return out;
}

std::string string_to_sign_v1(const unsigned_request& request) {
  std::string out = request.method + "\n";
  if (!request.body.empty()) out += engine::to_hex_upper(engine::view_of(engine::md5(request.body)));
  out.append("\n").append(value_of(request.headers, "content-type"));
  out.append("\n").append(value_of(request.headers, "date")).append("\n");
  // x-log-date stands in for Date where it is sent, and is not signed as a header.
  const auto wanted = [](std::string_view name) { return is_service_header(name) && name != "x-log-date"; };
  for (const auto& [name, value] : signed_headers(request.headers, wanted)) out += name + ":" + value + "\n";
  out += request.path;
  char separator = '?';
  for (const auto& [name, value] : sorted(request.query)) {
    out += separator + name + "=" + value;
    separator = '&';
  }
  return out;
}

std::string authorization_v1(const unsigned_request& request, const access_key& key) {
  const auto signature = engine::hmac_sha1(key.key.reveal(), string_to_sign_v1(request));
  return "LOG " + key.id + ":" + engine::to_base64(engine::view_of(signature));
}

std::string canonical_request_v4(const unsigned_request& request) {
  std::string out = request.method + "\n" + request.path + "\n";
  bool first = true;
  for (const auto& [name, value] : sorted(request.query)) {
    if (!first) out += '&';
    first = false;
    out += name;
    // The service leaves out the sign of an empty value here, in contrast to V1.
    if (!value.empty()) out += "=" + http::percent_encode(value);
  }
  out += "\n";
  const auto wanted = [](std::string_view name) {
    return is_service_header(name) || name == "host" || name == "content-type";
  };
  std::string names;
  for (const auto& [name, value] : signed_headers(request.headers, wanted)) {
    out += name + ":" + value + "\n";
    if (!names.empty()) names += ';';
    names += name;
  }
  out.append("\n").append(names).append("\n").append(value_of(request.headers, "x-log-content-sha256"));
  return out;
}

std::string string_to_sign_v4(const unsigned_request& request, std::string_view region) {
  const std::string date(value_of(request.headers, "x-log-date"));
  return "SLS4-HMAC-SHA256\n" + date + "\n" + scope(date, region) + "\n" + hex_sha256(canonical_request_v4(request));
}

engine::secret signing_key_v4(const engine::secret& key, std::string_view date8, std::string_view region) {
  const engine::secret first("aliyun_v4" + std::string(key.reveal()));
  auto digest = engine::hmac_sha256(first.reveal(), date8);
  for (const byte_view part : {byte_view(region), byte_view("sls"), byte_view("aliyun_v4_request")}) {
    digest = engine::hmac_sha256(engine::view_of(digest), part);
  }
  return engine::secret(std::string(engine::view_of(digest)));
}

std::string authorization_v4(const unsigned_request& request, const access_key& key, std::string_view region) {
  const auto date = value_of(request.headers, "x-log-date");
  const auto signing_key = signing_key_v4(key.key, date.substr(0, 8), region);
  const auto signature = engine::hmac_sha256(signing_key.reveal(), string_to_sign_v4(request, region));
  return "SLS4-HMAC-SHA256 Credential=" + key.id + "/" + scope(date, region) +
         ",Signature=" + engine::to_hex(engine::view_of(signature));
}

engine::http_headers sign(const unsigned_request& request, const access_key& key, std::string_view region,
                          engine::wall_time now) {
  auto complete = request;
  auto& headers = complete.headers;
  headers.emplace_back("x-log-apiversion", "0.6.0");
  headers.emplace_back("x-log-bodyrawsize", std::to_string(request.body.size()));
  headers.emplace_back("Date", http::format_date(now));
  if (!key.token.empty()) headers.emplace_back("x-acs-security-token", key.token.reveal());
  if (region.empty()) {
    headers.emplace_back("x-log-signaturemethod", "hmac-sha1");
    if (!request.body.empty()) {
      headers.emplace_back("Content-MD5", engine::to_hex_upper(engine::view_of(engine::md5(request.body))));
    }
    headers.emplace_back("Authorization", authorization_v1(complete, key));
  } else {
    headers.emplace_back("x-log-date", compact_date(now));
    headers.emplace_back("x-log-content-sha256", hex_sha256(request.body));
    headers.emplace_back("Authorization", authorization_v4(complete, key, region));
  }
  return std::move(headers);
}

}  // namespace stages::sls
