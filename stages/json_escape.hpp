// JSON text into the inside of a JSON string: the whole work of a `value` row.
//
// Quotes and backslashes stand every seven or eight bytes of an event, so "find the next one, copy the run" is no
// faster than a byte loop. The vector kernels spread eight (or 32) bytes at once over twice the room instead. All
// kernels give the same bytes (tests/fuzz/escape_fuzz.cpp).
#pragma once

#include <cstddef>

#include "engine/base/bytes.hpp"
#include "stages/kernels.hpp"

namespace stages {

// Escapes `text` to `out` and returns the end. Reads nothing outside `text`; writes at most escape_slack bytes beyond
// the returned end. Room needed: 2 * text.size() + escape_slack when text holds no control characters but those of
// JSON's white space, 6 * text.size() + escape_slack otherwise.
using escape_function = char* (*)(engine::byte_view text, char* out);
inline constexpr std::size_t escape_slack = 64;

// For a kernel that runs_here().
escape_function escape_with(kernel);

}  // namespace stages
