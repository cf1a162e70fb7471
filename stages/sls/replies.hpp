// Readers of what SLS answers: JSON bodies and the headers of a pull. Pure; bytes of any kind give a value or an error.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/bytes.hpp"
#include "engine/flow/http_message.hpp"
#include "stages/sls/failure.hpp"

namespace stages::sls {

enum class shard_status : std::uint8_t {
  read_write,  // and every status this version does not know: such a shard is never taken for finished
  read_only,   // gets no new data; done once it is read to its end
};

struct shard {
  std::int64_t id = 0;
  shard_status status{};
  std::string begin_key;
  std::string end_key;
  std::int64_t create_time_s = 0;  // 0 when the service does not say
};

// The errors are sentences for people.
template <class T>
using reading = std::expected<T, std::string>;

reading<std::vector<shard>> read_shards(engine::byte_view json);  // by id, each id once
reading<std::string> read_cursor(engine::byte_view json);
reading<std::int64_t> read_cursor_time(engine::byte_view json);  // Unix seconds of receipt

struct error_body {
  std::string code;  // as sent; empty when the body is not what SLS sends
  std::string message;
};
error_body read_error(engine::byte_view json);

// The head of a 200 answer to a pull. `asked_cursor` is kept when there is no data and the service names no next one.
reading<pull_announcement> read_announcement(const engine::http_response_head&, std::string_view asked_cursor);

// What else the head tells; a service may leave all of it out.
struct pull_hints {
  bool at_end = false;                             // no more data now
  std::optional<std::int64_t> read_last_cursor{};  // number of the last LogGroup read
  std::optional<std::int64_t> cursor_time_s{};
};
pull_hints read_hints(const engine::http_response_head&);

}  // namespace stages::sls
