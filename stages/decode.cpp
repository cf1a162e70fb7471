#include "stages/decode.hpp"

#include <charconv>
#include <limits>
#include <protozero/exception.hpp>
#include <protozero/varint.hpp>

namespace stages {
namespace {

// Thrown beside protozero's own exceptions and caught at the same place: the good path pays nothing for the checks'
// outcome.
struct not_the_encoding : protozero::exception {
  [[nodiscard]] const char* what() const noexcept override { return "not a log group list"; }
};

enum wire_type : std::uint32_t { wire_varint = 0, wire_fixed64 = 1, wire_bytes = 2, wire_fixed32 = 5 };

// What a tag on the wire looks like: field number and wire type in one, so that a known field of another type is
// unknown.
constexpr std::uint32_t field(std::uint32_t number, wire_type type) { return number << 3 | type; }

// One message. protozero's pbf_reader would do, but it keeps only 32 bits of a length, so that a length of 4 GiB + 5
// reads as 5: corrupt bytes would pass.
class message_reader {
 public:
  explicit message_reader(byte_view message) : at_(message.data()), end_(message.data() + message.size()) {}

  [[nodiscard]] bool done() const { return at_ == end_; }

  std::uint32_t tag() {
    const std::uint64_t tag = varint();
    if (tag > std::numeric_limits<std::uint32_t>::max() || tag >> 3 == 0) throw not_the_encoding();
    return static_cast<std::uint32_t>(tag);
  }
  std::uint64_t varint() { return protozero::decode_varint(&at_, end_); }
  byte_view bytes() { return take(varint()); }
  std::uint32_t fixed32() {
    std::uint32_t value = 0;
    unsigned shift = 0;
    for (const char byte : take(4)) {
      value |= static_cast<std::uint32_t>(static_cast<unsigned char>(byte)) << shift;
      shift += 8;
    }
    return value;
  }
  void skip(std::uint32_t tag) {
    switch (tag & 7) {
      case wire_varint:
        varint();
        break;
      case wire_fixed64:
        take(8);
        break;
      case wire_bytes:
        bytes();
        break;
      case wire_fixed32:
        take(4);
        break;
      default:
        throw not_the_encoding();  // groups (3, 4) were never part of this format; 6 and 7 do not exist
    }
  }

 private:
  byte_view take(std::uint64_t length) {
#ifdef PENSTOCK_PLANT_BUG  // proves that the fuzzer finds what it is there for
    if (length > static_cast<std::uint64_t>(end_ - at_) + 1) throw not_the_encoding();
#else
    if (length > static_cast<std::uint64_t>(end_ - at_)) throw not_the_encoding();
#endif
    const byte_view bytes(at_, static_cast<std::size_t>(length));
    at_ += bytes.size();
    return bytes;
  }

  const char* at_;
  const char* end_;
};

template <class element>
element& add(std::vector<element>& list, std::size_t size_max) {
  if (list.size() == size_max) throw not_the_encoding();
  return list.emplace_back();
}

// key.data() == nullptr: the pair has none.
content_view read_pair(byte_view message) {
  content_view pair;
  for (message_reader reader(message); !reader.done();) {
    const std::uint32_t tag = reader.tag();
    switch (tag) {
      case field(1, wire_bytes):
        pair.key = reader.bytes();
        break;
      case field(2, wire_bytes):
        pair.value = reader.bytes();
        break;
      default:
        reader.skip(tag);
    }
  }
  return pair;
}

void read_log(byte_view message, std::uint32_t group, log_groups& out) {
  log_view& log = add(out.logs, logs_max);
  log.message = message;
  log.group = group;
  log.loose_first = static_cast<std::uint32_t>(out.loose.size());
  for (message_reader reader(message); !reader.done();) {
    const std::uint32_t tag = reader.tag();
    switch (tag) {
      case field(1, wire_varint): {
        const std::uint64_t seconds = reader.varint();
        log.time_s = seconds <= std::numeric_limits<std::uint32_t>::max() ? static_cast<std::uint32_t>(seconds) : 0;
        break;
      }
      case field(2, wire_bytes): {
        content_view pair = read_pair(reader.bytes());
        if (!pair.key.starts_with("event")) break;
        if (pair.key.size() == 5) {
          log.event = pair.value.data() != nullptr ? pair.value : byte_view("");
        } else if (pair.key[5] == '.') {
          add(out.loose, loose_max) = pair;
        }
        break;
      }
      case field(4, wire_fixed32): {
        const std::uint32_t nanoseconds = reader.fixed32();
        log.time_ns = nanoseconds < 1'000'000'000 ? nanoseconds : 0;
        break;
      }
      default:
        reader.skip(tag);
    }
  }
  if (log.event.data() != nullptr) out.loose.resize(log.loose_first);  // only the text counts where there is one
  log.loose_last = static_cast<std::uint32_t>(out.loose.size());
}

std::int64_t seconds_in(byte_view text) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  return error == std::errc() && end == text.data() + text.size() ? seconds : 0;
}

void read_group(byte_view message, log_groups& out) {
  const auto index = static_cast<std::uint32_t>(out.groups.size());
  add(out.groups, groups_max);
  group_view group;
  group.tags_first = static_cast<std::uint32_t>(out.tags.size());
  for (message_reader reader(message); !reader.done();) {
    const std::uint32_t tag = reader.tag();
    switch (tag) {
      case field(1, wire_bytes): {
        const byte_view log = reader.bytes();
        __builtin_prefetch(log.data() + log.size());  // the next log: a miss that the walk through this one hides
        read_log(log, index, out);
        break;
      }
      case field(3, wire_bytes):
        group.topic = reader.bytes();
        break;
      case field(4, wire_bytes):
        group.source = reader.bytes();
        break;
      case field(6, wire_bytes): {
        const content_view pair = read_pair(reader.bytes());
        if (pair.key.data() == nullptr) break;
        add(out.tags, tags_max) = pair;
        if (pair.key == "__receive_time__") group.receive_time_s = seconds_in(pair.value);
        break;
      }
      default:
        reader.skip(tag);
    }
  }
  group.tags_last = static_cast<std::uint32_t>(out.tags.size());
  out.groups[index] = group;
}

void read_list(byte_view message, log_groups& out) {
  for (message_reader reader(message); !reader.done();) {
    const std::uint32_t tag = reader.tag();
    if (tag == field(1, wire_bytes)) {
      read_group(reader.bytes(), out);
    } else {
      reader.skip(tag);
    }
  }
}

}  // namespace

std::expected<void, decode_errc> decode(const plain_block& block, std::optional<std::uint64_t> group_count,
                                        log_groups& out) {
  out.clear();
  try {
    if (block.size != 0) read_list(block.view(), out);
  } catch (const protozero::exception&) {
    out.clear();
    return std::unexpected(decode_errc::malformed);
  }
  if (group_count && *group_count != out.groups.size()) {
    out.clear();
    return std::unexpected(decode_errc::malformed);
  }
  return {};
}

}  // namespace stages
