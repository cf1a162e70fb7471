// UTF-8, one code point at a time: for log lines and configuration, not for events.
#pragma once

#include <cstddef>
#include <string_view>

namespace engine {

struct code_point {
  char32_t value = 0;
  std::size_t size = 1;  // bytes taken; 1 when invalid
  bool valid = false;
};

// The first code point of a text that is not empty. Overlong forms, surrogates and values above 10FFFF are invalid.
code_point first_code_point(std::string_view text);
bool is_utf8(std::string_view text);

}  // namespace engine
