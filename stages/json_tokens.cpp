#include "stages/json_tokens.hpp"

namespace stages {
namespace {

using engine::byte_view;

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
bool ends_scalar(char c) { return c == ',' || c == '}' || c == ']' || c == ':' || is_space(c); }

std::size_t skip_spaces(byte_view text, std::size_t at) {
  while (at < text.size() && is_space(text[at])) ++at;
  return at;
}

// From an opening quote to after the closing one.
std::size_t string_end(byte_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return at < text.size() ? at + 1 : text.size();
}

bool is_high(unsigned code) { return code >= 0xd800 && code < 0xdc00; }
bool is_low(unsigned code) { return code >= 0xdc00 && code < 0xe000; }

}  // namespace

unsigned hex_code(const char* p) {
  unsigned code = 0;
  for (int i = 0; i < 4; ++i) {
    const auto c = static_cast<unsigned char>(p[i]);
    code = code << 4 | (c <= '9' ? c - '0' : (c | 0x20U) - 'a' + 10);
  }
  return code;
}

byte_view first_token(byte_view text) {
  if (text.empty()) return text;
  if (text[0] == '"') return text.substr(0, string_end(text, 0));
  std::size_t at = 0;
  if (text[0] != '{' && text[0] != '[') {
    while (at < text.size() && !ends_scalar(text[at])) ++at;
    return text.substr(0, at);
  }
  std::size_t depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = string_end(text, at);
      continue;
    }
    ++at;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) break;
  }
  return text.substr(0, at);
}

void list_members(byte_view object, std::vector<json_member>& out) {
  out.clear();
  std::size_t at = skip_spaces(object, 1);
  while (at < object.size() && object[at] == '"') {
    json_member member;
    member.key = object.substr(at, string_end(object, at) - at);
    at = skip_spaces(object, at + member.key.size());
    at = skip_spaces(object, at + 1);  // the colon
    member.value = first_token(object.substr(at));
    out.push_back(member);
    at = skip_spaces(object, at + member.value.size());
    at = skip_spaces(object, at + 1);  // the comma or the end
  }
}

std::size_t decoded_bytes(byte_view string_token) {
  const byte_view text = string_token.substr(1, string_token.size() - 2);
  std::size_t bytes = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    if (text[at] != '\\') {
      ++bytes;
      ++at;
    } else if (text[at + 1] != 'u') {
      ++bytes;
      at += 2;
    } else {
      const unsigned code = hex_code(text.data() + at + 2);
      at += 6;
      if (is_high(code) && at + 6 <= text.size() && text[at] == '\\' && text[at + 1] == 'u' &&
          is_low(hex_code(text.data() + at + 2))) {
        at += 6;
        bytes += 4;
      } else {
        bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : 3;
      }
    }
  }
  return bytes;
}

std::optional<byte_view> decode_ascii(byte_view string_token, std::span<char> room) {
  const byte_view text = string_token.substr(1, string_token.size() - 2);
  std::size_t size = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    char c = text[at];
    if (c == '\\') {
      c = text[++at];
      switch (c) {
        case 'b':
          c = '\b';
          break;
        case 'f':
          c = '\f';
          break;
        case 'n':
          c = '\n';
          break;
        case 'r':
          c = '\r';
          break;
        case 't':
          c = '\t';
          break;
        case 'u': {
          const unsigned code = hex_code(text.data() + at + 1);
          if (code >= 0x80) return std::nullopt;
          c = static_cast<char>(code);
          at += 4;
          break;
        }
        default:
          break;
      }
    }
    if (static_cast<unsigned char>(c) >= 0x80 || size == room.size()) return std::nullopt;
    room[size++] = c;
  }
  return byte_view(room.data(), size);
}

}  // namespace stages
