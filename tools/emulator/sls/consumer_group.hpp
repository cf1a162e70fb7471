// A consumer group: which consumer works on which shard, and how far each shard is done. Pure: time is an argument.
//
// Rules (docs: the service's published state machine). A shard is
//   wait           an in-order group, and an ancestor is not finished
//   not_alloc      consumable, without owner
//   already_alloc  owned
//   transfer       being taken from its owner for a chosen next one: left out of the owner's heartbeat reply; it moves
//   when
//                  the owner's heartbeat no longer lists it
//   over           readonly and checkpointed at its end
// Live consumers' counts of consumable shards differ by at most one.
//
// Thread rules: none of its own; the logstore serialises calls.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sls_error.hpp"

namespace emulator::sls {

using time_point = std::chrono::system_clock::time_point;

struct shard_facts {
  std::int64_t id = 0;
  bool readonly = false;
  std::int64_t end_cursor = 0;        // integer of the cursor behind its last group
  std::vector<std::int64_t> parents;  // shards it was made from
};

struct shard_checkpoint {
  std::int64_t shard = 0;
  std::string checkpoint;  // as written; empty when never written
  std::int64_t update_time_us = 0;
  std::string consumer;
};

class consumer_group {
 public:
  enum class shard_state : std::uint8_t { wait, not_alloc, already_alloc, transfer, over };

  consumer_group(std::chrono::seconds timeout, bool order) : timeout_(timeout), order_(order) {}

  [[nodiscard]] std::chrono::seconds timeout() const { return timeout_; }
  [[nodiscard]] bool order() const { return order_; }
  void set_timeout(std::chrono::seconds timeout) { timeout_ = timeout; }
  // Off releases every waiting shard; on concerns only shards that come later.
  void set_order(bool order);

  // Brings the shard list up to date; call it before any of the others.
  void know_shards(const std::vector<shard_facts>&);
  // Removes consumers that were silent for longer than the timeout. Part of heartbeat() too.
  void expire(time_point now);

  // The shards the consumer may work on, ascending. An unknown consumer registers with an empty list; with any other it
  // is refused with NotExistConsumerWithBody.
  outcome<std::vector<std::int64_t>> heartbeat(std::string_view consumer, const std::vector<std::int64_t>& working_on,
                                               time_point now);
  // consumer may be empty only with force.
  outcome<void> checkpoint(std::string_view consumer, std::int64_t shard, std::string_view cursor, bool force,
                           time_point now);
  // All shards, or the one asked for (nothing when it is unknown).
  [[nodiscard]] std::vector<shard_checkpoint> checkpoints(std::optional<std::int64_t> shard) const;

  [[nodiscard]] shard_state state_of(std::int64_t shard) const { return shards_.at(shard).state; }

 private:
  struct entry {
    shard_facts facts;
    shard_state state = shard_state::not_alloc;
    std::string owner;       // already_alloc, transfer
    std::string next_owner;  // transfer
    shard_checkpoint done;
  };

  [[nodiscard]] bool ancestors_over(const shard_facts&) const;
  // Whom a shard counts for: its next owner once it is in transfer.
  [[nodiscard]] static const std::string& counts_for(const entry&);
  void release_waiting();
  void rebalance();

  std::chrono::seconds timeout_;
  bool order_;
  std::map<std::string, time_point, std::less<>> consumers_;  // last heartbeat
  std::map<std::int64_t, entry> shards_;
};

}  // namespace emulator::sls
