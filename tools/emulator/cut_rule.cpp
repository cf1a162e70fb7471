#include "cut_rule.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "http_message.hpp"

namespace emulator {

namespace {

struct cut_field {
  std::string_view name;
  bool as_text;
};

constexpr std::array<cut_field, 4> cut_order = {{{"responseElements", false},
                                                 {"requestParameters", false},
                                                 {"requestParameterJson", true},
                                                 {"additionalEventData", false}}};

// A member of the outermost object: where its value's token stands in the text.
struct member {
  std::string key;  // decoded: one spelled with escapes names the same column
  std::size_t from = 0;
  std::size_t to = 0;
};

std::size_t skip_string(std::string_view json, std::size_t at) {
  for (++at; at < json.size() && json[at] != '"'; ++at) {
    if (json[at] == '\\') ++at;
  }
  return at + 1;
}

std::size_t skip_value(std::string_view json, std::size_t at) {
  std::size_t depth = 0;
  while (at < json.size()) {
    const char c = json[at];
    if (c == '"') {
      at = skip_string(json, at);
      if (depth == 0) return at;
      continue;
    }
    if (depth == 0 && (c == ',' || c == '}')) return at;
    if (c == '{' || c == '[') ++depth;
    ++at;
    if ((c == '}' || c == ']') && --depth == 0) return at;
  }
  return at;
}

// json is known to be an object.
std::vector<member> members_of(std::string_view json) {
  constexpr std::string_view blanks = " \t\r\n";
  std::vector<member> found;
  std::size_t at = json.find('"');
  while (at < json.size()) {
    member one;
    const std::size_t key_end = skip_string(json, at);
    const std::string_view token = json.substr(at, key_end - at);
    one.key = token.substr(1, token.size() - 2);
    if (one.key.contains('\\')) one.key = decoded_string(token).value_or(one.key);
    one.from = json.find_first_not_of(blanks, json.find(':', key_end) + 1);
    one.to = skip_value(json, one.from);
    while (blanks.find(json[one.to - 1]) != blanks.npos) --one.to;
    found.push_back(std::move(one));
    const std::size_t comma = json.find_first_not_of(blanks, found.back().to);
    if (comma >= json.size() || json[comma] != ',') break;
    at = json.find('"', comma);
  }
  return found;
}

std::string mark_of(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  std::string hex;
  for (const unsigned char byte : digest) hex += {digits[byte >> 4U], digits[byte & 15U]};
  return R"({"penstock_cut":{"bytes":)" + std::to_string(bytes.size()) + R"(,"sha256":")" + hex + R"("}})";
}

enum class measure : std::uint8_t { token, between_quotes, decoded };
constexpr std::array<measure, 3> measures = {measure::token, measure::between_quotes, measure::decoded};

std::string measured_mark(std::string_view token, measure how) {
  if (!token.starts_with('"') || how == measure::token) return mark_of(token);
  if (how == measure::between_quotes) return mark_of(token.substr(1, token.size() - 2));
  return mark_of(decoded_string(token).value_or(std::string(token)));
}

std::string cut(std::string text, measure how, bool skip_small) {
  for (const cut_field& field : cut_order) {
    if (text.size() <= field_bytes_max) break;
    const auto members = members_of(text);
    const auto last = std::ranges::find(members.rbegin(), members.rend(), field.name, &member::key);
    if (last == members.rend()) continue;
    const std::string mark = measured_mark(std::string_view(text).substr(last->from, last->to - last->from), how);
    const std::string token = field.as_text ? json_quoted(mark) : mark;
    if (skip_small && last->to - last->from <= token.size()) continue;
    text.replace(last->from, last->to - last->from, token);
  }
  return text;
}

bool is_mark(std::string_view token, const column& of, std::string_view received) {
  return std::ranges::any_of(measures, [&](measure how) {
    const std::string mark = measured_mark(token, how);
    return received == (of.kind == column_kind::text ? canonical_string(mark) : canonical_json(mark));
  });
}

}  // namespace

bool value_cut_matches(std::string_view stored, std::string_view received) {
  // Fields not larger than their mark need not be replaced by it, but may be.
  return stored.size() > field_bytes_max && std::ranges::any_of(measures, [&](measure how) {
           return received == cut(std::string(stored), how, true) || received == cut(std::string(stored), how, false);
         });
}

bool typed_cut_matches(std::string_view stored, log_time time, const typed_row& received) {
  event_reader reader;
  if (!reader.read(stored, time.s)) return false;
  // The log's time is right with its nanoseconds as well as without.
  if (reader.row().values[time_column] != received.values[time_column] && !reader.read(stored, time.s, time.ns))
    return false;
  const auto members = members_of(stored);
  for (std::size_t i = 0; i < column_count; ++i) {
    const std::string& expected = reader.row().values[i];
    const auto last = std::ranges::find(members.rbegin(), members.rend(), columns[i].name, &member::key);
    const std::string_view token = last == members.rend() ? "" : stored.substr(last->from, last->to - last->from);
    if (token.size() > field_bytes_max && is_mark(token, columns[i], received.values[i])) continue;
    // What the service would truncate does not arrive whole. A text's one form has a head before its bytes.
    const std::size_t head = canonical_string("").size();
    const std::size_t kept = columns[i].kind == column_kind::text ? expected.size() : token.size() + head;
    if (received.values[i] != expected || (!expected.empty() && kept > field_bytes_max + head)) return false;
  }
  return true;
}

}  // namespace emulator
