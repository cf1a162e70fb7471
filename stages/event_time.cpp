#include "stages/event_time.hpp"

#include <chrono>
#include <cstring>

namespace stages {
namespace {

using engine::byte_view;

constexpr std::size_t seconds_end = 19;  // of YYYY-MM-DDThh:mm:ss

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Two digits at p, or 100.
int two_digits(const char* p) { return is_digit(p[0]) && is_digit(p[1]) ? (p[0] - '0') * 10 + (p[1] - '0') : 100; }

void put(char* out, int value, int digits) {
  for (int i = digits - 1; i >= 0; --i, value /= 10) out[i] = static_cast<char>('0' + value % 10);
}

struct civil_time {
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
};

int days_in(int year, int month) {
  constexpr std::array<int, 13> days = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : days[static_cast<std::size_t>(month)];
}

bool read_civil(const char* p, civil_time& out) {
  if (p[4] != '-' || p[7] != '-' || p[10] != 'T' || p[13] != ':' || p[16] != ':') return false;
  const int century = two_digits(p);
  const int year = two_digits(p + 2);
  out = {.year = century * 100 + year,
         .month = two_digits(p + 5),
         .day = two_digits(p + 8),
         .hour = two_digits(p + 11),
         .minute = two_digits(p + 14),
         .second = two_digits(p + 17)};
  if (century > 99 || year > 99 || out.month < 1 || out.month > 12) return false;
  if (out.day < 1 || out.day > days_in(out.year, out.month)) return false;
  return out.hour < 24 && out.minute < 60 && out.second < 60;
}

// Of +hhmm or +hh:mm.
std::optional<int> offset_minutes(byte_view text) {
  if (text.size() == 6 && text[3] == ':') {
    const int hours = two_digits(text.data() + 1);
    const int minutes = two_digits(text.data() + 4);
    if (hours > 23 || minutes > 59) return std::nullopt;
    return (text[0] == '-' ? -1 : 1) * (hours * 60 + minutes);
  }
  if (text.size() == 5) {
    const int hours = two_digits(text.data() + 1);
    const int minutes = two_digits(text.data() + 3);
    if (hours > 23 || minutes > 59) return std::nullopt;
    return (text[0] == '-' ? -1 : 1) * (hours * 60 + minutes);
  }
  return std::nullopt;
}

void put_seconds(std::chrono::sys_seconds time, char* out) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  std::memcpy(out, "0000-00-00T00:00:00", seconds_end);
  put(out, static_cast<int>(date.year()), 4);
  put(out + 5, static_cast<int>(static_cast<unsigned>(date.month())), 2);
  put(out + 8, static_cast<int>(static_cast<unsigned>(date.day())), 2);
  put(out + 11, static_cast<int>(clock.hours().count()), 2);
  put(out + 14, static_cast<int>(clock.minutes().count()), 2);
  put(out + 17, static_cast<int>(clock.seconds().count()), 2);
}

}  // namespace

std::optional<byte_view> utc_time(byte_view text, time_text& scratch) {
  civil_time civil;
  if (text.size() <= seconds_end || !read_civil(text.data(), civil)) return std::nullopt;
  std::size_t zone = seconds_end;
  if (text[zone] == '.') {
    while (++zone < text.size() && is_digit(text[zone])) {
    }
    const std::size_t digits = zone - seconds_end - 1;
    if (digits == 0 || digits > fraction_digits_max || zone == text.size()) return std::nullopt;
  }
  if (text[zone] == 'Z') return zone + 1 == text.size() ? std::optional(text) : std::nullopt;
  if (text[zone] != '+' && text[zone] != '-') return std::nullopt;
  const auto offset = offset_minutes(text.substr(zone));
  if (!offset) return std::nullopt;

  using namespace std::chrono;
  const sys_days date = year_month_day{year(civil.year), month(static_cast<unsigned>(civil.month)),
                                       day(static_cast<unsigned>(civil.day))};
  const sys_seconds utc = date + hours(civil.hour) + minutes(civil.minute) + seconds(civil.second) - minutes(*offset);
  const year_month_day utc_date{floor<days>(utc)};
  if (utc_date.year() < year(0) || utc_date.year() > year(9999)) return std::nullopt;
  put_seconds(utc, scratch.data());
  text.substr(seconds_end, zone - seconds_end).copy(scratch.data() + seconds_end, fraction_digits_max + 1);
  scratch[zone] = 'Z';
  return byte_view(scratch.data(), zone + 1);
}

byte_view log_time(std::uint32_t time_s, std::uint32_t time_ns, time_text& scratch) {
  constexpr std::uint32_t ns_per_s = 1'000'000'000;
  put_seconds(std::chrono::sys_seconds(std::chrono::seconds(time_s)), scratch.data());
  std::size_t size = seconds_end;
  if (time_ns != 0 && time_ns < ns_per_s) {  // a part of a second that is more than one is no part: left out
    scratch[size] = '.';
    put(scratch.data() + size + 1, static_cast<int>(time_ns / 100), 7);
    size += 8;
  }
  scratch[size] = 'Z';
  return {scratch.data(), size + 1};
}

}  // namespace stages
