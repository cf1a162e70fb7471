// Small pieces of generated events: identifiers, times, JSON strings.
#include <array>
#include <charconv>
#include <chrono>

#include "event_kinds.hpp"

namespace emulator {

void append_letters(std::string& out, seeded_random& random, std::size_t count, std::string_view alphabet) {
  while (count > 0) {
    // Ten letters from one draw: the bias is below what anybody could see.
    std::uint64_t draw = random.next();
    for (std::size_t i = 0; i < 10 && count > 0; ++i, --count) {
      out += alphabet[static_cast<std::size_t>(draw % alphabet.size())];
      draw /= alphabet.size();
    }
  }
}

void append_hex(std::string& out, seeded_random& random, std::size_t count, bool upper) {
  append_letters(out, random, count, upper ? "0123456789ABCDEF" : "0123456789abcdef");
}

void append_uuid(std::string& out, seeded_random& random, bool upper) {
  append_hex(out, random, 8, upper);
  out += '-';
  append_hex(out, random, 4, upper);
  out += "-4";
  append_hex(out, random, 3, upper);
  out += '-';
  out += (upper ? "89AB" : "89ab")[random.below(4)];
  append_hex(out, random, 3, upper);
  out += '-';
  append_hex(out, random, 12, upper);
}

void append_number(std::string& out, std::uint64_t value) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

void append_time(std::string& out, std::int64_t unix_s) {
  const auto days = std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds(std::chrono::seconds(unix_s)));
  const std::chrono::year_month_day date(days);
  const auto second = static_cast<unsigned>(unix_s - std::chrono::sys_seconds(days).time_since_epoch().count());
  const auto two = [&](unsigned value, char after) {
    out += {static_cast<char>('0' + value / 10), static_cast<char>('0' + value % 10), after};
  };
  append_number(out, static_cast<std::uint64_t>(static_cast<int>(date.year())));
  out += '-';
  two(static_cast<unsigned>(date.month()), '-');
  two(static_cast<unsigned>(date.day()), 'T');
  two(second / 3600, ':');
  two(second / 60 % 60, ':');
  two(second % 60, 'Z');
}

void append_json_string(std::string& out, std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += '"';
  std::size_t from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text.substr(from, i - from));
    from = i + 1;
    if (c == '"' || c == '\\') {
      out += {'\\', text[i]};
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += {'\\', 'u', '0', '0', digits[c >> 4U], digits[c & 15U]};
    }
  }
  out.append(text.substr(from));
  out += '"';
}

}  // namespace emulator
