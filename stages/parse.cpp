#include "stages/parse.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <optional>
#include <string>

#include "stages/column_table.hpp"
#include "stages/escape_check.hpp"
#include "stages/json_grammar.hpp"

namespace stages {
namespace {

// Equal for equal names in one run of the program, which is all that ordering rows needs.
std::uint32_t hash_name(byte_view name) {
  std::uint64_t hash = name.size();
  for (; !name.empty(); name.remove_prefix(std::min<std::size_t>(name.size(), 8))) {
    std::uint64_t part = 0;
    std::memcpy(&part, name.data(), std::min<std::size_t>(name.size(), 8));
    hash = (hash ^ part) * 0x9e37'79b9'7f4a'7c15;
    hash ^= hash >> 32;
  }
  return static_cast<std::uint32_t>(hash);
}

// --- the event -----------------------------------------------------------------------------------------------------

// The top level of an object: checks all of it and keeps the columns.
template <class cursor>
json::verdict slice_object(cursor tokens, byte_view text, record& event, std::uint64_t& duplicate_keys) {
  using json::verdict;
  const char* const last = &text.back();
  tokens.take();  // the opener
  const char* p = tokens.take();
  if (*p == '}') return p == last ? verdict::sound : verdict::broken;
  for (;;) {
    const char* const key = p + 1;
    if (*p != '"' || !tokens.skip_string(p)) return verdict::broken;
    const char* const colon = tokens.take();
    if (*colon != ':') return verdict::broken;
    const char* const key_end = json::string_end(colon) - 1;

    const char* const value = tokens.take();
    const char* value_end = nullptr;
    if (*value == '"') {
      if (!tokens.skip_string(value)) return verdict::broken;
      p = tokens.take();
      value_end = json::string_end(p);
    } else if (*value == '{' || *value == '[') {
      const verdict nested = json::check_container<nesting_max - 1>(tokens, value, last, value_end, event.needs_repair);
      if (nested != verdict::sound) return nested;
      if (value_end++ == last) return verdict::broken;
      p = tokens.take();
    } else {
      value_end = json::scalar_end(value, event.needs_repair);
      if (value_end == nullptr) return verdict::broken;
      tokens.scalar_ended(value_end);
      p = tokens.take();
    }

    const std::size_t column = json::find_column({key, static_cast<std::size_t>(key_end - key)});
    if (column != column_count) {
      byte_view& slice = event.slices[column];
      if (slice.data() != nullptr) ++duplicate_keys;
      slice = {value, static_cast<std::size_t>(value_end - value)};
    }

    if (*p == '}') return p == last ? verdict::sound : verdict::broken;
    if (*p != ',') return verdict::broken;
    p = tokens.take();
  }
}

// A text that is an array must be one container from end to end.
template <class cursor>
json::verdict check_array(cursor tokens, byte_view text, bool& needs_repair) {
  const char* const last = &text.back();
  const char* closer = nullptr;
  const char* const open = tokens.take();
  const json::verdict verdict = json::check_container<nesting_max>(tokens, open, last, closer, needs_repair);
  return verdict == json::verdict::sound && closer != last ? json::verdict::broken : verdict;
}

// --- events rebuilt from `event.x` contents ------------------------------------------------------------------------

std::size_t escaped_bytes(byte_view text) {
  std::size_t size = text.size();
  for (const char c : text) {
    if (c == '"' || c == '\\') size += 1;
    if (static_cast<unsigned char>(c) < 0x20) size += 5;
  }
  return size;
}

void append_string(byte_view text, std::string& out) {
  constexpr byte_view hex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x20) {
      out += "\\u00";
      out += hex[code >> 4];
      out += hex[code & 15];
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  out += '"';
}

byte_view column_part(byte_view key) { return key.substr(byte_view("event.").size()); }

std::size_t rebuilt_bytes(std::span<const content_view> contents) {
  std::size_t size = 1;  // with each member one comma or closer, one colon, four quotes
  for (const content_view& content : contents)
    size += 6 + escaped_bytes(column_part(content.key)) + escaped_bytes(content.value);
  return size;
}

void append_rebuilt(std::span<const content_view> contents, std::string& out) {
  char separator = '{';
  for (const content_view& content : contents) {
    out += separator;
    append_string(column_part(content.key), out);
    out += ':';
    append_string(content.value, out);
    separator = ',';
  }
  out += '}';
}

std::span<const content_view> loose_of(const log_view& log, const log_groups& groups) {
  return std::span(groups.loose).subspan(log.loose_first, log.loose_last - log.loose_first);
}

bool is_loose(const log_view& log) { return log.event.data() == nullptr && log.loose_first != log.loose_last; }

// Scratch is kept from block to block, but not what one strange block needed.
void release_if_large(std::string& scratch) {
  constexpr std::size_t kept_bytes_max = 4 * engine::mib;
  if (scratch.capacity() > kept_bytes_max) std::string().swap(scratch);  // assigning an empty one keeps the room
}

}  // namespace

struct parse::state {
  state(const parse_options& chosen, kernel kind) : options(chosen), check_escapes(escape_check_with(kind)) {
    // Stage 1 alone is used, so the depth given here is never reached. Both are allocated once and stay.
    const simdjson::error_code error = simdjson::get_active_implementation()->create_dom_parser_implementation(
        std::max<std::size_t>(options.indexed_bytes_max, 64), 1, index);
    if (error != simdjson::SUCCESS) throw std::bad_alloc();
  }

  [[nodiscard]] bool fits_rebuilt(std::size_t size, std::size_t used) const {
    return size <= options.event_bytes_max && used + size <= options.rebuilt_bytes_max;
  }

  // Makes room for all rebuilt texts of the block at once: records point into it, so it must not move.
  void reserve_rebuilt(const log_groups& groups) {
    release_if_large(rebuilt);
    rebuilt.clear();
    if (groups.loose.empty()) return;
    std::size_t needed = 0;
    for (const log_view& log : groups.logs) {
      if (!is_loose(log)) continue;
      const std::size_t size = rebuilt_bytes(loose_of(log, groups));
      if (fits_rebuilt(size, needed)) needed += size;
    }
    rebuilt.reserve(needed + padding_bytes);
  }

  // nullopt: above a limit.
  std::optional<byte_view> rebuild(std::span<const content_view> contents) {
    const std::size_t begin = rebuilt.size();
    const std::size_t size = rebuilt_bytes(contents);
    if (!fits_rebuilt(size, begin)) return std::nullopt;
    append_rebuilt(contents, rebuilt);
    assert(rebuilt.size() == begin + size && rebuilt.capacity() >= rebuilt.size() + padding_bytes);
    return byte_view(rebuilt).substr(begin);
  }

  // Calls check with the text's tokens. Texts that stage 1 refuses are broken.
  template <class check_fn>
  json::verdict with_tokens(byte_view text, check_fn check) {
    if (text.size() > options.indexed_bytes_max) {
      if (!simdjson::validate_utf8(text.data(), text.size())) return json::verdict::broken;
      return check(json::text_scan(text));
    }
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    if (index->stage1(bytes, text.size(), simdjson::stage1_mode::regular) != simdjson::SUCCESS) {
      return json::verdict::broken;
    }
    return check(json::token_index(text, index->structural_indexes.get()));
  }

  // A text that is neither object nor array. It has no closer to stop at: looked at as the only element of an array.
  json::verdict check_lone_scalar(byte_view text) {
    bool ignored = false;
    lone.assign(1, '[').append(text).append(1, ']').append(padding_bytes, ' ');
    const byte_view wrapped = byte_view(lone).substr(0, text.size() + 2);
    // A second element would make it sound as an array but not as a text.
    const auto scalar_alone = [&](auto tokens) {
      tokens.take();
      const char* const p = tokens.take();
      if (*p == '"') {
        if (!tokens.skip_string(p)) return json::verdict::broken;
      } else {
        const char* const end = json::scalar_end(p, ignored);
        if (end == nullptr) return json::verdict::broken;
        tokens.scalar_ended(end);
      }
      return tokens.take() == &wrapped.back() ? json::verdict::sound : json::verdict::broken;
    };
    if (!check_escapes(wrapped, ignored)) return json::verdict::broken;
    const json::verdict verdict = with_tokens(wrapped, scalar_alone);
    release_if_large(lone);
    return verdict;
  }

  // nullopt: `event` is complete.
  std::optional<set_aside_reason> read(byte_view raw, record& event, std::uint64_t& duplicate_keys) {
    using json::verdict;
    const byte_view text = json::trimmed(raw);
    if (text.empty()) return set_aside_reason::empty;
    if (text.size() > options.event_bytes_max) return set_aside_reason::too_large;
    event.text = raw;  // white space around it and all: value rows carry the text untouched

    verdict found = verdict::broken;
    const bool object = text.front() == '{';
    if (object) {
      if (text.back() == '}' && check_escapes(text, event.needs_repair)) {
        found = with_tokens(text, [&](auto tokens) { return slice_object(tokens, text, event, duplicate_keys); });
      }
    } else if (text.front() == '[') {
      if (text.back() == ']' && check_escapes(text, event.needs_repair)) {
        found = with_tokens(text, [&](auto tokens) { return check_array(tokens, text, event.needs_repair); });
      }
    } else {
      found = check_lone_scalar(text);
    }

    if (found == verdict::sound) return object ? std::nullopt : std::optional(set_aside_reason::not_an_object);
    if (!simdjson::validate_utf8(text.data(), text.size())) return set_aside_reason::bad_encoding;
    return found == verdict::too_deep ? set_aside_reason::too_deep : set_aside_reason::bad_json;
  }

  const parse_options options;
  const escape_check check_escapes;
  std::unique_ptr<simdjson::internal::dom_parser_implementation> index;
  std::string rebuilt;
  std::string lone;
};

parse::parse(const parse_options& options, kernel kind) : state_(std::make_unique<state>(options, kind)) {}
parse::~parse() = default;

void parse::operator()(const log_groups& groups, records& out) {
  out.clear();
  state_->reserve_rebuilt(groups);
  std::uint32_t index = 0;
  for (const log_view& log : groups.logs) {
    const std::uint32_t number = index++;
    byte_view text = log.event;
    byte_view original = log.event;
    if (text.data() == nullptr) {
      original = log.message;
      if (!is_loose(log)) {
        out.bad.push_back({.index = number, .reason = set_aside_reason::no_event, .original = original});
        continue;
      }
      const std::optional<byte_view> rebuilt = state_->rebuild(loose_of(log, groups));
      if (!rebuilt) {
        out.bad.push_back({.index = number, .reason = set_aside_reason::too_large, .original = original});
        continue;
      }
      text = *rebuilt;
    }

    record& event = out.events.emplace_back();
    std::uint64_t duplicate_keys = 0;
    if (const auto reason = state_->read(text, event, duplicate_keys)) {
      out.events.pop_back();
      out.bad.push_back({.index = number, .reason = *reason, .original = original});
      continue;
    }
    event.index = number;
    event.time_s = log.time_s;
    event.time_ns = log.time_ns;
    const byte_view name = event.slices[static_cast<std::size_t>(column::eventName)];
    if (name.data() != nullptr) event.name_hash = hash_name(name);
    out.counts.duplicate_keys += duplicate_keys;
    if (log.event.data() == nullptr) ++out.counts.rebuilt_events;
  }
}

}  // namespace stages
