// A small JSON tree for configuration-like bodies: fault plans, request bodies of the control calls. Not for events,
// which are compared as text elsewhere. (RapidJSON's own tree does not compile with clang 19.)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace emulator {

struct json_value {
  enum class kind : std::uint8_t { null, boolean, number, string, array, object };

  kind type = kind::null;
  bool truth = false;
  std::string text;                // of a string, or the token of a number
  std::vector<json_value> items;   // of an array, or the values of an object's members
  std::vector<std::string> names;  // the members' names, in the order of items

  [[nodiscard]] bool is(kind k) const { return type == k; }
  // Null when this is no object or has no such member.
  [[nodiscard]] const json_value* find(std::string_view name) const;
  // Nothing when it is no number, or (integer) not whole or out of range.
  [[nodiscard]] std::optional<double> number() const;
  [[nodiscard]] std::optional<std::int64_t> integer() const;
};

// Nothing when it is not JSON, or nested deeper than 64.
std::optional<json_value> parse_json(std::string_view text);

}  // namespace emulator
