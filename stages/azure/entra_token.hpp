// Tokens of Entra ID by client secret: asked for once, kept, renewed in time.
//
// Renewal begins 5 minutes before the end (earlier by a random minute, so that many processes do not come together; or
// when the service says so). It is done by one caller, who waits for it; the others go on with the old token while it
// lives and wait only when there is none. A failure is remembered for 5 s, then 10 s, up to 5 minutes: meanwhile the
// old token is used while it lives, and without one every caller gets the same failure at once.
//
// Threads any number of calls, on any threads. Expiry is told by the monotonic clock: a clock that is set does not
// matter. What the constructor is given outlives the object, and the object outlives every get().
#pragma once

#include <cstdint>
#include <expected>
#include <mutex>
#include <optional>
#include <string>

#include "engine/base/secret.hpp"
#include "engine/flow/ports.hpp"
#include "engine/flow/signal.hpp"
#include "stages/azure/token.hpp"
#include "stages/http_fields.hpp"

namespace stages::azure {

inline constexpr auto renew_before_end = std::chrono::minutes(5);
inline constexpr auto renew_spread_max = std::chrono::minutes(1);
inline constexpr auto failure_memory_first = std::chrono::seconds(5);
inline constexpr auto failure_memory_max = std::chrono::minutes(5);

struct entra_options {
  http::base_url authority;  // of the cloud (cloud.hpp), or an operator's own
  std::string audience;      // "https://monitor.azure.com"
  std::string tenant;        // GUID or domain name
  std::string client_id;
  engine::secret client_secret;
  std::string ca_file{};  // extra trust roots; empty: the system's
  engine::duration connect_max = std::chrono::seconds(10);
  engine::duration answer_max = std::chrono::seconds(10);
  engine::duration stall_max = std::chrono::seconds(10);
};

class entra_token final : public token_source {
 public:
  entra_token(entra_options, engine::http_exchange&, engine::clock&, engine::rng&);

  engine::task<std::expected<token, token_failure>> get() override;
  void invalidate(std::uint64_t generation) override;

 private:
  struct kept_token {
    token current;
    engine::time_point renew_at;
    engine::time_point ends_at;
    bool dropped = false;  // the service refused it
  };
  struct kept_failure {
    token_failure what;
    engine::time_point until;
    unsigned in_a_row = 0;
  };
  struct fresh_token {
    engine::secret value;
    engine::time_point renew_at;
    engine::time_point ends_at;
  };

  // What get() can answer now; nullopt: it must renew (renewing_ was set for this caller) or wait.
  std::optional<std::expected<token, token_failure>> answer_now(bool& mine);
  void end_renewal(std::expected<fresh_token, token_failure>);
  void forget_renewal();
  engine::task<std::expected<fresh_token, token_failure>> renew();
  [[nodiscard]] fresh_token dated(engine::secret value, engine::duration life,
                                  std::optional<engine::duration> refresh_in, engine::time_point asked_at);
  [[nodiscard]] token_failure refusal(const engine::http_response&) const;

  const entra_options options_;
  engine::http_exchange& exchange_;
  engine::clock& clock_;
  engine::rng& rng_;

  std::mutex mutex_;
  std::optional<kept_token> token_;
  std::optional<kept_failure> failure_;
  std::uint64_t generation_ = 0;
  bool renewing_ = false;
  engine::signal renewed_;  // a renewal ended, well or not
};

}  // namespace stages::azure
