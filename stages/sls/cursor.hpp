// Cursors of SLS as numbers: base64 of a signed decimal that grows by one per LogGroup. Pure.
//
// Positions are kept and sent as the text the service gave; the number serves only to compare two of the same shard and
// to estimate how far apart they are. A text that is no such number is a valid position all the same.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stages::sls {

// With or without padding; nullopt when the text is not the base64 of a decimal 64-bit integer.
std::optional<std::int64_t> decode_cursor(std::string_view text);
std::string encode_cursor(std::int64_t value);

// By number. Equal texts are equal whatever they hold; otherwise a text that is no number is ordered with nothing.
std::partial_ordering compare_cursors(std::string_view a, std::string_view b);

// LogGroups from `first` up to `last`, negative when `last` lies before; nullopt when that cannot be told.
std::optional<std::int64_t> cursor_distance(std::string_view first, std::string_view last);

}  // namespace stages::sls
