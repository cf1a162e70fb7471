// The JSON grammar over the tokens of one text, for parse: every value is checked, nothing is converted.
//
// A text is checked by three passes that do not know of each other, and is JSON when all of them agree:
//   1 where tokens begin, UTF-8, closed strings, control characters   simdjson's stage 1, or text_scan below
//   2 the escapes                                                      escape_check.hpp
//   3 the order of tokens, literals and numbers                        container_end, scalar_end
// None needs another's result to be memory-safe: a text ends with its last closer ('}' or ']', the caller sees to
// that), no pass moves beyond it, and reading ahead is covered by at least 64 readable bytes after the text.
//
// Words   cursor: begins at the text's first token. take() gives the next token's first byte; skip_string(p) is called
//         for a string beginning at p before the next take(), scalar_ended(p) after any other scalar.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <system_error>

#include "engine/base/bytes.hpp"

namespace stages::json {

enum class verdict : std::uint8_t { sound, broken, too_deep };

constexpr bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

inline constexpr auto ends_scalar = [] {
  std::array<bool, 256> table{};
  for (const char c : {' ', '\n', '\t', '\r', ',', ':', '{', '}', '[', ']'})
    table[static_cast<unsigned char>(c)] = true;
  return table;
}();

constexpr engine::byte_view trimmed(engine::byte_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// --- tokens --------------------------------------------------------------------------------------------------------

// Over the positions that simdjson's stage 1 found.
class token_index {
 public:
  token_index(engine::byte_view text, const std::uint32_t* positions) : text_(text.data()), next_(positions) {}
  const char* take() { return text_ + *next_++; }
  static constexpr bool skip_string(const char*) { return true; }
  static constexpr void scalar_ended(const char*) {}

 private:
  const char* text_;
  const std::uint32_t* next_;
};

// Without an index, which takes four bytes for each byte of text: for large texts. Does stage 1's checks but UTF-8.
class text_scan {
 public:
  explicit text_scan(engine::byte_view text) : at_(text.data()), end_(text.data() + text.size()) {}
  const char* take() {
    while (is_space(*at_)) ++at_;
    return at_++;
  }
  bool skip_string(const char* open) {
    for (at_ = open + 1; at_ < end_; ++at_) {
      if (*at_ == '"') {
        ++at_;
        return true;
      }
      if (static_cast<unsigned char>(*at_) < 0x20) return false;
      if (*at_ == '\\') ++at_;  // the escaped byte is no quote; a control character there is a bad escape
    }
    return false;
  }
  void scalar_ended(const char* end) { at_ = end; }

 private:
  const char* at_;
  const char* end_;
};

// --- scalars -------------------------------------------------------------------------------------------------------

// [first, last) is a number by the grammar. True when no double comes near it: a reader would make infinity of it.
inline bool beyond_double(const char* first, const char* last) {
  double value = 0;
  if (std::from_chars(first, last, value).ec != std::errc::result_out_of_range) return false;
  // Out of range is both too large and too small. Too small is fine (it reads as zero), and tells itself by its sign of
  // magnitude: the decimal exponent of the first digit that counts.
  if (*first == '-') ++first;
  std::int64_t magnitude = 0;  // digits before the point, or minus the zeros after it
  const char* p = first;
  while (p != last && *p == '0') ++p;
  if (p != last && is_digit(*p)) {
    for (; p != last && is_digit(*p); ++p) ++magnitude;
  } else if (p != last && *p == '.') {
    for (++p; p != last && *p == '0'; ++p) --magnitude;
  }
  while (p != last && (*p | 0x20) != 'e') ++p;
  std::int64_t exponent = 0;
  if (p != last) {
    constexpr std::int64_t far = 1'000'000'000'000;  // beyond any text's number of digits
    ++p;
    if (*p == '+') ++p;
    if (std::from_chars(p, last, exponent).ec != std::errc()) exponent = *p == '-' ? -far : far;
    exponent = std::clamp(exponent, -far, far);
  }
  return magnitude + exponent > 0;
}

// One past the number that begins at p, nullptr when it is none.
inline const char* number_end(const char* p, bool& needs_repair) {
  constexpr std::ptrdiff_t safe_digits = 308;  // 10^308 is below the largest double
  const char* const first = p;
  if (*p == '-') ++p;
  const char* const digits = p;
  if (*p == '0') {
    ++p;
  } else {
    if (!is_digit(*p)) return nullptr;
    do ++p;
    while (is_digit(*p));
  }
  bool in_range = p - digits <= safe_digits;
  if (*p == '.') {
    if (!is_digit(*++p)) return nullptr;
    do ++p;
    while (is_digit(*p));
  }
  if ((*p | 0x20) == 'e') {
    ++p;
    if (*p == '+' || *p == '-') ++p;
    if (!is_digit(*p)) return nullptr;
    do ++p;
    while (is_digit(*p));
    in_range = false;
  }
  if (!in_range && beyond_double(first, p)) needs_repair = true;
  return p;
}

// One past the number or literal that begins at p, nullptr when it is none.
inline const char* scalar_end(const char* p, bool& needs_repair) {
  const char* end = nullptr;
  switch (*p) {
    case 't':
      end = std::memcmp(p, "true", 4) == 0 ? p + 4 : nullptr;
      break;
    case 'f':
      end = std::memcmp(p, "false", 5) == 0 ? p + 5 : nullptr;
      break;
    case 'n':
      end = std::memcmp(p, "null", 4) == 0 ? p + 4 : nullptr;
      break;
    default:
      end = number_end(p, needs_repair);
  }
  return end != nullptr && ends_scalar[static_cast<unsigned char>(*end)] ? end : nullptr;
}

// One past the closing quote of a string, given the token after it: only white space can stand between.
inline const char* string_end(const char* next_token) {
  while (next_token[-1] != '"') --next_token;
  return next_token;
}

// --- containers ----------------------------------------------------------------------------------------------------

// Checks the container whose opener the cursor gave last; closer: its last byte. `last` is the text's last byte, a
// closer.
//
// Never takes a token beyond `last`: only after a closer can the next one be missing, and a closer that is `last` ends
// either this container or the check.
template <std::size_t depth_max, class cursor>
inline verdict check_container(cursor& tokens, const char* open, const char* last, const char*& closer,
                               bool& needs_repair) {
  std::array<bool, depth_max> is_object{};
  std::size_t depth = 1;
  bool object = *open == '{';
  is_object[0] = object;
  const char* p = tokens.take();
  for (bool opened = true;;) {
    // p: the first token inside a container just opened, the first token of an element, or what follows a value.
    if (!opened || *p != (object ? '}' : ']')) {
      if (object) {
        if (*p != '"' || !tokens.skip_string(p)) return verdict::broken;
        p = tokens.take();
        if (*p != ':') return verdict::broken;
        p = tokens.take();
      }
      if (*p == '"') {
        if (!tokens.skip_string(p)) return verdict::broken;
      } else if (*p == '{' || *p == '[') {
        if (depth == depth_max) return verdict::too_deep;
        object = *p == '{';
        is_object[depth++] = object;
        p = tokens.take();
        opened = true;
        continue;
      } else {
        const char* const end = scalar_end(p, needs_repair);
        if (end == nullptr) return verdict::broken;
        tokens.scalar_ended(end);
      }
      p = tokens.take();
    }
    while (*p != ',') {
      if (*p != (object ? '}' : ']')) return verdict::broken;
      if (--depth == 0) {
        closer = p;
        return verdict::sound;
      }
      if (p == last) return verdict::broken;
      object = is_object[depth - 1];
      p = tokens.take();
    }
    p = tokens.take();
    opened = false;
  }
}

// --- escapes -------------------------------------------------------------------------------------------------------

// What a digit is worth; above 0xffff, and so in each of four places, when it is none.
inline constexpr auto hex_digits = [] {
  std::array<std::uint32_t, 256> table{};
  table.fill(0xffff'0000);
  for (unsigned char c = '0'; c <= '9'; ++c) table[c] = c - '0';
  for (unsigned char c = 'a'; c <= 'f'; ++c) table[c] = table[c - 'a' + 'A'] = c - 'a' + 10;
  return table;
}();

// Four hexadecimal digits, or a value above 0xffff.
inline std::uint32_t hex4(const char* p) {
  const auto digit = [p](int i) { return hex_digits[static_cast<unsigned char>(p[i])]; };
  return digit(0) << 12 | digit(1) << 8 | digit(2) << 4 | digit(3);
}

}  // namespace stages::json
