// fetch: one shard's position to its next block: the pull that leases its memory first.
//
// Input   a cursor, and optionally the cursor to stop at.
// Output  a block with the lease that pays for it; or no data, with the cursor to go on from.
// Errors  fetch_failure; the position never moves on a failure.
// Limits  a block is at most half the budget; above that fewer groups are asked for, down to one. An announced reply
//         that does not fit the prediction is refused before its body is read, the announced size is acquired in one
//         step, and exactly that reply is pulled again (rare: penstock_replies_refused_total).
// Order   one call at a time per shard. Budget first, then the fetch permit, then the connection; never backwards.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "engine/base/buffer_pool.hpp"
#include "engine/flow/budget.hpp"
#include "engine/flow/permits.hpp"
#include "engine/flow/ports.hpp"
#include "stages/sls/client.hpp"
#include "stages/telemetry.hpp"

namespace stages {

struct fetch_limits {
  unsigned groups_max = 1000;                           // --pull-groups
  std::size_t block_plain_bytes_aim = 2 * engine::mib;  // about 1,000 events: what later stages work best with
};

struct fetched {
  fetched_block block;  // empty bytes: nothing new at this position
  engine::budget::lease lease;
  bool at_end = false;  // the shard had no more when it answered
};

struct fetch_failure {
  enum class kind : std::uint8_t { service, too_large, closed };
  kind what = kind::service;
  sls::failure service;  // kind::service
  std::size_t memory_limit_needed =
      0;  // kind::too_large: a single group is this big that --memory-limit must be at least this
};

class fetch {
 public:
  fetch(const fetch_limits&, engine::clock&, sls::client&, engine::budget&, engine::permits&, engine::buffer_pool&,
        telemetry&, account_meter&);

  // `groups`: how many to ask for at most (1 after a reply that did not decode), 0: as learnt from earlier replies.
  engine::task<std::expected<fetched, fetch_failure>> operator()(std::string logstore, std::int64_t shard,
                                                                 std::string cursor, std::string end_cursor,
                                                                 engine::budget_holder, unsigned groups);
  // Where a shard begins, ends, or stood at a time.
  engine::task<std::expected<std::string, fetch_failure>> cursor_at(std::string logstore, std::int64_t shard,
                                                                    sls::cursor_start, engine::cpu_flow);

 private:
  [[nodiscard]] unsigned groups_to_ask() const;
  [[nodiscard]] std::size_t plan_again(const sls::pull_announcement& refused, sls::pull_request&);
  [[nodiscard]] std::size_t learn(const fetched_block&);
  // What a reply needs until its rows are in a body: itself, its plain bytes, and its rows, which are at most a sixth
  // larger.
  static std::size_t cost_of(std::uint64_t content_length, std::uint64_t plain_bytes);

  const fetch_limits limits_;
  engine::clock& clock_;
  sls::client& client_;
  engine::budget& budget_;
  engine::permits& permits_;
  engine::buffer_pool& buffers_;
  telemetry& telemetry_;
  account_meter& account_;
  double plain_bytes_per_group_ = 0;  // running mean; 0: nothing seen yet
  std::size_t predicted_bytes_;
};

}  // namespace stages
