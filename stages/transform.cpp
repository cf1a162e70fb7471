#include "stages/transform.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <optional>

#include "stages/event_time.hpp"
#include "stages/json_tokens.hpp"
#include "stages/repair.hpp"
#include "stages/row_columns.hpp"

namespace stages {
namespace {

constexpr byte_view time_key = R"({"TimeGenerated":")";
constexpr byte_view value_key = R"({"value":")";

// Small copies are made whole steps long, which is several times faster than copying the exact size. Room for that is
// in row_slack; what is read beyond a slice is within the event's text.
constexpr std::size_t copy_step = 64;

struct column_key {
  std::array<char, 32> bytes{};  // ,"name":
  std::size_t size = 0;
};

// A column in its place in the row.
struct row_member {
  column_key key;
  std::size_t slice = 0;  // index into record::slices
  column_kind kind = column_kind::text;
};

constexpr std::array<row_member, column_count> make_members() {
  std::array<row_member, column_count> members;
  for (std::size_t place = 0; place < column_count; ++place) {
    const std::size_t c = index_of(columns_in_row[place]);
    members[place].slice = c;
    members[place].kind = row_columns[c].kind;
    column_key& key = members[place].key;
    key.bytes[key.size++] = ',';
    key.bytes[key.size++] = '"';
    for (const char letter : row_columns[c].name) key.bytes[key.size++] = letter;
    key.bytes[key.size++] = '"';
    key.bytes[key.size++] = ':';
  }
  return members;
}

constexpr auto members = make_members();

// What a row needs beyond twice its event's text: keys, quotes and marks of all columns, time, brackets, whole-step
// copies.
constexpr std::size_t row_slack =
    column_count * (sizeof(column_key::bytes) + mark_bytes_max) + 128 + escape_slack + copy_step;

// Rows are written in another order than events lie in memory, which no hardware foresees: a third of the time without
// this.
constexpr std::uint32_t prefetch_distance = 2;
constexpr std::size_t prefetch_bytes_max = 2'048;  // what follows is found by the hardware

void prefetch(const void* from, std::size_t bytes) {
  constexpr std::size_t cache_line = 64;
  for (std::size_t at = 0; at < bytes; at += cache_line) __builtin_prefetch(static_cast<const char*>(from) + at);
}

char* put_exact(byte_view bytes, char* at) {
  std::memcpy(at, bytes.data(), bytes.size());
  return at + bytes.size();
}

inline char* put_key(const column_key& key, char* at) {
  std::memcpy(at, key.bytes.data(), sizeof key.bytes);
  return at + key.size;
}

inline char* put_slice(byte_view slice, const char* readable_end, char* at) {
  if (slice.size() <= copy_step && slice.data() + copy_step <= readable_end) [[likely]] {
    std::memcpy(at, slice.data(), copy_step);
  } else {
    std::memcpy(at, slice.data(), slice.size());
  }
  return at + slice.size();
}

}  // namespace

transform::transform(const transform_options& options, kernel kind) : options_(options), escape_(escape_with(kind)) {}

void transform::operator()(const records& in, rows& out) {
  out.clear();
  assert(in.events.size() <= std::numeric_limits<std::uint32_t>::max());
  const auto count = static_cast<std::uint32_t>(in.events.size());
  const bool by_name = options_.order == row_order::event_name;
  const std::span<const std::uint32_t> order = by_name ? order_(in.events) : std::span<const std::uint32_t>();
  out.refs.reserve(count);
  const auto event_at = [&](std::uint32_t i) -> const record& { return in.events[by_name ? order[i] : i]; };
  for (std::uint32_t i = 0; i < count; ++i) {
    if (i + 2 * prefetch_distance < count) prefetch(&event_at(i + 2 * prefetch_distance), sizeof(record));
    if (i + prefetch_distance < count) {
      const byte_view text = event_at(i + prefetch_distance).text;
      prefetch(text.data(), std::min(text.size(), prefetch_bytes_max));
    }
    add_row(event_at(i), out);
  }
}

void transform::add_row(const record& event, rows& out) {
  const std::size_t used = out.text.size();
  const std::size_t room = 2 * event.text.size() + row_slack;
  const transform_counts counts_before = out.counts;
  const std::size_t cut_before = out.cut.size();
  cut_in_row_ = false;
  fits_ = true;
  out.text.resize_and_overwrite(used + room, [&](char* text, std::size_t) {
    char* at = text + used;
    *at++ = ',';
    at = options_.format == row_format::value ? put_value_row(event, at, out) : put_typed_row(event, at, out);
    const auto end = static_cast<std::size_t>(at - text);
    if (end - used - 1 > options_.row_bytes_max || end > rows_bytes_max) fits_ = false;
    return fits_ ? end : used;
  });
  if (fits_) {
    out.refs.push_back({.end = static_cast<std::uint32_t>(out.text.size()), .index = event.index});
  } else {
    out.counts = counts_before;  // nothing of it is delivered
    out.cut.resize(cut_before);
    out.bad.push_back({.index = event.index, .reason = set_aside_reason::too_large, .original = event.text});
  }
}

char* transform::put_value_row(const record& event, char* at, rows& out) {
  byte_view text = event.text;
  if (text.size() > options_.field_bytes_max) [[unlikely]] {
    const auto cut = cutter_(event, options_.field_bytes_max);
    if (!cut.fits) {
      fits_ = false;
      return at;
    }
    text = cut.text;
    out.counts.cut_fields += cut.fields;
    out.cut.push_back({.index = event.index, .field = cut.first, .original = event.text});
  }
  at = put_exact(value_key, at);
  at = escape_(text, at);
  return put_exact("\"}", at);
}

char* transform::put_typed_row(const record& event, char* at, rows& out) {
  char* const begin = at;
  at = put_time(event, at, out);
  const char* const readable_end = event.text.data() + event.text.size();
  for (std::size_t place = 0; place < column_count; ++place) {
    const row_member& member = members[place];
    const byte_view slice = event.slices[member.slice];
    if (slice.data() == nullptr) continue;
    const bool as_it_is = member.kind == column_kind::dynamic || (member.kind == column_kind::text && slice[0] == '"');
    if (as_it_is && slice.size() <= options_.field_bytes_max && !event.needs_repair) [[likely]] {
      at = put_slice(slice, readable_end, put_key(member.key, at));
    } else {
      at = put_odd_column(event, place, at, out);
    }
  }
  if (at == begin) *at++ = '{';
  *begin = '{';  // in the place of the first column's comma when there is no TimeGenerated
  *at++ = '}';
  return at;
}

char* transform::put_time(const record& event, char* at, rows& out) const {
  time_text scratch;
  std::array<char, sizeof(time_text)> decoded;
  const byte_view token = event.slices[index_of(column::eventTime)];
  std::optional<byte_view> time;
  if (token.size() > 2 && token[0] == '"') {
    time = utc_time(token.substr(1, token.size() - 2), scratch);
    if (!time && token.size() <= 6 * decoded.size()) {  // perhaps written with escapes
      if (const auto plain = decode_ascii(token, decoded)) time = utc_time(*plain, scratch);
    }
  }
  if (!time) {
    ++out.counts.bad_event_times;
    if (event.time_s == 0) return at;
    time = log_time(event.time_s, event.time_ns, scratch);
  }
  at = put_exact(time_key, at);
  at = put_exact(*time, at);
  *at++ = '"';
  return at;
}

// All that is not copied as it stands.
char* transform::put_odd_column(const record& event, std::size_t place, char* at, rows& out) {
  const row_member& member = members[place];
  const byte_view token = event.slices[member.slice];
  if (member.kind == column_kind::boolean) {
    if (token[0] == 'n') return at;
    std::array<char, 5> decoded;
    const auto text = token[0] == '"' ? decode_ascii(token, decoded) : token;
    if (text != "true" && text != "false") {
      ++out.counts.bad_booleans;
      return at;
    }
    return put_exact(*text, put_key(member.key, at));
  }
  if (member.kind == column_kind::text && token[0] == 'n') return at;

  const bool text_string = member.kind == column_kind::text && token[0] == '"';
  if (token.size() > options_.field_bytes_max) {
    // Escapes only ever shorten when they are decoded, so a string is measured exactly only when its token is too long.
    if (!text_string || decoded_bytes(token) > options_.field_bytes_max) return put_cut_column(event, place, at, out);
  }
  at = put_key(member.key, at);
  if (member.kind == column_kind::dynamic || text_string) {
    return event.needs_repair ? repair_json(token, at, out.counts.repaired) : put_exact(token, at);
  }
  *at++ = '"';
  at = token[0] == '{' || token[0] == '[' ? escape_(token, at) : put_exact(token, at);
  *at++ = '"';
  return at;
}

char* transform::put_cut_column(const record& event, std::size_t place, char* at, rows& out) {
  const row_member& member = members[place];
  ++out.counts.cut_fields;
  if (!cut_in_row_) {
    out.cut.push_back({.index = event.index, .field = static_cast<column>(member.slice), .original = event.text});
    cut_in_row_ = true;
  }
  const bool as_text = member.kind == column_kind::text;
  return write_mark(event.slices[member.slice], as_text ? mark_form::text : mark_form::object, put_key(member.key, at));
}

}  // namespace stages
