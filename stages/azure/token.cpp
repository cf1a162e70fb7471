#include "stages/azure/token.hpp"

namespace stages::azure {

std::string_view name_of(token_errc code) {
  switch (code) {
    case token_errc::transport:
      return "transport";
    case token_errc::server_busy:
      return "server_busy";
    case token_errc::throttled:
      return "throttled";
    case token_errc::rejected:
      return "rejected";
    case token_errc::misconfigured:
      return "misconfigured";
    case token_errc::bad_reply:
      return "bad_reply";
    case token_errc::cancelled:
      return "cancelled";
  }
  return "unknown";
}

engine::fault fault_of(token_errc code) {
  switch (code) {
    case token_errc::transport:
    case token_errc::server_busy:
      return engine::fault::transient;
    case token_errc::throttled:
      return engine::fault::throttled;
    case token_errc::rejected:
    case token_errc::misconfigured:
      return engine::fault::unauthorized;
    case token_errc::bad_reply:
      return engine::fault::malformed;
    case token_errc::cancelled:
      return engine::fault::cancelled;
  }
  return engine::fault::malformed;
}

}  // namespace stages::azure
