#include "json_text.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace emulator {

namespace {

// Below this length a number without exponent is finite whatever its digits.
constexpr std::size_t plain_number_bytes_max = 300;
constexpr std::string_view shield_mark = "\x7fN";

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The code unit of the escape \uXXXX that begins at `at`, or -1.
int escaped_unit(std::string_view text, std::size_t at) {
  if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return -1;
  int unit = 0;
  for (std::size_t i = at + 2; i < at + 6; ++i) {
    const int digit = hex_value(text[i]);
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

bool is_high(int unit) { return unit >= 0xd800 && unit <= 0xdbff; }
bool is_low(int unit) { return unit >= 0xdc00 && unit <= 0xdfff; }

bool in_number(char c) { return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'; }

bool is_number(std::string_view text) {
  const auto digits = [&] {
    const auto end = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(end);
    return end;
  };
  if (text.starts_with('-')) text.remove_prefix(1);
  const bool zero_first = text.starts_with('0');
  const auto whole = digits();
  if (whole == 0 || (zero_first && whole > 1)) return false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (digits() == 0) return false;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
    if (digits() == 0) return false;
  }
  return text.empty();
}

bool suspicious(std::string_view number) {
  return number.size() > plain_number_bytes_max || number.find_first_of("eE") != number.npos;
}

// The end of the string token that begins at `at`, past its closing quote.
std::size_t string_end(std::string_view json, std::size_t at) {
  for (++at; at < json.size(); ++at) {
    if (json[at] == '\\') {
      ++at;
    } else if (json[at] == '"') {
      return at + 1;
    }
  }
  return json.size();
}

}  // namespace

void mend_surrogates(std::string& json) {
  for (std::size_t at = json.find('\\'); at != json.npos; at = json.find('\\', at)) {
    const int unit = escaped_unit(json, at);
    if (is_high(unit) && is_low(escaped_unit(json, at + 6))) {
      at += 12;
    } else if (is_high(unit) || is_low(unit)) {
      json.replace(at + 2, 4, "fffd");
      at += 6;
    } else {
      at += 2;
    }
  }
}

bool beyond_double(std::string_view number) {
  return suspicious(number) && std::isinf(std::strtod(std::string(number).c_str(), nullptr));
}

std::string shield_numbers(std::string_view json) {
  std::string out;
  out.reserve(json.size() + 64);
  for (std::size_t at = 0; at < json.size();) {
    std::size_t end = at + 1;
    if (json[at] == '"') {
      end = string_end(json, at);
    } else if (json[at] == '-' || (json[at] >= '0' && json[at] <= '9')) {
      while (end < json.size() && in_number(json[end])) ++end;
      if (const auto number = json.substr(at, end - at); suspicious(number) && is_number(number)) {
        out.append("\"").append(shield_mark).append(number).append("\"");
        at = end;
        continue;
      }
    }
    out.append(json.substr(at, end - at));
    at = end;
  }
  return out;
}

std::string_view shielded_number(std::string_view decoded_string) {
  if (!decoded_string.starts_with(shield_mark)) return {};
  return decoded_string.substr(shield_mark.size());
}

std::string unshield(std::string_view json) {
  std::string out;
  const std::string opening = "\"" + std::string(shield_mark);
  for (std::size_t at = 0; at < json.size();) {
    const auto found = json.find(opening, at);
    out.append(json.substr(at, found - at));
    if (found == json.npos) break;
    const auto end = json.find('"', found + opening.size());
    out.append(json.substr(found + opening.size(), end - found - opening.size()));
    at = end == json.npos ? json.size() : end + 1;
  }
  return out;
}

bool valid_utf8(std::string_view text) {
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  const auto* const end = at + text.size();
  while (at < end) {
    // Sixteen plain bytes at a time: audit events are mostly ASCII.
    while (end - at >= 16) {
      std::uint64_t words[2];
      std::memcpy(words, at, sizeof words);
      if (((words[0] | words[1]) & 0x8080808080808080U) != 0) break;
      at += 16;
    }
    if (at == end) return true;
    if (*at < 0x80) {
      ++at;
      continue;
    }
    const unsigned lead = *at;
    const std::ptrdiff_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || end - at < length) return false;
    for (std::ptrdiff_t i = 1; i < length; ++i) {
      if ((at[i] & 0xc0U) != 0x80U) return false;
    }
    if ((lead == 0xe0 && at[1] < 0xa0) || (lead == 0xf0 && at[1] < 0x90)) return false;
    if ((lead == 0xed && at[1] >= 0xa0) || (lead == 0xf4 && at[1] >= 0x90)) return false;
    at += length;
  }
  return true;
}

}  // namespace emulator
