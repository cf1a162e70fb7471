#include "engine/base/units.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <span>

#include <fmt/format.h>

namespace engine {
namespace {

struct unit {
  std::string_view suffix;
  std::uint64_t factor;
};

constexpr std::array<unit, 4> size_units{{{"GiB", gib}, {"MiB", mib}, {"KiB", kib}, {"B", 1}}};
constexpr std::array<unit, 4> duration_units{
    {{"h", 3'600'000'000'000}, {"m", 60'000'000'000}, {"s", 1'000'000'000}, {"ms", 1'000'000}}};

struct amount {
  std::uint64_t number;
  std::string_view suffix;
};

// Digits, then whatever follows them; nullopt without digits or beyond 64 bits.
std::optional<amount> split(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  return amount{number, text.substr(static_cast<std::size_t>(end - text.data()))};
}

std::optional<std::uint64_t> scaled(const amount& a, std::span<const unit> units, std::uint64_t value_max) {
  for (const unit& u : units) {
    if (u.suffix != a.suffix) continue;
    if (a.number > value_max / u.factor) return std::nullopt;
    return a.number * u.factor;
  }
  return std::nullopt;
}

// A reader of fixed-width fields that remembers whether everything fitted so far.
class field_reader {
 public:
  explicit field_reader(std::string_view text) : rest_(text) {}
  int digits(std::size_t count) {
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (i >= rest_.size() || rest_[i] < '0' || rest_[i] > '9') return fail();
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }
  char one_of(std::string_view allowed) {
    if (rest_.empty() || allowed.find(rest_.front()) == std::string_view::npos) {
      fail();
      return '\0';
    }
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  [[nodiscard]] bool next_is(char c) const { return !rest_.empty() && rest_.front() == c; }
  [[nodiscard]] bool next_is_digit() const { return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; }
  [[nodiscard]] bool complete() const { return ok_ && rest_.empty(); }

 private:
  int fail() {
    ok_ = false;
    rest_ = {};
    return 0;
  }
  std::string_view rest_;
  bool ok_ = true;
};

struct calendar {
  std::chrono::year_month_day date;
  std::chrono::hh_mm_ss<std::chrono::milliseconds> time;
  explicit calendar(wall_time t)
      : date(std::chrono::floor<std::chrono::days>(t)), time(t - std::chrono::floor<std::chrono::days>(t)) {}
};

std::string seconds_text(const calendar& c) {
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(c.date.year()),
                     static_cast<unsigned>(c.date.month()), static_cast<unsigned>(c.date.day()), c.time.hours().count(),
                     c.time.minutes().count(), c.time.seconds().count());
}

}  // namespace

std::expected<std::size_t, std::string> parse_size(std::string_view text) {
  auto a = split(text);
  if (a && a->suffix.empty()) a->suffix = "B";
  const auto bytes = a ? scaled(*a, size_units, std::numeric_limits<std::size_t>::max()) : std::nullopt;
  if (!bytes) return std::unexpected<std::string>("is not a size such as 512B, 64KiB, 256MiB or 1GiB");
  return static_cast<std::size_t>(*bytes);
}

std::expected<duration, std::string> parse_duration(std::string_view text) {
  const auto a = split(text);
  const auto ns = a ? scaled(*a, duration_units, std::numeric_limits<std::int64_t>::max()) : std::nullopt;
  if (!ns) return std::unexpected<std::string>("is not a duration such as 500ms, 30s, 5m or 1h");
  return duration(static_cast<std::int64_t>(*ns));
}

std::string format_size(std::size_t bytes) {
  for (const unit& u : size_units) {
    if (bytes >= u.factor && bytes % u.factor == 0) return fmt::format("{}{}", bytes / u.factor, u.suffix);
  }
  return "0B";
}

std::string format_duration(duration d) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
  if (ms == 0) return "0s";
  if (ms % 3'600'000 == 0) return fmt::format("{}h", ms / 3'600'000);
  if (ms % 60'000 == 0) return fmt::format("{}m", ms / 60'000);
  if (ms % 1'000 == 0) return fmt::format("{}s", ms / 1'000);
  return fmt::format("{}ms", ms);
}

std::string format_utc(wall_time t) { return seconds_text(calendar(t)) + 'Z'; }

std::string format_utc_millis(wall_time t) {
  const calendar c(t);
  return fmt::format("{}.{:03}Z", seconds_text(c), c.time.subseconds().count());
}

std::expected<wall_time, std::string> parse_rfc3339(std::string_view text) {
  namespace chr = std::chrono;
  field_reader in(text);
  const int year = in.digits(4);
  in.one_of("-");
  const int month = in.digits(2);
  in.one_of("-");
  const int day = in.digits(2);
  in.one_of("Tt ");
  const int hour = in.digits(2);
  in.one_of(":");
  const int minute = in.digits(2);
  in.one_of(":");
  const int second = in.digits(2);
  int millis = 0;
  if (in.next_is('.')) {
    in.one_of(".");
    millis = in.digits(1) * 100;
    for (const int place : {10, 1}) {
      if (in.next_is_digit()) millis += in.digits(1) * place;
    }
    while (in.next_is_digit()) in.digits(1);
  }
  int offset_minutes = 0;
  const char zone = in.one_of("Zz+-");
  if (zone == '+' || zone == '-') {
    const int hours = in.digits(2);
    in.one_of(":");
    const int minutes = in.digits(2);
    if (hours > 23 || minutes > 59) return std::unexpected<std::string>("has a time zone that does not exist");
    offset_minutes = (hours * 60 + minutes) * (zone == '+' ? 1 : -1);
  }
  if (!in.complete()) return std::unexpected<std::string>("is not a time such as 2026-01-02T03:04:05Z");
  const chr::year_month_day date{chr::year(year), chr::month(static_cast<unsigned>(month)),
                                 chr::day(static_cast<unsigned>(day))};
  // 60 is a leap second; chrono counts it as the first second of the next minute.
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) {
    return std::unexpected<std::string>("is a date or time that does not exist");
  }
  return wall_time(chr::sys_days(date)) + chr::hours(hour) + chr::minutes(minute - offset_minutes) +
         chr::seconds(second) + chr::milliseconds(millis);
}

}  // namespace engine
