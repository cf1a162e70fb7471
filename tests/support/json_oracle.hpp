// A second opinion on parse: simdjson's DOM parser, which decides in another way and builds a tree.
//
// The DOM parser refuses three things that JSON's grammar allows and parse accepts: integers beyond 64 bits, numbers
// beyond a double, lone surrogates. They are softened first, here, byte by byte, so that the rest can be compared
// exactly.
#pragma once

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "stages/parse.hpp"

namespace tests {

struct softened_text {
  std::string text;
  bool repaired = false;  // a lone surrogate or a number beyond a double was replaced
  std::size_t depth = 0;  // deepest nesting
};

inline bool is_json_number(std::string_view token) {
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t first = i;
    while (i < token.size() && token[i] >= '0' && token[i] <= '9') ++i;
    return i - first;
  };
  if (i < token.size() && token[i] == '-') ++i;
  const bool zero = i < token.size() && token[i] == '0';
  const std::size_t whole = digits();
  if (whole == 0 || (zero && whole > 1)) return false;
  if (i < token.size() && token[i] == '.') {
    ++i;
    if (digits() == 0) return false;
  }
  if (i < token.size() && (token[i] == 'e' || token[i] == 'E')) {
    ++i;
    if (i < token.size() && (token[i] == '+' || token[i] == '-')) ++i;
    if (digits() == 0) return false;
  }
  return i == token.size();
}

inline softened_text soften(std::string_view in) {
  softened_text out;
  out.text.reserve(in.size());
  std::size_t depth = 0;
  const auto unit_at = [&](std::size_t i) -> long {  // of "\uXXXX" at i, or -1
    if (i + 6 > in.size() || in[i] != '\\' || in[i + 1] != 'u') return -1;
    const std::string hex(in.substr(i + 2, 4));
    if (!std::ranges::all_of(hex, [](unsigned char c) { return std::isxdigit(c) != 0; })) return -1;
    return std::strtol(hex.c_str(), nullptr, 16);
  };
  for (std::size_t i = 0; i < in.size();) {
    if (in[i] == '"') {
      out.text += in[i++];
      while (i < in.size() && in[i] != '"') {
        if (in[i] != '\\') {
          out.text += in[i++];
          continue;
        }
        const long unit = unit_at(i);
        const bool high = unit >= 0xd800 && unit < 0xdc00;
        const bool low = unit >= 0xdc00 && unit < 0xe000;
        const long next = high ? unit_at(i + 6) : -1;
        if (high && next >= 0xdc00 && next < 0xe000) {
          out.text += in.substr(i, 12);
          i += 12;
        } else if (high || low) {
          out.text += "\\ufffd";
          out.repaired = true;
          i += 6;
        } else {
          out.text += in.substr(i, 2);
          i += 2;
        }
      }
      if (i < in.size()) out.text += in[i++];
      continue;
    }
    if (in[i] == '-' || (in[i] >= '0' && in[i] <= '9')) {
      std::size_t end = i;
      while (end < in.size() && std::string_view(" \t\r\n,:[]{}\"").find(in[end]) == std::string_view::npos) ++end;
      const std::string token(in.substr(i, end - i));
      std::string_view written = token;
      if ((token.size() > 18 || token.find_first_of("eE") != std::string::npos) && is_json_number(token)) {
        const bool infinite = std::isinf(std::strtod(token.c_str(), nullptr));
        const bool integer = token.find_first_of(".eE") == std::string::npos;
        if (infinite || integer) written = "0";
        if (infinite) out.repaired = true;
      }
      out.text += written;
      i = end;
      continue;
    }
    if (in[i] == '{' || in[i] == '[') out.depth = std::max(out.depth, ++depth);
    if ((in[i] == '}' || in[i] == ']') && depth > 0) --depth;
    out.text += in[i++];
  }
  return out;
}

inline constexpr std::array<std::string_view, stages::column_count> oracle_columns = {
    "acsRegion",         "additionalEventData",
    "apiVersion",        "errorCode",
    "errorMessage",      "eventAttributes",
    "eventCategory",     "eventId",
    "eventName",         "eventRW",
    "eventSource",       "eventTime",
    "eventType",         "eventVersion",
    "isGlobal",          "referencedResources",
    "requestId",         "requestParameterJson",
    "requestParameters", "resourceName",
    "resourceType",      "responseElements",
    "serviceName",       "sourceIpAddress",
    "userAgent",         "userIdentity"};

// Parses one text between two good events, in place and with hostile bytes behind, and compares with the DOM parser.
class json_oracle {
 public:
  // What differs, in words; nullopt when nothing does. `continuation` stands directly behind the text.
  std::optional<std::string> disagreement(std::string_view text, std::string_view continuation, bool compare_slices) {
    block_.assign(good).append(text).append(continuation).append(good).append(stages::padding_bytes, '}');
    const std::string_view block = block_;
    const std::string_view in_place = block.substr(good.size(), text.size());
    stages::log_groups logs;
    logs.logs.resize(3);
    logs.logs[0].event = block.substr(0, good.size());
    logs.logs[1].event = in_place;
    logs.logs[2].event = block.substr(good.size() + text.size() + continuation.size(), good.size());

    indexed_(logs, with_index_);
    scanning_(logs, without_index_);
    if (!same(with_index_, without_index_)) return "the two ways to find tokens disagree";
    const stages::records& found = with_index_;
    if (found.events.size() + found.bad.size() != 3) return "events were lost or made";
    if (found.events.size() < 2 || found.events.front().text != good || found.events.back().text != good) {
      return "a neighbour suffered";
    }

    const softened_text soft = soften(text);
    const simdjson::padded_string padded(soft.text);
    simdjson::dom::element root;
    const bool sound = dom_.parse(padded).get(root) == simdjson::SUCCESS;
    if (found.bad.empty()) {
      ++accepted_;
      if (soft.repaired) ++repaired_;
      if (!sound) return "accepted, but not JSON";
      if (!root.is_object()) return "accepted, but not an object";
      if (soft.depth > stages::nesting_max) return "accepted, but too deep";
      if (found.events[1].needs_repair != soft.repaired) return "needs_repair is wrong";
      if (compare_slices) return slices_differ(found, root);
      return std::nullopt;
    }
    ++set_aside_[static_cast<std::size_t>(found.bad[0].reason)];
    const bool object = sound && root.is_object();
    for (const stages::records* const records : {&with_index_, &without_index_}) {
      if (auto wrong = wrong_reason(records->bad[0].reason, text, soft, sound, object)) return wrong;
    }
    return std::nullopt;
  }

  // How the texts judged so far came out.
  [[nodiscard]] std::size_t accepted() const { return accepted_; }
  [[nodiscard]] std::size_t repaired() const { return repaired_; }
  [[nodiscard]] std::size_t set_aside(stages::set_aside_reason reason) const {
    return set_aside_[static_cast<std::size_t>(reason)];
  }

 private:
  static constexpr std::string_view good = R"({"eventId":"neighbour","n":[1,{"a":"\""}]})";

  // Of a text that is broken and too deep, whichever is met first is told.
  static bool is_broken(stages::set_aside_reason reason) {
    return reason == stages::set_aside_reason::bad_json || reason == stages::set_aside_reason::too_deep;
  }

  static bool same(const stages::records& a, const stages::records& b) {
    if (a.events.size() != b.events.size() || a.bad.size() != b.bad.size()) return false;
    if (a.counts.duplicate_keys != b.counts.duplicate_keys) return false;
    for (std::size_t i = 0; i < a.bad.size(); ++i) {
      if (is_broken(a.bad[i].reason) != is_broken(b.bad[i].reason)) return false;
      if (!is_broken(a.bad[i].reason) && a.bad[i].reason != b.bad[i].reason) return false;
      if (a.bad[i].original != b.bad[i].original) return false;
    }
    for (std::size_t i = 0; i < a.events.size(); ++i) {
      const stages::record& x = a.events[i];
      const stages::record& y = b.events[i];
      if (x.text != y.text || x.needs_repair != y.needs_repair || x.name_hash != y.name_hash) return false;
      if (!std::ranges::equal(x.slices, y.slices)) return false;
    }
    return true;
  }

  static std::optional<std::string> wrong_reason(stages::set_aside_reason reason, std::string_view text,
                                                 const softened_text& soft, bool sound, bool object) {
    using enum stages::set_aside_reason;
    const bool utf8 = simdjson::validate_utf8(text.data(), text.size());
    const bool blank = text.find_first_not_of(" \t\r\n") == std::string_view::npos;
    bool right = false;
    switch (reason) {
      case empty:
        right = blank;
        break;
      case bad_encoding:
        right = !utf8 && !sound;
        break;
      case too_deep:
        right = utf8 && soft.depth > stages::nesting_max;
        break;
      case not_an_object:
        right = sound && !object;
        break;
      case bad_json:
        right = utf8 && !blank && !sound;
        break;
      default:
        break;
    }
    if (right) return std::nullopt;
    return "wrongly set aside as " + std::string(stages::name_of(reason));
  }

  std::optional<std::string> slices_differ(const stages::records& found, simdjson::dom::element root) {
    std::array<std::optional<std::string>, stages::column_count> wanted;
    std::size_t duplicates = 0;
    for (const auto field : simdjson::dom::object(root)) {
      const auto* const name = std::ranges::find(oracle_columns, field.key);
      if (name == oracle_columns.end()) continue;
      std::optional<std::string>& slot = wanted[static_cast<std::size_t>(name - oracle_columns.begin())];
      if (slot) ++duplicates;
      slot = simdjson::minify(field.value);
    }
    if (duplicates != found.counts.duplicate_keys) return "duplicate keys are miscounted";
    for (std::size_t i = 0; i < stages::column_count; ++i) {
      const stages::byte_view slice = found.events[1].slices[i];
      if ((slice.data() != nullptr) != wanted[i].has_value()) return "a column appears or is missing";
      if (!wanted[i]) continue;
      const simdjson::padded_string padded(soften(slice).text);
      simdjson::dom::element value;
      if (slice_dom_.parse(padded).get(value) != simdjson::SUCCESS) return "a slice is not one value";
      if (simdjson::minify(value) != *wanted[i]) return "a slice is another value";
    }
    return std::nullopt;
  }

  stages::parse indexed_;
  stages::parse scanning_{stages::parse_options{.indexed_bytes_max = 0}};
  stages::records with_index_;
  stages::records without_index_;
  simdjson::dom::parser dom_;
  simdjson::dom::parser slice_dom_;
  std::string block_;
  std::size_t accepted_ = 0;
  std::size_t repaired_ = 0;
  std::array<std::size_t, static_cast<std::size_t>(stages::set_aside_reason::count_)> set_aside_{};
};

}  // namespace tests
