// Readers of what Entra and the Logs Ingestion API answer.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "stages/azure/failure.hpp"
#include "stages/azure/replies.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);

  if (const auto token = stages::azure::read_token(input)) {
    require(token->life > engine::duration::zero() && token->life <= stages::azure::token_life_max);
    require(!token->refresh_in || *token->refresh_in < token->life);
    require(!token->value.empty() && token->value.reveal().size() <= stages::azure::token_bytes_max);
    for (const char c : token->value.reveal()) require(c > ' ' && c <= '~');
  }
  const auto refused = stages::azure::read_token_error(input);
  require(refused.error.size() <= 64);

  const auto error = stages::azure::read_ingestion_error(input);
  for (const int status : {302, 400, 401, 413, 503}) {
    require(stages::azure::name_of(stages::azure::classify(status, error.code, false)) != "unknown");
  }
  return 0;
}
