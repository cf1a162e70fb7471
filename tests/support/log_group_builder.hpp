// LogGroupList bytes for tests, made field by field so that wrong ones can be made as well.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/bytes.hpp"
#include "stages/types.hpp"

namespace tests {

inline std::string varint(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
  return out;
}
inline std::string varint_field(std::uint64_t number, std::uint64_t value) {
  return varint(number << 3) + varint(value);
}
inline std::string bytes_field(std::uint64_t number, std::string_view bytes) {
  return varint(number << 3 | 2) + varint(bytes.size()) + std::string(bytes);
}
inline std::string fixed32_field(std::uint64_t number, std::uint32_t value) {
  std::string out = varint(number << 3 | 5);
  for (unsigned shift = 0; shift < 32; shift += 8) out += static_cast<char>(value >> shift);
  return out;
}
inline std::string fixed64_field(std::uint64_t number, std::uint64_t value) {
  std::string out = varint(number << 3 | 1);
  for (unsigned shift = 0; shift < 64; shift += 8) out += static_cast<char>(value >> shift);
  return out;
}

using pairs = std::vector<std::pair<std::string, std::string>>;

inline std::string pair_message(std::string_view key, std::string_view value) {
  return bytes_field(1, key) + bytes_field(2, value);
}

// A Log message, not yet a field of its group.
inline std::string log_message(const pairs& contents, std::optional<std::uint32_t> time_s = 1'700'000'000,
                               std::optional<std::uint32_t> time_ns = std::nullopt) {
  std::string out;
  if (time_s) out += varint_field(1, *time_s);
  for (const auto& [key, value] : contents) out += bytes_field(2, pair_message(key, value));
  if (time_ns) out += fixed32_field(4, *time_ns);
  return out;
}

// Fields in the order the service writes them: logs first, then what describes them.
class log_group_builder {
 public:
  log_group_builder& log(std::string_view message) { return raw(bytes_field(1, message)); }
  log_group_builder& log(const pairs& contents, std::optional<std::uint32_t> time_s = 1'700'000'000,
                         std::optional<std::uint32_t> time_ns = std::nullopt) {
    return log(log_message(contents, time_s, time_ns));
  }
  log_group_builder& event(std::string_view text) { return log({{"event", std::string(text)}}); }
  log_group_builder& topic(std::string_view value) { return raw(bytes_field(3, value)); }
  log_group_builder& source(std::string_view value) { return raw(bytes_field(4, value)); }
  log_group_builder& tag(std::string_view key, std::string_view value) {
    return raw(bytes_field(6, pair_message(key, value)));
  }
  log_group_builder& raw(std::string_view bytes) {
    bytes_ += bytes;
    return *this;
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

inline std::string group_list(std::initializer_list<log_group_builder> groups) {
  std::string out;
  for (const log_group_builder& group : groups) out += bytes_field(1, group.bytes());
  return out;
}

// Bytes as decompress leaves them: with the padding that the stages after it may read.
class padded_block {
 public:
  explicit padded_block(std::string_view bytes, char padding = ' ')
      : storage_(bytes.size() + stages::padding_bytes), size_(bytes.size()) {
    storage_.append(bytes);
    storage_.append(std::string(stages::padding_bytes, padding));
  }
  [[nodiscard]] stages::plain_block block() { return {.storage = &storage_, .size = size_}; }

 private:
  engine::buffer storage_;
  std::size_t size_;
};

}  // namespace tests
