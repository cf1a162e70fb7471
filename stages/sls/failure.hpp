// Why a call to SLS gave no result.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/fault.hpp"
#include "engine/base/units.hpp"
#include "engine/flow/http_message.hpp"
#include "stages/types.hpp"

namespace stages::sls {

// One value per reaction; the service's own word is kept beside it for people.
enum class errc : std::uint8_t {
  transport,     // no whole answer: failure::transport tells the phase
  server_busy,   // 5xx, or a logstore whose shards are not there yet
  throttled,     // a read or metadata quota
  unauthorized,  // the key or token was not accepted
  forbidden,     // the key is good but may not do this, or the project is closed
  not_found_project,
  not_found_logstore,
  shard_gone,       // list the shards again
  invalid_cursor,   // expired or of another shard: begin again at the oldest data kept
  clock_skew,       // still, after one correction
  group_not_found,  // the consumer group does not exist
  group_exists,
  lost_ownership,     // this consumer does not hold the shard (any more)
  bad_reply,          // an answer without the headers or the JSON it must have
  bad_request,        // the service does not understand us; an error of ours or of the configuration
  refused_by_caller,  // the block did not fit: failure::announcement tells its size
  cancelled,
};
std::string_view name_of(errc);
engine::fault fault_of(errc);

// What the head of a pull answer says before any of the body is read.
struct pull_announcement {
  std::uint64_t content_length = 0;
  std::uint64_t raw_bytes = 0;
  std::uint64_t group_count = 0;
  std::string next_cursor;
  codec coding = codec::none;
};

struct failure {
  errc code{};
  int status = 0;            // 0 when there was no answer
  std::string service_code;  // errorCode as sent, cut to safe characters; empty when there was none
  std::string message;       // for people; holds no key and no token, whatever the service sent
  std::string request_id;    // x-log-requestid, for a support case
  std::optional<engine::duration> retry_after{};
  std::optional<engine::http_errc> transport{};     // with errc::transport
  std::optional<pull_announcement> announcement{};  // with errc::refused_by_caller
};
inline engine::fault fault_of(const failure& f) { return fault_of(f.code); }

// The reaction to an error answer. `service_code` empty (a proxy's page, say): by status alone.
errc classify(int status, std::string_view service_code, std::string_view service_message);

}  // namespace stages::sls
