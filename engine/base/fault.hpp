// Classes of failure. Retry, metrics and logs look only at the class; the part that failed knows the exact code.
#pragma once

#include <cstdint>
#include <string_view>

namespace engine {

enum class fault : std::uint8_t {
  transient,     // try again after a backoff: resets, timeouts, 5xx
  throttled,     // the service asks for less: wait as long as it says
  unauthorized,  // credentials or rights: refresh once, then park and probe
  malformed,     // bytes that cannot be what they claim to be
  refused,       // the service or a limit of ours says no to exactly this: an operator or a split can change that
  exhausted,     // a local resource is used up: disk, memory, descriptors
  cancelled,     // we stopped it ourselves
};

// The label used in metrics and logs.
constexpr std::string_view name_of(fault f) {
  switch (f) {
    case fault::transient:
      return "transient";
    case fault::throttled:
      return "throttled";
    case fault::unauthorized:
      return "unauthorized";
    case fault::malformed:
      return "malformed";
    case fault::refused:
      return "refused";
    case fault::exhausted:
      return "exhausted";
    case fault::cancelled:
      return "cancelled";
  }
  return "unknown";
}

}  // namespace engine
