#include "stages/repair.hpp"

#include <cstring>

#include "stages/json_grammar.hpp"  // beyond_double: what is repaired is exactly what parse flags
#include "stages/json_tokens.hpp"

namespace stages {
namespace {

using engine::byte_view;

constexpr byte_view replacement = "\\ufffd";
constexpr std::size_t escape_bytes = 6;  // of \uXXXX

// The surrogate escape at p, or 0 when there stands something else.
unsigned surrogate_at(byte_view text, std::size_t at) {
  if (at + escape_bytes > text.size() || text[at] != '\\' || text[at + 1] != 'u') return 0;
  const unsigned code = hex_code(text.data() + at + 2);
  return code >= 0xd800 && code < 0xe000 ? code : 0;
}

char* put(byte_view bytes, char* out) {
  std::memcpy(out, bytes.data(), bytes.size());
  return out + bytes.size();
}

}  // namespace

char* repair_json(byte_view token, char* out, std::uint64_t& repaired) {
  bool in_string = false;
  std::size_t at = 0;
  while (at < token.size()) {
    const char c = token[at];
    if (in_string && c == '\\') {
      const unsigned code = surrogate_at(token, at);
      if (code == 0) {
        out = put(token.substr(at, 2), out);
        at += 2;
      } else if (code < 0xdc00 && surrogate_at(token, at + escape_bytes) >= 0xdc00) {
        out = put(token.substr(at, 2 * escape_bytes), out);
        at += 2 * escape_bytes;
      } else {
        out = put(replacement, out);
        at += escape_bytes;
        ++repaired;
      }
    } else if (!in_string && (c == '-' || json::is_digit(c))) {
      const byte_view number = first_token(token.substr(at));
      const bool quoted = json::beyond_double(number.data(), number.data() + number.size());
      if (quoted) *out++ = '"';
      out = put(number, out);
      if (quoted) *out++ = '"';
      repaired += quoted ? 1 : 0;
      at += number.size();
    } else {
      if (c == '"') in_string = !in_string;
      *out++ = c;
      ++at;
    }
  }
  return out;
}

}  // namespace stages
