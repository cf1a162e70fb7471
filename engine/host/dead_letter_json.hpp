// One dead letter as one line of JSON, and back. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/flow/ports.hpp"

namespace engine {

struct dead_letter_record {
  wall_time time;  // when it was buried
  dead_letter letter;
};

// {"time","account","project","logstore","shard","destination","cursor","index","reason","detail","original"} and a
// line feed. `original` is the text of the event when its bytes are valid UTF-8; otherwise `original_base64` stands in
// its place, so the bytes come back as they were either way. Other fields: bytes that are not UTF-8 become U+FFFD.
void append_json_line(std::string& out, const dead_letter&, wall_time);

// The line without its line feed; keys in any order, unknown ones with a scalar value are passed over. nullopt when it
// is anything else.
std::optional<dead_letter_record> parse_json_line(std::string_view line);

}  // namespace engine
