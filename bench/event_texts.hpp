// Seeded event texts that the emulator's generator does not make: very small, very large, and hard to read.
//
// All are valid JSON objects with an eventId of their own, an eventName, an eventTime and no field above the
// destination's limit: every one becomes a row, which the checks compare with it column by column.
#pragma once

#include <cstdint>
#include <random>
#include <string>

namespace bench {

std::string small_event(std::mt19937_64&, std::uint64_t number);    // about 0.5 kB
std::string large_event(std::mt19937_64&, std::uint64_t number);    // about 30 kB, most of it in two members
std::string hostile_event(std::mt19937_64&, std::uint64_t number);  // escapes, four-byte UTF-8, depth, odd kinds

}  // namespace bench
