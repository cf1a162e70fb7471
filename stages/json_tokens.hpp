// Small readers of JSON that was validated before: they trust its grammar and check nothing.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "engine/base/bytes.hpp"

namespace stages {

// A member of an object: its key and value as raw tokens (the key with its quotes).
struct json_member {
  engine::byte_view key;
  engine::byte_view value;
};

// The token at the beginning of `text`.
engine::byte_view first_token(engine::byte_view text);

// The members of the outermost object, in their order. `out` is cleared first.
void list_members(engine::byte_view object, std::vector<json_member>& out);

// UTF-8 bytes of a string token without its escapes; a lone surrogate counts as U+FFFD, three bytes.
std::size_t decoded_bytes(engine::byte_view string_token);

// The value of a string token of ASCII text, in `room`; nothing for one with other characters or too long.
std::optional<engine::byte_view> decode_ascii(engine::byte_view string_token, std::span<char> room);

// Four hexadecimal digits at p.
unsigned hex_code(const char* p);

}  // namespace stages
