// A logstore: its shards, how they divide the hash space, and its consumer groups.
//
// Shards are never removed, so a pointer to one stays valid as long as the logstore.
// Thread rules: every function may be called from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "consumer_group.hpp"
#include "hash_range.hpp"
#include "shard.hpp"
#include "sls_error.hpp"

namespace emulator::sls {

struct logstore_settings {
  int ttl_days = 180;
  std::size_t shard_count = 2;  // at creation
  bool append_meta = false;
  bool auto_split = false;
  int max_split_shard = 64;
  bool enable_tracking = false;
};

struct shard_info {
  std::int64_t id = 0;
  bool readonly = false;
  hash_key begin = 0;
  hash_key end = 0;
  std::int64_t create_time_s = 0;
};

class logstore {
 public:
  using shard_maker = std::function<std::unique_ptr<shard>(std::int64_t id)>;
  logstore(const logstore_settings&, shard_maker, std::int64_t now_s);

  [[nodiscard]] const logstore_settings& settings() const { return settings_; }
  [[nodiscard]] std::int64_t create_time_s() const { return create_time_s_; }
  [[nodiscard]] bool indexed() const;
  void set_indexed();

  [[nodiscard]] std::vector<shard_info> shards() const;
  [[nodiscard]] shard* find(std::int64_t id) const;
  // An empty key halves; count > 2 makes that many even pieces.
  outcome<std::vector<shard_info>> split(std::int64_t id, std::string_view key, std::size_t count, std::int64_t now_s);
  // With its right neighbour.
  outcome<std::vector<shard_info>> merge(std::int64_t id, std::int64_t now_s);
  // To the writable shards in turn, or to the one that holds the key. False: no shard took it.
  bool append(std::vector<new_group>);
  bool append(std::vector<new_group>, hash_key);

  outcome<void> create_group(const std::string& name, std::chrono::seconds timeout, bool order);
  outcome<void> update_group(std::string_view name, std::optional<std::chrono::seconds> timeout,
                             std::optional<bool> order);
  outcome<void> delete_group(std::string_view name);
  struct group_info {
    std::string name;
    std::chrono::seconds timeout{0};
    bool order = false;
  };
  [[nodiscard]] std::vector<group_info> groups() const;
  outcome<std::vector<std::int64_t>> heartbeat(std::string_view group, std::string_view consumer,
                                               const std::vector<std::int64_t>& working_on, time_point now);
  outcome<void> checkpoint(std::string_view group, std::string_view consumer, std::int64_t shard,
                           std::string_view cursor, bool force, time_point now);
  outcome<std::vector<shard_checkpoint>> checkpoints(std::string_view group, std::optional<std::int64_t> shard);

 private:
  struct member {
    shard_info info;
    std::vector<std::int64_t> parents;
    std::unique_ptr<shard> data;
  };
  const member& add(hash_key begin, hash_key end, std::vector<std::int64_t> parents, std::int64_t now_s);
  [[nodiscard]] std::vector<shard_facts> facts() const;
  // With the shard list brought up to date. Call with groups_mutex_ held.
  outcome<consumer_group*> group(std::string_view name);

  const logstore_settings settings_;
  const shard_maker make_shard_;
  const std::int64_t create_time_s_;
  mutable std::shared_mutex mutex_;  // shards and what is known of them
  std::vector<member> members_;      // the id is the place
  bool indexed_ = false;
  std::atomic<std::uint64_t> turn_{0};
  mutable std::mutex groups_mutex_;  // taken before mutex_
  std::map<std::string, consumer_group, std::less<>> groups_;
};

}  // namespace emulator::sls
