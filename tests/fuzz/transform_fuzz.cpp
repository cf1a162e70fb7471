// Any event that parse lets pass becomes, in both formats, a row that another JSON library reads; a value row says the
// event's text again, byte by byte.
// RapidJSON adds to null pointers, which is none of our business here.
#pragma clang attribute push(__attribute__((no_sanitize("undefined"))), apply_to = function)
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
#pragma clang attribute pop

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stages/parse.hpp"
#include "stages/transform.hpp"

namespace {

constexpr std::size_t field_bytes_max = 300;  // small, so that cuts happen

void require(bool holds) {
  if (!holds) std::abort();
}

struct member {
  std::string key;
  std::string text;  // of a string
  bool is_string = false;
};

// The members of the outermost object.
struct member_handler : rapidjson::BaseReaderHandler<rapidjson::UTF8<>, member_handler> {
  std::vector<member> members;
  std::size_t depth = 0;

  bool StartObject() {
    require(depth != 0 || members.empty());
    return ++depth != 0;
  }
  bool EndObject(rapidjson::SizeType) { return depth-- != 0; }
  bool StartArray() { return ++depth > 1; }
  bool EndArray(rapidjson::SizeType) { return depth-- != 0; }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    if (depth == 1) members.push_back({std::string(text, size), {}, false});
    return true;
  }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    if (depth == 1) members.back() = {members.back().key, std::string(text, size), true};
    return depth != 0;
  }
  bool RawNumber(const char*, rapidjson::SizeType, bool) { return depth != 0; }
};

// The members, or nothing for a text beyond RapidJSON.
std::optional<std::vector<member>> read(engine::byte_view text) {
  member_handler handler;
  rapidjson::MemoryStream stream(text.data(), text.size());
  rapidjson::Reader reader;
  // Iterative: depth must not cost the fuzzer its stack. It refuses 0e999, which is a number and zero.
  reader.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag>(stream, handler);
  if (reader.GetParseErrorCode() == rapidjson::kParseErrorNumberTooBig) return std::nullopt;
  require(!reader.HasParseError());
  return handler.members;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stages;
  static parse parser;
  static transform value({.format = row_format::value, .field_bytes_max = field_bytes_max});
  static transform typed({.format = row_format::typed, .field_bytes_max = field_bytes_max});
  const auto block = std::make_unique<char[]>(size + padding_bytes);
  std::copy_n(data, size, block.get());
  std::fill_n(block.get() + size, padding_bytes, ' ');
  log_groups groups;
  groups.groups.emplace_back();
  log_view& log = groups.logs.emplace_back();
  log.time_s = 1;
  log.event = {block.get(), size};
  records events;
  parser(groups, events);
  rows out;

  value(events, out);
  require(out.refs.size() + out.bad.size() == events.events.size());
  if (!out.refs.empty()) {
    const auto row = read(out.row(0));
    require(row && row->size() == 1 && row->front().key == "value" && row->front().is_string);
    const std::string& text = row->front().text;
    require(text.size() <= field_bytes_max);
    require(out.cut.empty() ? text == events.events[0].text : out.cut[0].original == events.events[0].text);
    if (!events.events[0].needs_repair) read(text);
  }

  typed(events, out);
  require(out.refs.size() == events.events.size() && out.bad.empty());
  if (!out.refs.empty()) {
    const auto row = read(out.row(0));  // which takes no lone high surrogate: repair is checked with it
    if (row) {
      require(!row->empty() && row->front().key == "TimeGenerated");
      for (const member& column : *row) require(column.text.size() <= field_bytes_max);
    }
  }
  return 0;
}
