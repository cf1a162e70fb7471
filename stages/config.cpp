#include "stages/config.hpp"

#include <algorithm>
#include <charconv>

namespace stages {
namespace {

using text_result = std::expected<std::string, std::string>;

constexpr std::string_view lower = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view digits = "0123456789";

bool is_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), to_lower);
  return out;
}

bool only(std::string_view text, std::string_view letters, std::string_view more) {
  return std::ranges::all_of(text, [&](char c) {
    return letters.find(c) != std::string_view::npos || digits.find(c) != std::string_view::npos ||
           more.find(c) != std::string_view::npos;
  });
}

// SLS names: lower case, digits and `more`, letter or digit at both ends.
bool is_sls_name(std::string_view text, std::string_view more) {
  return text.size() >= 2 && text.size() <= 63 && only(text, lower, more) && is_alnum(text.front()) &&
         is_alnum(text.back());
}

bool is_plain(std::string_view text, std::string_view more, std::size_t size_max) {
  return !text.empty() && text.size() <= size_max &&
         std::ranges::all_of(text, [&](char c) { return is_alnum(c) || more.find(c) != std::string_view::npos; });
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

struct host_port {
  std::string host;
  std::optional<std::uint16_t> port;
};

// "host", "host:port", "[v6]", "[v6]:port".
std::optional<host_port> split_host_port(std::string_view text) {
  host_port out;
  std::string_view host = text;
  std::string_view port;
  bool has_port = false;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    host = text.substr(1, close - 1);
    const std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && rest.front() != ':') return std::nullopt;
    has_port = !rest.empty();
    if (has_port) port = rest.substr(1);
    if (host.find(':') == std::string_view::npos || !only(lower_case(host), "abcdef", ":.")) return std::nullopt;
  } else {
    const std::size_t colon = text.find(':');
    has_port = colon != std::string_view::npos;
    host = text.substr(0, colon);
    if (has_port) port = text.substr(colon + 1);
    const bool dots = host.starts_with('.') || host.ends_with('.') || host.find("..") != std::string_view::npos;
    if (dots || !is_plain(host, ".-_", 253)) return std::nullopt;
  }
  out.host = lower_case(host);
  if (has_port) {
    out.port = parse_port(port);
    if (!out.port) return std::nullopt;
  }
  return out;
}

std::uint16_t default_port(std::string_view scheme) { return scheme == "http" ? 80 : 443; }

std::unexpected<std::string> not_allowed(std::string_view problem, std::string_view allowed) {
  return std::unexpected(std::string(problem) + " (" + std::string(allowed) + ")");
}

text_result checked(bool ok, std::string_view text, std::string_view problem, std::string_view allowed) {
  if (!ok) return not_allowed(problem, allowed);
  return std::string(text);
}

}  // namespace

std::expected<endpoint_address, std::string> parse_endpoint(std::string_view text) {
  constexpr std::string_view allowed = "host or host:port, with https:// or http:// before it and no path";
  endpoint_address out;
  if (const std::size_t end = text.find("://"); end != std::string_view::npos) {
    out.scheme = lower_case(text.substr(0, end));
    if (out.scheme != "https" && out.scheme != "http") return not_allowed("has an unknown scheme", allowed);
    text.remove_prefix(end + 3);
  }
  if (text.ends_with('/')) text.remove_suffix(1);
  const auto parts = split_host_port(text);
  if (!parts || parts->port == std::uint16_t{0}) return not_allowed("is not an endpoint", allowed);
  out.host = parts->host;
  out.port = parts->port.value_or(default_port(out.scheme));
  return out;
}

std::string host_and_port(const endpoint_address& endpoint) {
  const bool is_v6 = endpoint.host.find(':') != std::string::npos;
  std::string out = is_v6 ? '[' + endpoint.host + ']' : endpoint.host;
  if (endpoint.port != default_port(endpoint.scheme)) out += ':' + std::to_string(endpoint.port);
  return out;
}

text_result parse_account(std::string_view text) {
  const bool plain =
      std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  return checked(plain && !text.empty() && text.size() <= 128, text, "is not a label",
                 "1 to 128 bytes without control characters");
}

text_result parse_region(std::string_view text) {
  return checked(only(text, lower, "-") && text.size() <= 63, text, "is not a region",
                 "lower-case letters, digits and hyphens, such as cn-hangzhou");
}

text_result parse_project(std::string_view text) {
  return checked(is_sls_name(text, "-"), text, "is not a project name",
                 "2 to 63 lower-case letters, digits and hyphens, a letter or digit at both ends");
}

text_result parse_logstore(std::string_view text) {
  if (text.find_first_of("*?[") != std::string_view::npos) return not_allowed("globs are not yet supported", "names");
  return checked(is_sls_name(text, "-_"), text, "is not a logstore name",
                 "2 to 63 lower-case letters, digits, hyphens and underscores, a letter or digit at both ends");
}

std::expected<start_position, std::string> parse_start(std::string_view text) {
  if (text == "begin") return start_begin{};
  if (text == "end") return start_end{};
  const auto time = engine::parse_rfc3339(text);
  if (!time) return not_allowed(time.error(), "begin, end or an RFC 3339 time");
  return *time;
}

text_result parse_destination_name(std::string_view text) {
  return checked(is_plain(text, "-_.", 64), text, "is not a name", "1 to 64 letters, digits, '-', '_' and '.'");
}

std::expected<destination_type, std::string> parse_destination_type(std::string_view text) {
  if (text == "sentinel") return destination_type::sentinel;
  if (text == "null") return destination_type::null;
  if (text == "file") return not_allowed("type file is not yet supported", "sentinel or null");
  return not_allowed("is not a type of destination", "sentinel or null");
}

std::expected<row_format, std::string> parse_row_format(std::string_view text) {
  if (text == "value") return row_format::value;
  if (text == "typed") return row_format::typed;
  return not_allowed("is not a format", "value or typed");
}

text_result parse_rule(std::string_view text) {
  constexpr std::string_view prefix = "dcr-";
  std::string rule = lower_case(text);
  const bool ok = rule.size() == prefix.size() + 32 && rule.starts_with(prefix) &&
                  only(std::string_view(rule).substr(prefix.size()), "abcdef", "");
  if (!ok) return not_allowed("is not the immutable id of a data collection rule", "dcr- and 32 hex digits");
  return rule;
}

text_result parse_stream(std::string_view text) {
  constexpr std::string_view prefix = "Custom-";
  const bool ok = text.starts_with(prefix) && is_plain(text.substr(prefix.size()), "-_", 128);
  return checked(ok, text, "is not a stream", "Custom- and letters, digits, '-' and '_'");
}

text_result parse_tenant(std::string_view text) {
  return checked(is_plain(text, "-.", 253), text, "is not a tenant", "its id or domain name");
}

text_result parse_client_id(std::string_view text) {
  return checked(is_plain(text, "-_.", 128), text, "is not a client id", "the application's id");
}

std::expected<listen_address, std::string> parse_listen_address(std::string_view text) {
  if (text == "off") return listen_address{};
  const auto parts = split_host_port(text);
  if (!parts || !parts->port) return not_allowed("is not an address to listen on", "HOST:PORT, [IPV6]:PORT or off");
  return listen_address{.host = parts->host, .port = *parts->port};
}

}  // namespace stages
