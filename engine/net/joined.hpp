// joined("port ", 80, " is taken"): text from pieces. libstdc++ 12 has no <format>.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

namespace engine {

inline void append_piece(std::string& to, std::string_view piece) { to += piece; }
void append_piece(std::string& to, std::integral auto number) { to += std::to_string(number); }

template <class... Pieces>
std::string joined(const Pieces&... pieces) {
  std::string out;
  (append_piece(out, pieces), ...);
  return out;
}

}  // namespace engine
