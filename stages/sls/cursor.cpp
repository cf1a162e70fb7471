#include "stages/sls/cursor.hpp"

#include <charconv>

#include "engine/base/digest.hpp"

namespace stages::sls {

std::optional<std::int64_t> decode_cursor(std::string_view text) {
  const auto digits = engine::from_base64(text);
  if (!digits) return std::nullopt;
  std::int64_t value = 0;
  const char* last = digits->data() + digits->size();
  const auto [end, error] = std::from_chars(digits->data(), last, value);
  if (error != std::errc() || end != last) return std::nullopt;
  return value;
}

std::string encode_cursor(std::int64_t value) { return engine::to_base64(std::to_string(value)); }

std::partial_ordering compare_cursors(std::string_view a, std::string_view b) {
  if (a == b) return std::partial_ordering::equivalent;
  const auto x = decode_cursor(a);
  const auto y = decode_cursor(b);
  if (!x || !y) return std::partial_ordering::unordered;
  return *x <=> *y;
}

std::optional<std::int64_t> cursor_distance(std::string_view first, std::string_view last) {
  if (first == last) return 0;
  const auto x = decode_cursor(first);
  const auto y = decode_cursor(last);
  std::int64_t out = 0;
  if (!x || !y || __builtin_sub_overflow(*y, *x, &out)) return std::nullopt;
  return out;
}

}  // namespace stages::sls
