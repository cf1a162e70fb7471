// Small JSON documents of our own: summary, status, report pages. Objects and arrays nest; strings are escaped, bytes
// that are not UTF-8 become the replacement character.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace penstock {

class json_writer {
 public:
  json_writer& begin_object() { return open('{'); }
  json_writer& end_object() { return close('}'); }
  json_writer& begin_array() { return open('['); }
  json_writer& end_array() { return close(']'); }
  json_writer& key(std::string_view name);
  json_writer& value(std::string_view text);
  json_writer& value(const char* text) { return value(std::string_view(text)); }
  json_writer& value(bool);
  json_writer& value(double);  // not finite: null; at most 6 decimals
  template <std::integral N>
    requires(!std::same_as<N, bool>)
  json_writer& value(N number) {
    separate();
    text_ += std::to_string(number);
    return *this;
  }
  template <class T>
  json_writer& member(std::string_view name, T v) {
    return key(name).value(v);
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  json_writer& open(char bracket);
  json_writer& close(char bracket);
  void separate();
  std::string text_;
};

}  // namespace penstock
