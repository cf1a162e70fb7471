// Readers of what Entra and the Logs Ingestion API answer. Pure; bytes of any kind give a value or an error.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/bytes.hpp"
#include "engine/base/secret.hpp"
#include "engine/base/units.hpp"

namespace stages::azure {

// Longest life that is believed: managed identities serve tokens of up to a day.
inline constexpr auto token_life_max = std::chrono::hours(24);
inline constexpr std::size_t token_bytes_max = 16 * engine::kib;

struct token_reply {
  engine::secret value;                          // characters that may stand in a header, no others
  engine::duration life{};                       // > 0, at most token_life_max
  std::optional<engine::duration> refresh_in{};  // when the service wants it renewed; less than life
};
// The error is a sentence for people.
std::expected<token_reply, std::string> read_token(engine::byte_view json);

struct token_error {
  std::string error;  // cut to safe characters
  std::uint32_t aadsts = 0;
};
token_error read_token_error(engine::byte_view json);

// `error.code` of an error body in the shape of Azure Resource Manager; empty when the body is of another kind.
struct ingestion_error {
  std::string code;     // as sent
  std::string message;  // as sent
};
ingestion_error read_ingestion_error(engine::byte_view json);

}  // namespace stages::azure
