#include "log_group.hpp"

namespace emulator::sls {

namespace {

std::size_t varint_size(std::uint64_t value) {
  std::size_t size = 1;
  for (; value >= 0x80; value >>= 7U) ++size;
  return size;
}

void append_varint(std::string& to, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7U) to += static_cast<char>((value & 0x7fU) | 0x80U);
  to += static_cast<char>(value);
}

void append_fixed32(std::string& to, std::uint32_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8) to += static_cast<char>((value >> shift) & 0xffU);
}

struct field {
  std::uint32_t number = 0;
  std::uint32_t wire_type = 0;
  std::uint64_t value = 0;  // wire types 0, 1, 5
  std::string_view bytes;   // wire type 2
};

// Takes one field off the front of a message at a time.
class field_reader {
 public:
  explicit field_reader(std::string_view message) : rest_(message) {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  // False: the bytes are no protobuf message (or use groups, which the service rejects).
  bool next(field& into) {
    std::uint64_t key = 0;
    if (!varint(key) || key >> 3U == 0 || key >> 3U > 0x1fffffff) return false;
    into = {static_cast<std::uint32_t>(key >> 3U), static_cast<std::uint32_t>(key & 7U), 0, {}};
    switch (into.wire_type) {
      case 0:
        return varint(into.value);
      case 1:
        return fixed(8, into.value);
      case 5:
        return fixed(4, into.value);
      case 2: {
        std::uint64_t size = 0;
        if (!varint(size) || size > rest_.size()) return false;
        into.bytes = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return true;
      }
      default:
        return false;
    }
  }

 private:
  bool varint(std::uint64_t& value) {
    value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) return false;
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }
  bool fixed(std::size_t size, std::uint64_t& value) {
    if (rest_.size() < size) return false;
    value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      value |= static_cast<std::uint64_t>(static_cast<unsigned char>(rest_[i])) << (8 * i);
    }
    rest_.remove_prefix(size);
    return true;
  }

  std::string_view rest_;
};

using pair = std::pair<std::string_view, std::string_view>;

std::expected<pair, std::string> read_pair(std::string_view bytes) {
  pair both;
  bool has_key = false;
  bool has_value = false;
  field_reader reader(bytes);
  for (field f; !reader.at_end();) {
    if (!reader.next(f)) return std::unexpected("a key and value pair is not protobuf");
    if (f.wire_type == 2 && f.number == 1) {
      both.first = f.bytes;
      has_key = true;
    } else if (f.wire_type == 2 && f.number == 2) {
      both.second = f.bytes;
      has_value = true;
    }
  }
  if (!has_key || !has_value) return std::unexpected("a pair lacks its key or its value");
  return both;
}

std::expected<log_entry, std::string> read_log(std::string_view bytes) {
  log_entry log;
  bool has_time = false;
  field_reader reader(bytes);
  for (field f; !reader.at_end();) {
    if (!reader.next(f)) return std::unexpected("a log is not protobuf");
    if (f.number == 1 && f.wire_type == 0) {
      log.time_s = static_cast<std::int64_t>(f.value);
      has_time = true;
    } else if (f.number == 2 && f.wire_type == 2) {
      auto both = read_pair(f.bytes);
      if (!both) return std::unexpected(std::move(both.error()));
      log.contents.push_back(*both);
    } else if (f.number == 4 && f.wire_type == 5) {
      log.time_ns = static_cast<std::uint32_t>(f.value);
    }
  }
  if (!has_time) return std::unexpected("a log lacks its time");
  return log;
}

}  // namespace

std::expected<log_group, std::string> read_log_group(std::string_view bytes) {
  log_group group;
  field_reader reader(bytes);
  for (field f; !reader.at_end();) {
    if (!reader.next(f)) return std::unexpected("the log group is not protobuf");
    if (f.wire_type != 2) continue;
    if (f.number == 1) {
      auto log = read_log(f.bytes);
      if (!log) return std::unexpected(std::move(log.error()));
      group.logs.push_back(std::move(*log));
    } else if (f.number == 3) {
      group.topic = f.bytes;
    } else if (f.number == 4) {
      group.source = f.bytes;
    } else if (f.number == 6) {
      auto tag = read_pair(f.bytes);
      if (!tag) return std::unexpected(std::move(tag.error()));
      group.tags.push_back(*tag);
    }
  }
  return group;
}

void append_field(std::string& to, char tag, std::string_view bytes) {
  to += tag;
  append_varint(to, bytes.size());
  to += bytes;
}

void log_group_writer::add_log(std::int64_t time_s, std::optional<std::uint32_t> time_ns, std::string_view key,
                               std::string_view value) {
  const std::size_t content = 1 + varint_size(key.size()) + key.size() + 1 + varint_size(value.size()) + value.size();
  const auto time = static_cast<std::uint64_t>(time_s);
  const std::size_t log = 1 + varint_size(time) + 1 + varint_size(content) + content + (time_ns ? 5 : 0);
  bytes_ += '\x0a';
  append_varint(bytes_, log);
  bytes_ += '\x08';
  append_varint(bytes_, time);
  bytes_ += '\x12';
  append_varint(bytes_, content);
  append_field(bytes_, '\x0a', key);
  append_field(bytes_, '\x12', value);
  if (time_ns) {
    bytes_ += '\x25';
    append_fixed32(bytes_, *time_ns);
  }
  ++logs_;
}

std::string log_group_writer::finish(std::string_view topic, std::string_view source,
                                     const std::vector<std::pair<std::string, std::string>>& tags) {
  append_field(bytes_, '\x1a', topic);
  append_field(bytes_, '\x22', source);
  for (const auto& [key, value] : tags) {
    std::string tag;
    append_field(tag, '\x0a', key);
    append_field(tag, '\x12', value);
    append_field(bytes_, '\x32', tag);
  }
  logs_ = 0;
  return std::exchange(bytes_, {});
}

}  // namespace emulator::sls
