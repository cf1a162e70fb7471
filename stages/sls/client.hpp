// The calls of SLS that reading a logstore takes, one attempt each: the caller decides about trying again.
//
// Input   names and positions as values; credentials are asked for a key before every attempt.
// Output  what the service said, checked; or a failure with the reaction it calls for.
// Errors  sls::failure; nothing throws on what the service sends.
// Limits  JSON answers json_bytes_max, error answers error_bytes_max; a block's size is the caller's decision.
// Clock   one correction: when the service finds our time wrong and the answer came over verified TLS, the next attempt
//         follows at once, signed with the service's time. The offset stays with this client and serves for nothing
//         else.
// Threads any number of calls at a time, on any threads. What the constructor is given outlives the client.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "engine/flow/ports.hpp"
#include "stages/http_fields.hpp"
#include "stages/sls/credentials.hpp"
#include "stages/sls/failure.hpp"
#include "stages/sls/replies.hpp"
#include "stages/sls/signature.hpp"

namespace stages::sls {

inline constexpr std::size_t json_bytes_max = engine::mib;
inline constexpr std::size_t error_bytes_max = 64 * engine::kib;
inline constexpr unsigned pull_groups_max = 1000;  // the service's own limit on `count`
inline constexpr auto clock_offset_max = std::chrono::hours(24);

// One project behind one endpoint: one host on the wire.
struct client_options {
  http::base_url endpoint;  // without the project; a path is ignored
  std::string region;       // empty: V1 signatures
  std::string project;
  std::string ca_file{};      // extra trust roots; empty: the system's
  codec accept = codec::lz4;  // the coding asked for; any known one is taken when it comes
  engine::duration connect_max = std::chrono::seconds(10);
  engine::duration answer_max = std::chrono::seconds(30);
  engine::duration stall_max = std::chrono::seconds(30);
};

enum class edge : std::uint8_t { begin, end };  // the oldest data kept; where the next data will be written
struct receive_time {
  std::int64_t unix_s = 0;
};
using cursor_start = std::variant<edge, receive_time>;

struct pull_request {
  std::string logstore;
  std::int64_t shard = 0;
  std::string cursor;
  unsigned count = pull_groups_max;  // LogGroups, 1 to pull_groups_max
  std::string end_cursor;            // empty: none; reading stops before it
};

struct pull_reply {
  fetched_block block;  // without bytes when there was no data
  pull_hints hints;
  std::string request_id;
};

// Gives the buffer for an announced block, with a capacity of content_length at least; nullopt refuses the block.
// Called at most once for a pull, and only for one with data.
using on_announcement = std::move_only_function<std::optional<engine::buffer>(const pull_announcement&)>;

class client {
 public:
  client(client_options, engine::http_exchange&, engine::clock&, credentials&);

  engine::task<std::expected<std::vector<shard>, failure>> list_shards(std::string logstore);
  engine::task<std::expected<std::string, failure>> get_cursor(std::string logstore, std::int64_t shard, cursor_start);
  // When the LogGroup at the cursor was received, in Unix seconds.
  engine::task<std::expected<std::int64_t, failure>> get_cursor_time(std::string logstore, std::int64_t shard,
                                                                     std::string cursor);
  engine::task<std::expected<pull_reply, failure>> pull_logs(pull_request, on_announcement);

  // What the service's clock is ahead of ours, as far as a correction was needed.
  [[nodiscard]] std::chrono::milliseconds clock_offset() const { return std::chrono::milliseconds(offset_ms_.load()); }
  [[nodiscard]] const engine::http_origin& origin() const { return origin_; }

 private:
  // A signed request and its 200 answer. `headers_step` is called for 200 answers with a body of known length and
  // outlives the call.
  engine::task<std::expected<engine::http_response, failure>> send(unsigned_request, engine::on_headers* headers_step);
  engine::task<std::expected<engine::http_response, failure>> send_json(unsigned_request);
  [[nodiscard]] unsigned_request request_for(std::string path, query_fields) const;
  bool correct_clock(const engine::http_response_head&);

  const client_options options_;
  const engine::http_origin origin_;
  const std::string host_;
  engine::http_exchange& exchange_;
  engine::clock& clock_;
  credentials& credentials_;
  std::atomic<std::int64_t> offset_ms_ = 0;
};

}  // namespace stages::sls
