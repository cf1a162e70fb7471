// What must happen to JSON text before and around RapidJSON, so that it reads every event that is to arrive.
#pragma once

#include <string>
#include <string_view>

namespace emulator {

// Turns each \uD800..\uDFFF escape that is not half of a pair into \ufffd, in place: the length stays. RapidJSON
// refuses lone surrogates; ActionTrail cuts texts in the middle of pairs.
void mend_surrogates(std::string& json);

// True for a number token whose value is infinite as a double.
[[nodiscard]] bool beyond_double(std::string_view number);

// RapidJSON refuses some numbers by their looks (0e999 among them) before a handler sees them. This hides every number
// that could meet that fate in a string with a mark; shielded_number() finds the token in such a string again (empty:
// it is an ordinary string), and unshield() undoes it in raw text.
[[nodiscard]] std::string shield_numbers(std::string_view json);
[[nodiscard]] std::string_view shielded_number(std::string_view decoded_string);
[[nodiscard]] std::string unshield(std::string_view json);

[[nodiscard]] bool valid_utf8(std::string_view text);

}  // namespace emulator
