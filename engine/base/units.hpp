// Sizes, durations and the two kinds of time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace engine {

inline constexpr std::size_t kib = 1024;
inline constexpr std::size_t mib = 1024 * kib;
inline constexpr std::size_t gib = 1024 * mib;

using duration = std::chrono::nanoseconds;

// Monotonic time of the Clock port: production and simulation hand out points of the same kind, and nothing else can.
struct monotonic {
  using duration = engine::duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<monotonic>;
  static constexpr bool is_steady = true;
};
using time_point = monotonic::time_point;

// Calendar time in UTC, for signatures, log lines and positions; never for waiting.
using wall_time = std::chrono::sys_time<std::chrono::milliseconds>;

// "512KiB" -> bytes. Suffixes B KiB MiB GiB, no suffix means bytes; a decimal point is not accepted.
std::expected<std::size_t, std::string> parse_size(std::string_view text);
// "1500ms" -> duration. Suffixes ms s m h are required.
std::expected<duration, std::string> parse_duration(std::string_view text);
std::string format_size(std::size_t bytes);  // "64MiB"; exact: the largest unit that divides it
std::string format_duration(duration);       // "25s", exact in milliseconds
std::string format_utc(wall_time);           // "2026-01-02T03:04:05Z"
std::string format_utc_millis(wall_time);    // "2026-01-02T03:04:05.006Z"
// RFC 3339 with 'Z' or a numeric offset; fractions of a second are kept to milliseconds.
std::expected<wall_time, std::string> parse_rfc3339(std::string_view text);

}  // namespace engine
