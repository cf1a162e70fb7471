#include "log_group_reader.hpp"

#include <cstddef>

#include "http_message.hpp"

namespace emulator {

namespace {

enum class wire_type : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

struct field {
  std::uint64_t number = 0;
  wire_type type = wire_type::varint;
  std::uint64_t varint = 0;
  std::string_view bytes;
};

// Walks the fields of one message; `bad` stays set after the first byte that is not one.
class field_reader {
 public:
  explicit field_reader(std::string_view bytes) : rest_(bytes) {}

  bool next(field& out) {
    if (rest_.empty() || bad_) return false;
    std::uint64_t tag = 0;
    bad_ = !varint(tag) || !value(tag, out);
    return !bad_;
  }
  [[nodiscard]] bool bad() const { return bad_; }

 private:
  bool varint(std::uint64_t& out) {
    out = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      out |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }

  bool take(std::uint64_t length, std::string_view& out) {
    if (length > rest_.size()) return false;
    out = rest_.substr(0, static_cast<std::size_t>(length));
    rest_.remove_prefix(static_cast<std::size_t>(length));
    return true;
  }

  bool value(std::uint64_t tag, field& out) {
    out.number = tag >> 3U;
    out.type = static_cast<wire_type>(tag & 7U);
    std::uint64_t length = 0;
    switch (out.type) {
      case wire_type::varint:
        return varint(out.varint);
      case wire_type::fixed64:
        return take(8, out.bytes);
      case wire_type::bytes:
        return varint(length) && take(length, out.bytes);
      case wire_type::fixed32:
        return take(4, out.bytes);
    }
    return false;
  }

  std::string_view rest_;
  bool bad_ = false;
};

bool read_content(std::string_view bytes, stored_log& log) {
  constexpr std::string_view event_key = "event";
  constexpr std::string_view dotted_prefix = "event.";
  std::string_view key;
  std::string_view value;
  field one;
  field_reader fields(bytes);
  while (fields.next(one)) {
    if (one.number == 1 && one.type == wire_type::bytes) key = one.bytes;
    if (one.number == 2 && one.type == wire_type::bytes) value = one.bytes;
  }
  if (key == event_key) log.event = value;
  if (key.starts_with(dotted_prefix)) log.dotted.emplace_back(key.substr(dotted_prefix.size()), value);
  return !fields.bad();
}

std::uint32_t little_endian(std::string_view bytes) {
  std::uint32_t number = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) number = number << 8U | static_cast<unsigned char>(bytes[i]);
  return number;
}

bool read_log(std::string_view bytes, stored_log& log) {
  log.bytes = bytes;
  field one;
  field_reader fields(bytes);
  while (fields.next(one)) {
    if (one.number == 1 && one.type == wire_type::varint) log.time_s = static_cast<std::uint32_t>(one.varint);
    if (one.number == 2 && one.type == wire_type::bytes && !read_content(one.bytes, log)) return false;
    if (one.number == 4 && one.type == wire_type::fixed32) log.time_ns = little_endian(one.bytes);
  }
  return !fields.bad();
}

}  // namespace

std::optional<std::vector<stored_log>> read_log_group(std::string_view bytes) {
  std::vector<stored_log> logs;
  field one;
  field_reader fields(bytes);
  while (fields.next(one)) {
    if (one.number != 1 || one.type != wire_type::bytes) continue;
    if (!read_log(one.bytes, logs.emplace_back())) return std::nullopt;
  }
  if (fields.bad()) return std::nullopt;
  return logs;
}

std::optional<std::string> event_text(const stored_log& log) {
  if (log.event) return std::string(*log.event);
  if (log.dotted.empty()) return std::nullopt;
  std::string text = "{";
  for (const auto& [key, value] : log.dotted) {
    if (text.size() > 1) text += ',';
    text += json_quoted(key) + ':' + json_quoted(value);
  }
  return text += '}';
}

}  // namespace emulator
