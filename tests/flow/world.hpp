// The whole data path between the two model clouds, in virtual time: what a flow test starts with.
//
// A world has accounts × logstores × shards and destinations; logstores are dealt to the destinations in turn.
// Processes come and go in it: start() makes one, kill() drops it at once and keeps only what the store and the clouds
// have. Every commit is checked when it is asked for: each event before the position has its 204 or its dead letter by
// then. Everything is bounded: a run that does not end in the virtual time or the steps given is a failure, not a hang.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "stages/data_path.hpp"
#include "stages/telemetry.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/model_services.hpp"
#include "tests/support/simulated_executor.hpp"

namespace tests {

struct world_shape {
  unsigned accounts = 1;
  unsigned logstores = 1;  // per account
  unsigned shards = 1;     // per logstore
  unsigned destinations = 1;
};

class world;

// So many seeds, or PENSTOCK_FLOW_SEEDS times as many: for a night.
std::uint64_t seed_count(std::uint64_t usual);

// One life of the program: its ports and its data path.
struct process {
  process(world&, const stages::run_options&);

  model_exchange pulls;
  model_exchange uploads;
  memory_store store;
  support::simulated_cpu cpu;
  std::unique_ptr<engine::logger> log;
  engine::metric_registry metrics;
  stages::telemetry counts;
  stages::data_path path;
  bool ended = false;
};

class world {
 public:
  explicit world(std::uint64_t seed, world_shape = {});
  ~world();
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  support::simulation sim;
  model_cloud cloud;
  kept_state kept;
  stages::config config;
  unsigned cpu_workers = 2;
  double cpu_bytes_per_second = 500e6;

  [[nodiscard]] static std::string account_name(unsigned account);
  [[nodiscard]] static std::string project_name(unsigned account);
  [[nodiscard]] static std::string logstore_name(unsigned logstore);
  [[nodiscard]] static std::string rule_name(unsigned destination);
  [[nodiscard]] unsigned destination_of(unsigned account, unsigned logstore) const;
  [[nodiscard]] model_shard& shard(unsigned account, unsigned logstore, std::int64_t shard = 0);
  [[nodiscard]] model_rule& rule(unsigned destination = 0) { return cloud.rules.at(rule_name(destination)); }

  // Appends events of about `bytes` each, with ids of their own and bodies that hardly compress.
  void fill(model_shard&, std::size_t groups, std::size_t events_per_group, std::size_t bytes = 200);
  // To all shards that take data.
  void fill_all(std::size_t groups, std::size_t events_per_group, std::size_t bytes = 200);
  std::string make_event(std::size_t bytes);

  process& start(stages::run_options = {});
  [[nodiscard]] process& now_running() { return *process_; }
  // True when the process ended by itself within that virtual time.
  bool run_to_end(engine::duration longest = std::chrono::hours(1));
  void run_for(engine::duration);
  // Runs until `what` holds, at most that long; whether it did.
  bool run_until(const std::function<bool()>& what, engine::duration longest = std::chrono::minutes(10));
  // Ends the process without ceremony; the store keeps what it acknowledged.
  void kill();
  // Asks it to drain and waits for its end.
  void drain();

  // --- the ledger ---
  struct totals {
    std::size_t events = 0;     // in the shards
    std::size_t delivered = 0;  // of them, with an equal row in their destination
    std::size_t buried = 0;     // of the others, with an equal dead letter
    std::size_t missing = 0;
    std::size_t extra_rows = 0;  // equal rows beyond the first
    std::size_t unknown_rows = 0;
  };
  [[nodiscard]] totals count();
  void expect_exactly_once();
  void expect_at_least_once();  // or a dead letter
  // Told at commits: what was promised and did not hold.
  [[nodiscard]] const std::vector<std::string>& broken_promises() const { return broken_promises_; }
  [[nodiscard]] std::size_t rows_accepted() const;
  // How far the store is, in groups; nothing committed: where the shard begins.
  [[nodiscard]] std::size_t committed_groups(unsigned account, unsigned logstore, std::int64_t shard = 0) const;

 private:
  friend struct process;
  struct place {
    unsigned account, logstore;
    std::int64_t shard;
  };
  void for_each_shard(const std::function<void(const place&, model_shard&)>&);
  void check_commit(const engine::route_id&, const std::string& cursor);
  [[nodiscard]] bool buried(const std::string& text);
  [[nodiscard]] bool buried_with_its_reply(const engine::route_id&, std::size_t group) const;
  [[nodiscard]] engine::route_id route_of(const place&) const;

  const world_shape shape_;
  std::unique_ptr<process> process_;
  std::mt19937_64 texts_;
  std::string padding_;  // what event bodies are cut from
  std::uint64_t last_event_ = 0;
  std::map<engine::route_id, std::size_t> checked_to_;
  std::set<std::string> buried_;
  std::size_t letters_seen_ = 0;
  std::vector<std::string> broken_promises_;
};

}  // namespace tests
