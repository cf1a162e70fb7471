#include "hash_range.hpp"

namespace emulator::sls {

std::string hex32(hash_key key) {
  std::string text(32, '0');
  for (std::size_t i = 32; i-- > 0; key >>= 4U) text[i] = "0123456789abcdef"[static_cast<unsigned>(key & 15U)];
  return text;
}

std::optional<hash_key> hash_key_of(std::string_view hex) {
  if (hex.empty() || hex.size() > 32) return std::nullopt;
  hash_key key = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    const char c = i < hex.size() ? hex[i] : '0';
    unsigned digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<unsigned>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<unsigned>(c - 'a') + 10;
    } else if (c >= 'A' && c <= 'F') {
      digit = static_cast<unsigned>(c - 'A') + 10;
    } else {
      return std::nullopt;
    }
    key = (key << 4U) | digit;
  }
  return key;
}

std::vector<hash_key> even_bounds(hash_key begin, hash_key end, std::size_t parts) {
  // The end of the space is written ffff...: rounding up gives the round figures the service shows (8000... for half).
  const hash_key width = end - begin;
  const hash_key step = width / parts + (width % parts != 0 ? 1 : 0);
  std::vector<hash_key> bounds;
  for (std::size_t i = 0; i < parts; ++i) bounds.push_back(begin + step * i);
  bounds.push_back(end);
  return bounds;
}

}  // namespace emulator::sls
