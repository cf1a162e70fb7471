#include "stages/azure/failure.hpp"

#include "stages/http_fields.hpp"

namespace stages::azure {

std::string_view name_of(errc code) {
  switch (code) {
    case errc::too_large:
      return "too_large";
    case errc::throttled:
      return "throttled";
    case errc::unauthorized:
      return "unauthorized";
    case errc::forbidden:
      return "forbidden";
    case errc::not_found:
      return "not_found";
    case errc::invalid_stream:
      return "invalid_stream";
    case errc::time_span:
      return "time_span";
    case errc::bad_rows:
      return "bad_rows";
    case errc::server_error:
      return "server_error";
    case errc::unexpected_status:
      return "unexpected_status";
    case errc::transport_not_sent:
      return "transport_not_sent";
    case errc::transport_ambiguous:
      return "transport_ambiguous";
    case errc::cancelled:
      return "cancelled";
  }
  return "unknown";
}

engine::fault fault_of(errc code) {
  using engine::fault;
  switch (code) {
    case errc::throttled:
      return fault::throttled;
    case errc::unauthorized:
    case errc::forbidden:
      return fault::unauthorized;
    case errc::too_large:
    case errc::not_found:
    case errc::invalid_stream:
    case errc::time_span:
    case errc::bad_rows:
    case errc::unexpected_status:
      return fault::refused;
    case errc::server_error:
    case errc::transport_not_sent:
    case errc::transport_ambiguous:
      return fault::transient;
    case errc::cancelled:
      return fault::cancelled;
  }
  return fault::refused;
}

errc classify(int status, std::string_view service_code, bool has_retry_after) {
  const auto is = [service_code](std::string_view name) { return http::equals_ignoring_case(service_code, name); };
  // The limit after decompression is told by its code; under which status is not documented. Sent again as it is, such
  // a body is never taken.
  if (status == 413) return errc::too_large;
  if (status >= 400 && (is("ContentLengthLimitExceeded") || is("PayloadSizeLimitExceeded"))) return errc::too_large;
  if (status == 429) return errc::throttled;
  if (status == 503 && has_retry_after) return errc::throttled;
  if (status >= 500 || status == 408) return errc::server_error;
  switch (status) {
    case 401:
      return errc::unauthorized;
    case 403:
      return errc::forbidden;
    case 404:
      return errc::not_found;
    case 400:
      break;
    default:
      return errc::unexpected_status;
  }
  if (is("InvalidStream")) return errc::invalid_stream;
  if (is("RecordsTimeRangeIsMoreThan30Minutes")) return errc::time_span;
  return errc::bad_rows;
}

}  // namespace stages::azure
