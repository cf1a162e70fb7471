// Why an upload gave no receipt.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/fault.hpp"
#include "engine/base/units.hpp"

namespace stages::azure {

enum class errc : std::uint8_t {
  too_large,            // 413 and what means the same: split, never resend as it is
  throttled,            // 429, and 503 that says when to come back
  unauthorized,         // 401: the token
  forbidden,            // 403: no role on the rule, or not effective yet
  not_found,            // 404: the rule, or the endpoint of another region
  invalid_stream,       // the rule does not have the stream (yet)
  time_span,            // the rows' times lie more than 30 minutes apart: split by time
  bad_rows,             // any other 400: bisect to find the row
  server_error,         // 408 and 5xx
  unexpected_status,    // something answers that is not this API: a proxy, a wrong address
  transport_not_sent,   // the service cannot have seen the request
  transport_ambiguous,  // the request left; whether the rows were taken is not known
  cancelled,
};
std::string_view name_of(errc);
engine::fault fault_of(errc);

struct failure {
  errc code{};
  int status = 0;                 // 0 when there was no answer
  std::string service_code;       // of the header or the body, cut to safe characters; empty when there was none
  std::string message;            // for people; no token and no event text
  std::string request_id;         // the service's, else empty
  std::string client_request_id;  // ours, as sent
  std::optional<engine::duration> retry_after{};
  bool maybe_taken = false;  // the rows may be in the table all the same: sending again may double them
};
inline engine::fault fault_of(const failure& f) { return fault_of(f.code); }

// The reaction to an error answer. The code is the service's, from header or body.
errc classify(int status, std::string_view service_code, bool has_retry_after);

}  // namespace stages::azure
