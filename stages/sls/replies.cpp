#include "stages/sls/replies.hpp"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "stages/http_fields.hpp"

namespace stages::sls {
namespace {

namespace dom = simdjson::dom;

std::optional<std::int64_t> parse_signed(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Times and numbers come as JSON numbers or as texts, by operation and by age of the service.
std::optional<std::int64_t> number_in(const dom::object& object, std::string_view key) {
  std::int64_t number = 0;
  if (object[key].get(number) == simdjson::SUCCESS) return number;
  std::string_view text;
  if (object[key].get(text) == simdjson::SUCCESS) return parse_signed(text);
  return std::nullopt;
}

std::string text_in(const dom::object& object, std::string_view key) {
  std::string_view text;
  if (object[key].get(text) != simdjson::SUCCESS) return {};
  return std::string(text);
}

// One document in memory of its own: simdjson reads past the end of what it is given.
class document {
 public:
  explicit document(engine::byte_view json)
      : error_(json.empty() ? simdjson::EMPTY : parser_.parse(json.data(), json.size(), true).get(root_)) {}

  template <class T>
  [[nodiscard]] std::optional<T> root_as() const {
    T out;
    if (error_ != simdjson::SUCCESS || root_.get(out) != simdjson::SUCCESS) return std::nullopt;
    return out;
  }

 private:
  dom::parser parser_;
  dom::element root_;
  simdjson::error_code error_;
};

}  // namespace

reading<std::vector<shard>> read_shards(engine::byte_view json) {
  const document reply(json);
  const auto array = reply.root_as<dom::array>();
  if (!array) return std::unexpected("the list of shards is not a JSON array");
  std::vector<shard> shards;
  for (const dom::element element : *array) {
    dom::object object;
    if (element.get(object) != simdjson::SUCCESS) return std::unexpected("a shard is not a JSON object");
    const auto id = number_in(object, "shardID");
    if (!id || *id < 0) return std::unexpected("a shard has no usable shardID");
    const bool read_only = http::equals_ignoring_case(text_in(object, "status"), "readonly");
    shards.push_back({.id = *id,
                      .status = read_only ? shard_status::read_only : shard_status::read_write,
                      .begin_key = text_in(object, "inclusiveBeginKey"),
                      .end_key = text_in(object, "exclusiveEndKey"),
                      .create_time_s = number_in(object, "createTime").value_or(0)});
  }
  // Of a shard listed twice the one that may still grow counts.
  std::ranges::sort(shards, {}, [](const shard& s) { return std::pair(s.id, s.status); });
  const auto repeated = std::ranges::unique(shards, {}, &shard::id);
  shards.erase(repeated.begin(), repeated.end());
  return shards;
}

reading<std::string> read_cursor(engine::byte_view json) {
  const document reply(json);
  const auto object = reply.root_as<dom::object>();
  auto cursor = object ? text_in(*object, "cursor") : std::string();
  if (cursor.empty()) return std::unexpected("the reply names no cursor");
  return cursor;
}

reading<std::int64_t> read_cursor_time(engine::byte_view json) {
  const document reply(json);
  const auto object = reply.root_as<dom::object>();
  const auto time = object ? number_in(*object, "cursor_time") : std::nullopt;
  if (!time) return std::unexpected("the reply names no cursor_time");
  return *time;
}

error_body read_error(engine::byte_view json) {
  const document reply(json);
  const auto object = reply.root_as<dom::object>();
  if (!object) return {};
  return {.code = text_in(*object, "errorCode"), .message = text_in(*object, "errorMessage")};
}

reading<pull_announcement> read_announcement(const engine::http_response_head& head, std::string_view asked_cursor) {
  const auto raw_bytes = http::find_header(head, "x-log-bodyrawsize");
  const auto count = http::find_header(head, "x-log-count");
  const auto cursor = http::find_header(head, "x-log-cursor");
  if (!raw_bytes || !count || !cursor) {
    return std::unexpected("the reply lacks x-log-bodyrawsize, x-log-count or x-log-cursor");
  }
  const auto raw_value = http::parse_number(*raw_bytes);
  const auto count_value = http::parse_number(*count);
  if (!raw_value || !count_value) return std::unexpected("x-log-bodyrawsize or x-log-count is not a number");

  pull_announcement out{.content_length = head.content_length.value_or(0),
                        .raw_bytes = *raw_value,
                        .group_count = *count_value,
                        .next_cursor = std::string(*cursor)};
  if (cursor->empty()) {
    if (*raw_value != 0) return std::unexpected("a reply with data has an empty x-log-cursor");
    out.next_cursor = std::string(asked_cursor);
  }
  const auto coding = http::find_header(head, "x-log-compresstype").value_or("");
  if (coding.empty()) {
    out.coding = codec::none;
  } else if (http::equals_ignoring_case(coding, "lz4")) {
    out.coding = codec::lz4;
  } else if (http::equals_ignoring_case(coding, "zstd")) {
    out.coding = codec::zstd;
  } else if (http::equals_ignoring_case(coding, "deflate") || http::equals_ignoring_case(coding, "gzip")) {
    out.coding = codec::deflate;  // both names mean a zlib stream
  } else {
    return std::unexpected("the reply has the unknown x-log-compresstype '" + http::clean_word(coding) + "'");
  }
  return out;
}

pull_hints read_hints(const engine::http_response_head& head) {
  return {.at_end = head.header("x-log-end-of-cursor") == "1",
          .read_last_cursor = parse_signed(head.header("x-log-read-last-cursor")),
          .cursor_time_s = parse_signed(head.header("x-log-cursor-time"))};
}

}  // namespace stages::sls
