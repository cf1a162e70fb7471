// A bearer token and where it comes from, whatever grant makes it.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/fault.hpp"
#include "engine/base/secret.hpp"
#include "engine/base/units.hpp"
#include "engine/flow/task.hpp"

namespace stages::azure {

struct token {
  engine::secret value;
  std::uint64_t generation = 0;  // grows with every new token of the same source, from 1
};

enum class token_errc : std::uint8_t {
  transport,    // no whole answer
  server_busy,  // 5xx
  throttled,
  rejected,       // the secret is wrong or expired
  misconfigured,  // tenant, application or scope is not known
  bad_reply,
  cancelled,
};
std::string_view name_of(token_errc);
engine::fault fault_of(token_errc);

struct token_failure {
  token_errc code{};
  int status = 0;            // 0 when there was no answer
  std::string error;         // Entra's own word, "invalid_client"; empty when there was none
  std::uint32_t aadsts = 0;  // the number operators search for; 0 when there was none
  std::string message;       // for people; never the secret
  std::optional<engine::duration> retry_after{};
};
inline engine::fault fault_of(const token_failure& f) { return fault_of(f.code); }

// Thread-safe.
class token_source {
 public:
  virtual ~token_source() = default;
  // Asked before every upload; nearly always answers from memory.
  virtual engine::task<std::expected<token, token_failure>> get() = 0;
  // The service answered 401 to the token of this generation. Drops it only while it is the current one: of many
  // uploads refused together one makes the new token and the others find it.
  virtual void invalidate(std::uint64_t generation) = 0;
};

}  // namespace stages::azure
