// Small readers and writers of HTTP and URL text that both services need. Pure; never throw on data.
#pragma once

#include <cstdint>
#include <expected>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/units.hpp"
#include "engine/flow/http_message.hpp"

namespace stages::http {

// RFC 3986: everything but A-Z a-z 0-9 - _ . ~ becomes %XX in upper case. Right for query values, form values and one
// path segment alike.
std::string percent_encode(std::string_view text);

// "Fri, 20 Nov 2026 08:00:00 GMT". The old form with a one-digit day is read too, other forms of RFC 9110 are not: no
// service here sends them.
std::string format_date(engine::wall_time);
std::optional<engine::wall_time> parse_date(std::string_view text);

// Decimal digits and nothing else.
std::optional<std::uint64_t> parse_number(std::string_view text);

// Longest wait that is believed; a service that says more is asked again after this long.
inline constexpr auto retry_after_max = std::chrono::hours(1);
// retry-after-ms, x-ms-retry-after-ms, then Retry-After in seconds or as an HTTP date.
std::optional<engine::duration> retry_after(const engine::http_response_head&, engine::wall_time now);

// First value of the field, empty ones too; nullopt when absent. Name in lower case.
std::optional<std::string_view> find_header(const engine::http_response_head&, std::string_view name);

bool equals_ignoring_case(std::string_view a, std::string_view b);
bool contains_ignoring_case(std::string_view text, std::string_view part);
std::string to_lower(std::string_view text);

// What a service calls itself or its error, kept short and to characters that are safe in a log line or a metric.
std::string clean_word(std::string_view text);
// A request id: hexadecimal digits and dashes, at most 40.
std::string clean_id(std::string_view text);
// A sentence of a service for people: at most 400 bytes, printable ASCII, and with every occurrence of `forbidden` cut
// out. A service that repeats the request in its answer must not bring a key into a log.
std::string clean_sentence(std::string_view text, std::initializer_list<std::string_view> forbidden);

struct base_url {
  bool tls = true;
  std::string host;  // without the brackets of an IPv6 literal
  std::uint16_t port = 443;
  std::string path;  // without a trailing slash; empty for the root

  [[nodiscard]] bool default_port() const { return port == (tls ? 443 : 80); }
};
// "[scheme://]host[:port][/path]"; https unless http:// is written. The error is a sentence for people.
std::expected<base_url, std::string> parse_base_url(std::string_view text);

bool is_ip_literal(std::string_view host);
// The Host field: brackets around IPv6, the port unless it is the scheme's own.
std::string host_field(const base_url&);
// Where to connect for it, verified under its own name.
engine::http_origin origin_of(const base_url&, const std::string& ca_file);

}  // namespace stages::http
