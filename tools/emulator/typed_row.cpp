#include "typed_row.hpp"

#include <algorithm>
#include <cstring>

#include "json_sax.hpp"
#include "json_text.hpp"

namespace emulator {

const std::array<column, column_count> columns = {{
    {"TimeGenerated", column_kind::time},
    {"acsRegion", column_kind::text},
    {"apiVersion", column_kind::text},
    {"eventCategory", column_kind::text},
    {"eventId", column_kind::text},
    {"eventName", column_kind::text},
    {"eventRW", column_kind::text},
    {"eventSource", column_kind::text},
    {"eventTime", column_kind::text},
    {"eventType", column_kind::text},
    {"eventVersion", column_kind::text},
    {"errorCode", column_kind::text},
    {"errorMessage", column_kind::text},
    {"requestId", column_kind::text},
    {"requestParameterJson", column_kind::text},
    {"resourceName", column_kind::text},
    {"resourceType", column_kind::text},
    {"serviceName", column_kind::text},
    {"sourceIpAddress", column_kind::text},
    {"userAgent", column_kind::text},
    {"isGlobal", column_kind::boolean},
    {"additionalEventData", column_kind::dynamic},
    {"requestParameters", column_kind::dynamic},
    {"responseElements", column_kind::dynamic},
    {"referencedResources", column_kind::dynamic},
    {"eventAttributes", column_kind::dynamic},
    {"userIdentity", column_kind::dynamic},
}};

const std::size_t event_id_column = column_number("eventId");

namespace {

const std::size_t event_time_column = column_number("eventTime");

// The one form. First byte: z null, t true, f false, n number, s string, { object, [ array, r raw text of either.
// n s k (key) are followed by a length of four bytes and the bytes.
void append_sized(std::string& out, char kind, std::string_view bytes) {
  char head[5] = {kind};
  const auto size = static_cast<std::uint32_t>(bytes.size());
  std::memcpy(head + 1, &size, sizeof size);
  out.append(head, sizeof head).append(bytes);
}

constexpr std::size_t sized_head_bytes = 5;

std::string_view sized_bytes(std::string_view value) { return value.substr(sized_head_bytes); }

void append_number(std::string& out, std::string_view token) {
  append_sized(out, beyond_double(token) ? 's' : 'n', token);
}

void append_string(std::string& out, std::string_view decoded) {
  if (const auto number = shielded_number(decoded); !number.empty()) {
    append_number(out, number);
  } else {
    append_sized(out, 's', decoded);
  }
}

std::string_view view(const char* text, rapidjson::SizeType size) { return {text, size}; }

// Writes the one form of whatever passes by. A base: the handlers below decide what passes.
struct canonical_writer {
  std::string* out = nullptr;

  void null() const { *out += 'z'; }
  void boolean(bool b) const { *out += b ? 't' : 'f'; }
  void number(std::string_view token) const { append_number(*out, token); }
  void string(std::string_view decoded) const { append_string(*out, decoded); }
  void key(std::string_view decoded) const { append_sized(*out, 'k', decoded); }
  void bracket(char c) const { *out += c; }
};

class whole_value_handler : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, whole_value_handler> {
 public:
  json_position* position = nullptr;

  explicit whole_value_handler(std::string& out) : writer_{&out} {}

  bool Null() { return writer_.null(), true; }
  bool Bool(bool b) { return writer_.boolean(b), true; }
  bool RawNumber(const char* s, rapidjson::SizeType n, bool) { return writer_.number(view(s, n)), true; }
  bool String(const char* s, rapidjson::SizeType n, bool) { return writer_.string(view(s, n)), true; }
  bool Key(const char* s, rapidjson::SizeType n, bool) { return writer_.key(view(s, n)), true; }
  bool StartObject() { return writer_.bracket('{'), true; }
  bool EndObject(rapidjson::SizeType) { return writer_.bracket('}'), true; }
  bool StartArray() { return writer_.bracket('['), true; }
  bool EndArray(rapidjson::SizeType) { return writer_.bracket(']'), true; }

 private:
  canonical_writer writer_;
};

// Sorts the members of the objects at one depth into columns.
//
// For stored events (object_depth 1, original set) an object or array in a text column is kept as its raw text. For
// bodies (object_depth 2) the text must be an array of objects, and on_row is called at the end of each.
class column_handler : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, column_handler> {
 public:
  json_position* position = nullptr;

  unsigned object_depth = 1;
  std::string_view original;
  std::function<void()> on_row;

  typed_row row;
  bool repeated = false;
  std::size_t members = 0;
  std::optional<std::string_view> value;  // the string under the key `value`

  void begin() {
    depth_ = 0;
    begin_row();
  }

  bool Null() {
    return scalar([](canonical_writer& to) { to.null(); });
  }
  bool Bool(bool b) {
    return scalar([b](canonical_writer& to) { to.boolean(b); });
  }
  bool RawNumber(const char* s, rapidjson::SizeType n, bool) {
    return scalar([&](canonical_writer& to) { to.number(view(s, n)); });
  }
  bool String(const char* s, rapidjson::SizeType n, bool) {
    if (depth_ == object_depth && value_key_) value = view(s, n);
    return scalar([&](canonical_writer& to) { to.string(view(s, n)); });
  }
  bool Key(const char* s, rapidjson::SizeType n, bool) {
    if (depth_ != object_depth) {
      if (writing_) writer_.key(view(s, n));
      return true;
    }
    ++members;
    value_key_ = view(s, n) == "value";
    column_ = column_number(view(s, n));
    writing_ = column_ < column_count;
    if (!writing_) return true;
    repeated = repeated || seen(column_);
    seen_ |= 1U << column_;
    row.values[column_].clear();  // last wins
    writer_.out = &row.values[column_];
    return true;
  }
  bool StartObject() { return open('{'); }
  bool EndObject(rapidjson::SizeType) {
    if (depth_ != object_depth) return close('}');
    --depth_;
    if (on_row) {
      on_row();
      begin_row();
    }
    return true;
  }
  bool StartArray() { return open('['); }
  bool EndArray(rapidjson::SizeType) { return close(']'); }

 private:
  [[nodiscard]] bool seen(std::size_t number) const { return (seen_ >> number & 1U) != 0; }

  void begin_row() {
    for (std::size_t i = 0; i < column_count; ++i) {
      if (seen(i)) row.values[i].clear();
    }
    row.values[time_column].clear();  // also written by coercion
    seen_ = 0;
    repeated = false;
    members = 0;
    value.reset();
    value_key_ = writing_ = false;
  }

  template <class write>
  bool scalar(write what) {
    if (depth_ < object_depth) return false;
    if (writing_) what(writer_);
    return true;
  }

  bool open(char bracket) {
    if (depth_ < object_depth) {
      // Above the rows there is one array; a row, or the event, is an object.
      const bool row_begins = depth_ + 1 == object_depth;
      if ((bracket == '{') != row_begins) return false;
      ++depth_;
      return true;
    }
    if (writing_ && depth_ == object_depth && !original.empty() && columns[column_].kind == column_kind::text) {
      raw_from_ = position->Tell();
      writing_ = false;
    }
    if (writing_) writer_.bracket(bracket);
    ++depth_;
    return true;
  }

  bool close(char bracket) {
    --depth_;
    if (writing_) writer_.bracket(bracket);
    if (raw_from_ && depth_ == object_depth) {
      *writer_.out = 'r';
      writer_.out->append(original.substr(*raw_from_, position->Tell() + 1 - *raw_from_));
      raw_from_.reset();
    }
    return true;
  }

  unsigned depth_ = 0;
  std::size_t column_ = column_count;
  std::uint32_t seen_ = 0;
  bool value_key_ = false;
  bool writing_ = false;
  std::optional<std::size_t> raw_from_;
  canonical_writer writer_;
};

// What a text column holds of any value.
void coerce_to_text(std::string& value) {
  switch (value.empty() ? 'z' : value.front()) {
    case 'z':
      value.clear();
      break;
    case 't':
      value = canonical_string("true");
      break;
    case 'f':
      value = canonical_string("false");
      break;
    case 'n':
      value.front() = 's';
      break;
    case 'r':
      value = canonical_string(unshield(std::string_view(value).substr(1)));
      break;
    default:
      break;
  }
}

void coerce_to_boolean(std::string& value) {
  if (value == canonical_string("true")) value = "t";
  if (value == canonical_string("false")) value = "f";
  if (value != "t" && value != "f") value.clear();
}

void drop_null(std::string& value) {
  if (value == "z") value.clear();
}

// Architecture, "Typed rows".
// True when TimeGenerated is the log's time.
bool coerce(typed_row& row, std::uint32_t log_time_s, std::uint32_t log_time_ns) {
  const std::string& time = row.values[event_time_column];
  std::optional<std::string> instant;
  if (time.starts_with('s')) instant = canonical_instant(sized_bytes(time));
  row.values[time_column] = instant ? *instant : canonical_instant(std::int64_t{log_time_s}, log_time_ns);
  for (std::size_t i = 0; i < column_count; ++i) {
    switch (columns[i].kind) {
      case column_kind::time:
        break;
      case column_kind::text:
        coerce_to_text(row.values[i]);
        break;
      case column_kind::boolean:
        coerce_to_boolean(row.values[i]);
        break;
      case column_kind::dynamic:
        drop_null(row.values[i]);
        break;
    }
  }
  return !instant.has_value();
}

// A received row is taken as it is: a number in a text column stays a number and equals no expected text.
void finish_received(typed_row& row) {
  for (std::string& value : row.values) drop_null(value);
  std::string& time = row.values[time_column];
  if (!time.starts_with('s')) return;
  if (auto instant = canonical_instant(sized_bytes(time))) time = *std::move(instant);
}

}  // namespace

std::size_t column_number(std::string_view name) {
  // By length first: at most seven names share one.
  static const auto by_length = [] {
    std::array<std::array<std::uint8_t, 8>, 24> table{};
    for (auto& line : table) line.fill(column_count);
    for (std::size_t i = 0; i < column_count; ++i) {
      auto& line = table[columns[i].name.size()];
      *std::ranges::find(line, column_count) = static_cast<std::uint8_t>(i);
    }
    return table;
  }();
  if (name.size() >= by_length.size()) return column_count;
  for (const std::uint8_t number : by_length[name.size()]) {
    if (number == column_count || columns[number].name == name) return number;
  }
  return column_count;
}

std::string canonical_string(std::string_view decoded) {
  std::string out;
  append_sized(out, 's', decoded);
  return out;
}

void typed_row::clear() {
  for (std::string& value : values) value.clear();
}

content_hash typed_row::hash() const {
  thread_local std::string joined;
  joined.clear();
  for (const std::string& value : values) append_sized(joined, 'c', value);
  return hash_content(joined);
}

std::string_view typed_row::event_id() const {
  const std::string& value = values[event_id_column];
  return value.size() > sized_head_bytes ? sized_bytes(value) : std::string_view{};
}

struct event_reader::parts {
  column_handler handler;
  std::string scratch;

  json_outcome read(std::string text) {
    mend_surrogates(text);
    scratch = std::move(text);
    handler.begin();
    return parse_in_place(scratch, handler);
  }
};

event_reader::event_reader() : parts_(std::make_unique<parts>()) {}
event_reader::~event_reader() = default;

bool event_reader::read(std::string_view text, std::uint32_t log_time_s, std::uint32_t log_time_ns) {
  column_handler& handler = parts_->handler;
  handler.original = text;
  json_outcome outcome = parts_->read(std::string(text));
  std::string shielded;
  if (outcome == json_outcome::number_refused) {
    shielded = shield_numbers(text);
    handler.original = shielded;
    outcome = parts_->read(shielded);
  }
  if (outcome != json_outcome::ok) {
    handler.row.clear();
    return false;
  }
  used_log_time_ = coerce(handler.row, log_time_s, log_time_ns);
  return true;
}

const typed_row& event_reader::row() const { return parts_->handler.row; }

struct body_reader::parts {
  column_handler handler;
  std::string scratch;
};

body_reader::body_reader() : parts_(std::make_unique<parts>()) { parts_->handler.object_depth = 2; }
body_reader::~body_reader() = default;

bool body_reader::read(const std::function<bool(std::string&)>& fill,
                       const std::function<void(const received_row&)>& visit) {
  column_handler& handler = parts_->handler;
  std::size_t rows = 0;
  std::size_t rows_visited = 0;
  handler.on_row = [&] {
    if (++rows <= rows_visited) return;
    received_row row;
    row.repeated_key = handler.repeated;
    if (handler.members == 1 && handler.value) {
      row.value = handler.value;
    } else {
      finish_received(handler.row);
      row.typed = &handler.row;
    }
    visit(row);
  };
  std::string& body = parts_->scratch;
  if (!fill(body)) return false;
  handler.begin();
  json_outcome outcome = parse_in_place(body, handler);
  if (outcome == json_outcome::number_refused) {
    rows_visited = rows;
    rows = 0;
    if (!fill(body)) return false;
    body = shield_numbers(body);
    handler.begin();
    outcome = parse_in_place(body, handler);
  }
  return outcome == json_outcome::ok;
}

std::optional<std::string> decoded_string(std::string_view token) {
  const auto value = canonical_json(token);
  if (!value || !value->starts_with('s')) return std::nullopt;
  return std::string(sized_bytes(*value));
}

std::optional<std::string> canonical_json(std::string_view text) {
  std::string scratch(text);
  mend_surrogates(scratch);
  std::string out;
  whole_value_handler first(out);
  json_outcome outcome = parse_in_place(scratch, first);
  if (outcome == json_outcome::number_refused) {
    scratch = shield_numbers(text);
    mend_surrogates(scratch);
    out.clear();
    outcome = parse_in_place(scratch, first);
  }
  if (outcome != json_outcome::ok) return std::nullopt;
  return out;
}

}  // namespace emulator
