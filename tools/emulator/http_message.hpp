// One HTTP request and its answer as values: what the emulated services see of the wire.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace emulator {

// Header fields in the order received; names lower-cased on the way in, values as sent.
using header_list = std::vector<std::pair<std::string, std::string>>;

struct request {
  std::string method;                                      // "GET", as sent
  std::string target;                                      // origin form, as sent: path and query still percent-encoded
  std::string path;                                        // the part of target before '?', still percent-encoded
  std::vector<std::pair<std::string, std::string>> query;  // names and values percent-decoded ('+' is a space)
  header_list headers;
  std::string body;  // after transfer decoding; content coding left as sent

  // Empty when absent. name must be lower case.
  [[nodiscard]] std::string_view header(std::string_view name) const;
  [[nodiscard]] bool has_header(std::string_view name) const;
  [[nodiscard]] std::string_view query_value(std::string_view name) const;
  [[nodiscard]] bool has_query(std::string_view name) const;
};

// What happens to the connection and the bytes besides the plain answer; the server carries it out.
enum class delivery : std::uint8_t { normal, close_without_answer, send_then_close };

struct response {
  int status = 200;
  header_list headers;                      // Content-Length is added by the server
  std::shared_ptr<const std::string> body;  // null: empty. Shared: precomputed replies are served many times
  delivery how = delivery::normal;
  std::chrono::milliseconds hold{0};  // the answer waits this long before its first byte (fault `stall`)
  std::chrono::milliseconds drip{0};  // > 0: the body is spread over this time (fault `slow`)

  void set(std::string name, std::string value) { headers.emplace_back(std::move(name), std::move(value)); }
  void text(std::string value) { body = std::make_shared<const std::string>(std::move(value)); }
};

// Sets target, path and query from a request target in origin form or absolute form ("http://host/path?query").
void set_target(request&, std::string_view target);

// Form decoding: %XX and, where plus_is_space, '+'. A '%' not followed by two hex digits stands for itself.
std::string percent_decode(std::string_view text, bool plus_is_space);
// "a=b&c" to pairs, decoded; a name without '=' has an empty value.
std::vector<std::pair<std::string, std::string>> decode_form(std::string_view text);
// The path's segments, decoded: "/a/b%20c" is {"a", "b c"}, "/" is empty.
std::vector<std::string> path_segments(std::string_view path);
// A JSON string literal with its quotes. Bytes that are not UTF-8 are replaced by U+FFFD.
std::string json_quoted(std::string_view text);

}  // namespace emulator
