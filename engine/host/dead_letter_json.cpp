#include "engine/host/dead_letter_json.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "engine/base/digest.hpp"
#include "engine/base/utf8.hpp"

namespace engine {
namespace {

void append_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const auto [point, length, valid] = first_code_point(text);
    const char c = text[0];
    if (!valid) {
      out += "\xef\xbf\xbd";
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (point < 0x20) {
      out += "\\u00";
      out += to_hex({&c, 1});
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  out += '"';
}

void append_member(std::string& out, std::string_view key, std::string_view value) {
  out += out.back() == '{' ? "\"" : ",\"";
  out += key;
  out += "\":";
  append_string(out, value);
}

void append_number(std::string& out, std::string_view key, const std::string& value) {
  out += ",\"";
  out += key;
  out += "\":";
  out += value;
}

void append_utf8(std::string& out, std::uint32_t point) {
  const auto add = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80) {
    add(point);
  } else if (point < 0x800) {
    add(0xc0 | point >> 6);
    add(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    add(0xe0 | point >> 12);
    add(0x80 | (point >> 6 & 0x3f));
    add(0x80 | (point & 0x3f));
  } else {
    add(0xf0 | point >> 18);
    add(0x80 | (point >> 12 & 0x3f));
    add(0x80 | (point >> 6 & 0x3f));
    add(0x80 | (point & 0x3f));
  }
}

// A flat object of strings and other scalars: all that a line of ours can be.
class scanner {
 public:
  explicit scanner(std::string_view text) : rest_(text) {}

  bool take(char c) {
    skip_space();
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool at_end() {
    skip_space();
    return rest_.empty();
  }
  bool next_is_string() {
    skip_space();
    return !rest_.empty() && rest_[0] == '"';
  }
  // A number or a literal, as it is written.
  std::optional<std::string_view> word() {
    skip_space();
    const std::size_t length = std::min(rest_.find_first_of(" \t,}"), rest_.size());
    const std::string_view found = rest_.substr(0, length);
    if (found.empty() || found.find_first_of("\"[]{:") != std::string_view::npos) return std::nullopt;
    rest_.remove_prefix(length);
    return found;
  }
  std::optional<std::string> string() {
    if (!take('"')) return std::nullopt;
    std::string out;
    while (!rest_.empty()) {
      const char c = rest_[0];
      if (c == '"') {
        rest_.remove_prefix(1);
        return out;
      }
      if (c == '\\') {
        if (!escape(out)) return std::nullopt;
        continue;
      }
      const auto [point, length, valid] = first_code_point(rest_);
      if (!valid || point < 0x20) return std::nullopt;
      out += rest_.substr(0, length);
      rest_.remove_prefix(length);
    }
    return std::nullopt;
  }

 private:
  void skip_space() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\t')) rest_.remove_prefix(1);
  }
  bool escape(std::string& out) {
    if (rest_.size() < 2) return false;
    const char kind = rest_[1];
    if (kind == 'u') return unicode_escape(out);
    constexpr std::string_view kinds = "\"\\/bfnrt";
    constexpr std::string_view means = "\"\\/\b\f\n\r\t";
    const std::size_t at = kinds.find(kind);
    if (at == std::string_view::npos) return false;
    out += means[at];
    rest_.remove_prefix(2);
    return true;
  }
  bool unicode_escape(std::string& out) {
    auto point = code_unit();
    if (!point) return false;
    if (*point >= 0xd800 && *point < 0xdc00) {
      const auto low = code_unit();
      if (!low || *low < 0xdc00 || *low > 0xdfff) return false;
      point = 0x10000 + ((*point - 0xd800) << 10) + (*low - 0xdc00);
    } else if (*point >= 0xdc00 && *point <= 0xdfff) {
      return false;
    }
    append_utf8(out, *point);
    return true;
  }
  std::optional<std::uint32_t> code_unit() {
    if (rest_.size() < 6 || rest_[0] != '\\' || rest_[1] != 'u') return std::nullopt;
    std::uint32_t unit = 0;
    const char* const end = rest_.data() + 6;
    if (std::from_chars(rest_.data() + 2, end, unit, 16).ptr != end) return std::nullopt;
    rest_.remove_prefix(6);
    return unit;
  }

  std::string_view rest_;
};

template <class N>
bool parse_number(std::string_view text, N& value) {
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stopped == end;
}

// What has been read of a record so far; each field must come exactly once.
class record_builder {
 public:
  bool add_string(std::string_view key, std::string value) {
    if (key == "time") {
      const auto time = parse_rfc3339(value);
      if (time) record_.time = *time;
      return time.has_value() && once(0);
    }
    dead_letter& d = record_.letter;
    if (key == "account") return set(d.route.account, std::move(value), 1);
    if (key == "project") return set(d.route.project, std::move(value), 2);
    if (key == "logstore") return set(d.route.logstore, std::move(value), 3);
    if (key == "destination") return set(d.route.destination, std::move(value), 4);
    if (key == "cursor") return set(d.cursor, std::move(value), 5);
    if (key == "reason") return set(d.reason, std::move(value), 6);
    if (key == "detail") return set(d.detail, std::move(value), 7);
    if (key == "original") return set(d.original, std::move(value), 8);
    if (key == "original_base64") {
      auto bytes = from_base64(value);
      return bytes.has_value() && set(d.original, *std::move(bytes), 8);
    }
    return key != "shard" && key != "index";
  }
  bool add_word(std::string_view key, std::string_view word) {
    if (key == "shard") return parse_number(word, record_.letter.route.shard) && once(9);
    if (key == "index") return parse_number(word, record_.letter.index) && once(10);
    return true;
  }
  std::optional<dead_letter_record> finish() && {
    if (seen_ != (1u << 11) - 1) return std::nullopt;
    return std::move(record_);
  }

 private:
  bool once(unsigned field) {
    const bool first = (seen_ >> field & 1u) == 0;
    seen_ |= 1u << field;
    return first;
  }
  bool set(std::string& to, std::string value, unsigned field) {
    to = std::move(value);
    return once(field);
  }
  dead_letter_record record_;
  unsigned seen_ = 0;
};

}  // namespace

void append_json_line(std::string& out, const dead_letter& letter, wall_time time) {
  out += '{';
  append_member(out, "time", format_utc_millis(time));
  append_member(out, "account", letter.route.account);
  append_member(out, "project", letter.route.project);
  append_member(out, "logstore", letter.route.logstore);
  append_number(out, "shard", std::to_string(letter.route.shard));
  append_member(out, "destination", letter.route.destination);
  append_member(out, "cursor", letter.cursor);
  append_number(out, "index", std::to_string(letter.index));
  append_member(out, "reason", letter.reason);
  append_member(out, "detail", letter.detail);
  if (is_utf8(letter.original)) {
    append_member(out, "original", letter.original);
  } else {
    append_member(out, "original_base64", to_base64(letter.original));
  }
  out += "}\n";
}

std::optional<dead_letter_record> parse_json_line(std::string_view line) {
  scanner in(line);
  record_builder record;
  if (!in.take('{')) return std::nullopt;
  do {
    const auto key = in.string();
    if (!key || !in.take(':')) return std::nullopt;
    if (in.next_is_string()) {
      auto value = in.string();
      if (!value || !record.add_string(*key, *std::move(value))) return std::nullopt;
    } else {
      const auto word = in.word();
      if (!word || !record.add_word(*key, *word)) return std::nullopt;
    }
  } while (in.take(','));
  if (!in.take('}') || !in.at_end()) return std::nullopt;
  return std::move(record).finish();
}

}  // namespace engine
