// One upload to the Logs Ingestion API: a finished body to a receipt.
//
// Input   the body as it goes on the wire, borrowed until the call returned, and a token.
// Output  any 2xx is a receipt: the service has taken the rows over.
// Errors  azure::failure; nothing throws on what the service sends. The reaction never depends on a message's text.
// Limits  one attempt, no retry; the answer is read up to answer_bytes_max.
// Threads any number of uploads at a time, on any threads. What the constructor is given outlives the object.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "engine/flow/ports.hpp"
#include "stages/azure/failure.hpp"
#include "stages/azure/token.hpp"
#include "stages/http_fields.hpp"
#include "stages/types.hpp"

namespace stages::azure {

inline constexpr std::size_t answer_bytes_max = 64 * engine::kib;

struct ingestion_options {
  http::base_url endpoint;
  std::string rule;       // "dcr-" and 32 hexadecimal digits
  std::string stream;     // "Custom-..."
  std::string ca_file{};  // extra trust roots; empty: the system's
  engine::duration connect_max = std::chrono::seconds(10);
  engine::duration answer_max = std::chrono::seconds(60);
  engine::duration stall_max = std::chrono::seconds(30);
};

class logs_ingestion {
 public:
  logs_ingestion(ingestion_options, engine::http_exchange&, engine::clock&, engine::rng&);

  engine::task<std::expected<receipt, failure>> upload(engine::byte_view wire, bool gzip, token);

 private:
  const ingestion_options options_;
  const engine::http_origin origin_;
  const std::string host_;
  const std::string target_;
  engine::http_exchange& exchange_;
  engine::clock& clock_;
  engine::rng& rng_;
};

}  // namespace stages::azure
