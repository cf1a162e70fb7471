#include "stages/http_fields.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <functional>
#include <limits>
#include <vector>

namespace stages::http {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::string_view, 7> weekdays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_word(char c) {
  return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '-' || c == '_' || c == '.';
}

std::optional<unsigned> number_at(std::string_view text, std::size_t at, std::size_t digits) {
  const auto value = parse_number(text.substr(at, digits));
  if (!value) return std::nullopt;
  return static_cast<unsigned>(*value);
}

std::optional<engine::duration> believable(std::uint64_t amount, engine::duration unit) {
  const auto most = static_cast<std::uint64_t>(engine::duration(retry_after_max) / unit);
  return unit * static_cast<std::int64_t>(std::min(amount, most));
}

}  // namespace

std::string percent_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_word(c) || c == '~') {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

std::string format_date(engine::wall_time when) {
  const auto day = std::chrono::floor<std::chrono::days>(when);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(when - day));
  const auto weekday = std::chrono::weekday(day).c_encoding();
  const auto month = static_cast<unsigned>(date.month()) - 1;
  std::array<char, 64> text{};
  const int size = std::snprintf(text.data(), text.size(), "%s, %02u %s %04d %02d:%02d:%02d GMT",
                                 weekdays[weekday].data(), static_cast<unsigned>(date.day()), months[month].data(),
                                 static_cast<int>(date.year()), static_cast<int>(time.hours().count()),
                                 static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()));
  return {text.data(), static_cast<std::size_t>(size)};
}

std::optional<engine::wall_time> parse_date(std::string_view text) {
  const auto comma = text.find(", ");
  if (comma == std::string_view::npos) return std::nullopt;
  text.remove_prefix(comma + 2);
  const auto day_digits = text.find(' ');
  if (day_digits != 1 && day_digits != 2) return std::nullopt;
  const auto day = number_at(text, 0, day_digits);
  text.remove_prefix(day_digits);
  if (text.size() != std::string_view(" Nov 2026 08:00:00 GMT").size()) return std::nullopt;
  if (text[0] != ' ' || text[4] != ' ' || text[9] != ' ' || text[12] != ':' || text[15] != ':') return std::nullopt;
  if (text.substr(18) != " GMT") return std::nullopt;
  const auto* month = std::ranges::find(months, text.substr(1, 3));
  const auto year = number_at(text, 5, 4);
  const auto hour = number_at(text, 10, 2);
  const auto minute = number_at(text, 13, 2);
  const auto second = number_at(text, 16, 2);
  if (month == months.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
  if (*hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(month - months.begin()) + 1),
                                         std::chrono::day(*day));
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second);
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::optional<engine::duration> retry_after(const engine::http_response_head& head, engine::wall_time now) {
  for (const std::string_view name : {"retry-after-ms", "x-ms-retry-after-ms"}) {
    if (const auto amount = parse_number(head.header(name))) return believable(*amount, 1ms);
  }
  const auto text = head.header("retry-after");
  if (const auto amount = parse_number(text)) return believable(*amount, 1s);
  const auto date = parse_date(text);
  if (!date) return std::nullopt;
  // The service's own clock, when it tells it, is the one its date was made with.
  const auto from = parse_date(head.header("date")).value_or(now);
  if (*date <= from) return engine::duration::zero();
  return std::min<std::chrono::milliseconds>(*date - from, retry_after_max);
}

std::optional<std::string_view> find_header(const engine::http_response_head& head, std::string_view name) {
  for (const auto& [key, value] : head.headers) {
    if (key == name) return std::string_view(value);
  }
  return std::nullopt;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

bool contains_ignoring_case(std::string_view text, std::string_view part) {
  return !std::ranges::search(text, part, [](char x, char y) { return lower(x) == lower(y); }).empty() || part.empty();
}

std::string to_lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

std::string clean_word(std::string_view text) {
  constexpr std::size_t bytes_max = 64;
  std::string out;
  for (const char c : text.substr(0, bytes_max)) {
    if (is_word(c)) out += c;
  }
  return out;
}

std::string clean_id(std::string_view text) {
  constexpr std::size_t bytes_max = 40;
  std::string out;
  for (const char c : text.substr(0, bytes_max)) {
    if (is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f') || c == '-') out += c;
  }
  return out;
}

std::string clean_sentence(std::string_view text, std::initializer_list<std::string_view> forbidden) {
  constexpr std::size_t bytes_max = 400;
  std::string out(text);
  std::vector<std::string_view> words(forbidden);
  // The longer first: of a secret that holds another, nothing may be left standing.
  std::ranges::sort(words, std::ranges::greater(), &std::string_view::size);
  for (const auto word : words) {
    if (word.empty()) continue;
    constexpr std::string_view mark = "***";
    for (auto at = out.find(word); at != std::string::npos; at = out.find(word, at + mark.size())) {
      out.replace(at, word.size(), mark);
    }
  }
  // After the cutting, or half of a secret could be left standing at the end.
  out.resize(std::min(out.size(), bytes_max));
  for (char& c : out) {
    if (c < ' ' || c > '~') c = ' ';
  }
  return out;
}

std::expected<base_url, std::string> parse_base_url(std::string_view text) {
  base_url url;
  if (const auto scheme = text.find("://"); scheme != std::string_view::npos) {
    const auto name = text.substr(0, scheme);
    if (!equals_ignoring_case(name, "https") && !equals_ignoring_case(name, "http")) {
      return std::unexpected("the scheme must be https or http");
    }
    url.tls = equals_ignoring_case(name, "https");
    text.remove_prefix(scheme + 3);
  }
  url.port = url.tls ? 443 : 80;
  const auto slash = std::min(text.find('/'), text.size());
  url.path = std::string(text.substr(slash));
  while (url.path.ends_with('/')) url.path.pop_back();
  auto authority = text.substr(0, slash);
  auto host = authority;
  std::string_view port;
  bool has_port = false;
  if (authority.starts_with('[')) {
    const auto close = authority.find(']');
    if (close == std::string_view::npos) return std::unexpected("an IPv6 address needs a closing bracket");
    host = authority.substr(1, close - 1);
    authority.remove_prefix(close + 1);
    if (!authority.empty() && authority[0] != ':') return std::unexpected("only a port may follow the address");
    if (host.find(':') == std::string_view::npos) return std::unexpected("brackets are for IPv6 addresses only");
    has_port = !authority.empty();
    if (has_port) port = authority.substr(1);
  } else if (const auto colon = authority.find(':'); colon != std::string_view::npos) {
    if (authority.find(':', colon + 1) != std::string_view::npos) {
      return std::unexpected("an IPv6 address must stand in brackets");
    }
    host = authority.substr(0, colon);
    port = authority.substr(colon + 1);
    has_port = true;
  }
  if (has_port) {
    const auto value = parse_number(port);
    if (!value || *value == 0 || *value > std::numeric_limits<std::uint16_t>::max()) {
      return std::unexpected("the port must be a number from 1 to 65535");
    }
    url.port = static_cast<std::uint16_t>(*value);
  }
  if (host.empty()) return std::unexpected("the host is missing");
  if (!std::ranges::all_of(host, [](char c) { return is_word(c) || c == ':'; })) {
    return std::unexpected("the host has a character that no host name has");
  }
  if (std::ranges::any_of(url.path, [](char c) { return c <= ' ' || c > '~' || c == '?' || c == '#'; })) {
    return std::unexpected("the path has a character that must be encoded");
  }
  url.host = to_lower(host);
  return url;
}

bool is_ip_literal(std::string_view host) {
  if (host.find(':') != std::string_view::npos) return true;
  if (host.empty() || host.front() == '.' || host.back() == '.' || host.find("..") != std::string_view::npos)
    return false;
  return std::ranges::count(host, '.') == 3 &&
         std::ranges::all_of(host, [](char c) { return is_digit(c) || c == '.'; });
}

std::string host_field(const base_url& url) {
  std::string out = url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
  if (!url.default_port()) out += ":" + std::to_string(url.port);
  return out;
}

engine::http_origin origin_of(const base_url& url, const std::string& ca_file) {
  return {.tls = url.tls, .host = url.host, .port = url.port, .verify_name = url.host, .ca_file = ca_file};
}

}  // namespace stages::http
