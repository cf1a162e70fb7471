// Times as the destination wants them: `YYYY-MM-DDThh:mm:ss[.fraction]Z`.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "engine/base/bytes.hpp"

namespace stages {

// Room for one time; what the functions return points into it, or into their argument.
using time_text = std::array<char, 40>;

// Digits of a fraction; more are no time but something else.
inline constexpr std::size_t fraction_digits_max = 9;

// `YYYY-MM-DDThh:mm:ss[.fraction]` with Z: the text itself. With +hhmm or +hh:mm (or -): the same instant in UTC, the
// fraction kept. Anything else, a day that no calendar has included: nothing.
std::optional<engine::byte_view> utc_time(engine::byte_view text, time_text& scratch);

// A log's time; seven digits of a fraction when it has nanoseconds.
engine::byte_view log_time(std::uint32_t time_s, std::uint32_t time_ns, time_text& scratch);

}  // namespace stages
