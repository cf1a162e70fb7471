#include "bench/plain_rows.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "stages/event_time.hpp"
#include "stages/row_columns.hpp"
#include "tools/emulator/json_text.hpp"

namespace bench {
namespace {

using json = nlohmann::ordered_json;
using simdjson::dom::element;
using simdjson::dom::element_type;
using stages::column_kind;
using column_elements = std::array<std::optional<element>, stages::column_count>;

std::size_t column_number(std::string_view name) {
  static const auto numbers = [] {
    std::unordered_map<std::string_view, std::size_t> out;
    for (std::size_t c = 0; c < stages::column_count; ++c) out.emplace(stages::row_columns[c].name, c);
    return out;
  }();
  const auto at = numbers.find(name);
  return at == numbers.end() ? stages::column_count : at->second;
}

struct spelling {
  bool kept = true;       // dump() will write the tokens that came
  bool has_zero = false;  // simdjson makes -0 a 0
};

json copy_of(element from, spelling& found) {
  switch (from.type()) {
    case element_type::OBJECT: {
      json out = json::object();
      for (const auto& [key, value] : simdjson::dom::object(from)) {
        const bool fresh = out.emplace(std::string(key), copy_of(value, found)).second;
        found.kept = found.kept && fresh;
      }
      return out;
    }
    case element_type::ARRAY: {
      json out = json::array();
      for (const element value : simdjson::dom::array(from)) out.push_back(copy_of(value, found));
      return out;
    }
    case element_type::STRING:
      return std::string(std::string_view(from));
    case element_type::INT64:
      found.has_zero = found.has_zero || std::int64_t(from) == 0;
      return std::int64_t(from);
    case element_type::UINT64:
      return std::uint64_t(from);
    case element_type::BOOL:
      return bool(from);
    case element_type::NULL_VALUE:
      return nullptr;
    case element_type::DOUBLE:
      found.kept = false;
      return double(from);
  }
  return nullptr;
}

bool has_minus_zero(std::string_view text) {
  for (std::size_t at = text.find("-0"); at != text.npos; at = text.find("-0", at + 1)) {
    if (at + 2 < text.size() && std::string_view(",]} \t\r\n").contains(text[at + 2])) return true;
  }
  return false;
}

std::string time_generated(const std::optional<element>& event_time, std::uint32_t time_s, std::uint32_t time_ns) {
  stages::time_text scratch;
  if (event_time && event_time->is_string()) {
    if (const auto utc = stages::utc_time(std::string_view(*event_time), scratch)) return std::string(*utc);
  }
  return std::string(stages::log_time(time_s, time_ns, scratch));
}

// Puts the column into the row. False when its raw token is needed for that.
bool put_dynamic(std::string_view name, element value, std::string_view text, json& row) {
  spelling found;
  json copy = copy_of(value, found);
  if (!found.kept || (found.has_zero && has_minus_zero(text))) return false;
  row[std::string(name)] = std::move(copy);
  return true;
}

bool put_text(std::string_view name, element value, json& row) {
  std::string text;
  switch (value.type()) {
    case element_type::NULL_VALUE:
      return true;
    case element_type::STRING:
      text = std::string_view(value);
      break;
    case element_type::BOOL:
      text = bool(value) ? "true" : "false";
      break;
    case element_type::INT64:
      if (std::int64_t(value) == 0) return false;  // perhaps it was -0
      text = std::to_string(std::int64_t(value));
      break;
    case element_type::UINT64:
      text = std::to_string(std::uint64_t(value));
      break;
    default:
      return false;
  }
  row[std::string(name)] = std::move(text);
  return true;
}

void put_boolean(std::string_view name, element value, json& row) {
  if (value.is_bool()) row[std::string(name)] = bool(value);
  if (!value.is_string()) return;
  const std::string_view word(value);
  if (word == "true" || word == "false") row[std::string(name)] = word == "true";
}

bool put_column(std::size_t c, element value, std::string_view text, json& row) {
  const auto [name, kind] = stages::row_columns[c];
  if (kind == column_kind::dynamic) return put_dynamic(name, value, text, row);
  if (kind == column_kind::text) return put_text(name, value, row);
  put_boolean(name, value, row);
  return true;
}

std::string_view raw_token(simdjson::ondemand::value value) {
  std::string_view token;  // up to the next one
  if (value.type() == simdjson::ondemand::json_type::object) {
    simdjson::ondemand::object object = value.get_object();
    token = object.raw_json();
  } else if (value.type() == simdjson::ondemand::json_type::array) {
    simdjson::ondemand::array array = value.get_array();
    token = array.raw_json();
  } else {
    token = value.raw_json_token();
  }
  return token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
}

using raw_column_tokens = std::array<std::string, stages::column_count>;

// The last one wins, as in the DOM's pass. `readable` is what the DOM took: the text, or the text mended.
raw_column_tokens raw_tokens(simdjson::ondemand::parser& parser, const std::string& text, const std::string& readable) {
  raw_column_tokens out;
  const simdjson::padded_string padded(readable);
  simdjson::ondemand::document document = parser.iterate(padded);
  for (auto field : document.get_object()) {
    const std::size_t c = column_number(field.unescaped_key());
    if (c == stages::column_count) continue;
    const std::string_view token = raw_token(field.value());
    out[c] =
        text.substr(static_cast<std::size_t>(token.data() - padded.data()), token.size());  // mending moves nothing
  }
  return out;
}

// The row with those columns too.
std::string with_raw(json row, const std::vector<std::size_t>& raw_columns, const raw_column_tokens& tokens) {
  std::string dynamic;
  for (const std::size_t c : raw_columns) {
    const std::string name(stages::row_columns[c].name);
    if (stages::row_columns[c].kind == column_kind::text) {
      row[name] = tokens[c];
    } else {
      std::string token = tokens[c];
      emulator::mend_surrogates(token);
      dynamic += ",\"" + name + "\":" + token;
    }
  }
  std::string out = row.dump();
  out.insert(out.size() - 1, dynamic);
  return out;
}

}  // namespace

std::optional<std::string> plain_rows::operator()(const std::string& text, std::uint32_t time_s,
                                                  std::uint32_t time_ns) {
  if (text.size() > text_bytes_max) return std::nullopt;
  element event;
  std::string mended;
  const std::string* readable = &text;
  if (parser_.parse(text).get(event) != simdjson::SUCCESS) {
    mended = text;  // a name cut within a surrogate pair: JSON by its grammar, but a DOM refuses it
    emulator::mend_surrogates(mended);
    readable = &mended;
    if (parser_.parse(mended).get(event) != simdjson::SUCCESS) return std::nullopt;
  }
  if (!event.is_object()) return std::nullopt;

  column_elements columns;
  for (const auto& [key, value] : simdjson::dom::object(event)) {
    if (const std::size_t c = column_number(key); c < stages::column_count) columns[c] = value;
  }
  json row = json::object();
  row["TimeGenerated"] = time_generated(columns[stages::index_of(stages::column::eventTime)], time_s, time_ns);
  std::vector<std::size_t> raw_columns;
  for (std::size_t c = 0; c < stages::column_count; ++c) {
    if (columns[c] && !put_column(c, *columns[c], text, row)) raw_columns.push_back(c);
  }
  if (raw_columns.empty()) return row.dump();
  return with_raw(std::move(row), raw_columns, raw_tokens(raw_parser_, text, *readable));
}

}  // namespace bench
