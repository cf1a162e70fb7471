#include "tools/penstock/json_writer.hpp"

#include <charconv>
#include <cmath>

#include "engine/base/utf8.hpp"

namespace penstock {

void json_writer::separate() {
  if (text_.empty()) return;
  const char last = text_.back();
  if (last != '{' && last != '[' && last != ':') text_ += ',';
}

json_writer& json_writer::open(char bracket) {
  separate();
  text_ += bracket;
  return *this;
}

json_writer& json_writer::close(char bracket) {
  text_ += bracket;
  return *this;
}

json_writer& json_writer::key(std::string_view name) {
  value(name);
  text_ += ':';
  return *this;
}

json_writer& json_writer::value(std::string_view v) {
  separate();
  text_ += '"';
  while (!v.empty()) {
    const auto c = engine::first_code_point(v);
    if (!c.valid) {
      text_ += "\xef\xbf\xbd";
    } else if (c.value == '"' || c.value == '\\') {
      text_ += '\\';
      text_ += static_cast<char>(c.value);
    } else if (c.value < 0x20) {
      constexpr std::string_view digits = "0123456789abcdef";
      text_ += "\\u00";
      text_ += digits[c.value >> 4];
      text_ += digits[c.value & 15];
    } else {
      text_ += v.substr(0, c.size);
    }
    v.remove_prefix(c.size);
  }
  text_ += '"';
  return *this;
}

json_writer& json_writer::value(bool v) {
  separate();
  text_ += v ? "true" : "false";
  return *this;
}

json_writer& json_writer::value(double v) {
  separate();
  if (!std::isfinite(v)) {
    text_ += "null";
    return *this;
  }
  char digits[64];
  const double rounded = std::round(v * 1e6) / 1e6;
  const auto end = std::to_chars(digits, digits + sizeof digits, rounded);
  text_.append(digits, end.ptr);
  return *this;
}

}  // namespace penstock
