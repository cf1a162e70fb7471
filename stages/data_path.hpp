// The data path: every stage once, in its order, with its limits; and the life of the whole: start, run, drain, end.
//
//   fetch ─queue─ decompress → decode → parse → transform → batch → compress ─closed bodies─ upload ─ ack ─ checkpoint
//   network      └──────────────────── one CPU slot per block ───────────────┘               network       store thread
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/base/buffer_pool.hpp"
#include "engine/flow/budget.hpp"
#include "engine/flow/permits.hpp"
#include "engine/flow/scope.hpp"
#include "engine/flow/signal.hpp"
#include "stages/azure/entra_token.hpp"
#include "stages/azure/logs_ingestion.hpp"
#include "stages/body_cutter.hpp"
#include "stages/config.hpp"
#include "stages/convert.hpp"
#include "stages/lanes.hpp"
#include "stages/ports.hpp"
#include "stages/route.hpp"
#include "stages/sls/client.hpp"
#include "stages/upload.hpp"

namespace stages {

struct run_options {
  bool once = false;  // end when every shard is committed past its end at the start
  engine::duration once_probe_interval = std::chrono::seconds(5);
  bool dry_run = false;  // no upload, no commit
};

// One logstore towards its destination, as a person asks about it.
struct logstore_status {
  std::string account, project, logstore, destination;
  std::string state;   // starting running parked done failed
  std::string reason;  // why it is parked or failed
  std::size_t shards = 0;
  std::size_t in_flight = 0;  // blocks read and not yet wholly accepted
  double lag_s = 0;
};
struct destination_status {
  std::string name;
  bool parked = false;
  bool throttled = false;
  std::string reason;
  std::size_t waiting = 0;
  std::size_t in_flight = 0;
};
struct path_status {
  std::vector<logstore_status> logstores;
  std::vector<destination_status> destinations;
  std::size_t memory_used_bytes = 0;
  std::size_t memory_waiting = 0;
  bool draining = false;
};

class data_path {
 public:
  // The configuration is valid (stages/config.hpp). The ports outlive the path.
  data_path(const config&, const run_options&, const path_ports&, telemetry&);
  ~data_path();
  data_path(const data_path&) = delete;
  data_path& operator=(const data_path&) = delete;

  // Runs until done (`once`), drained or failed. Exactly once.
  engine::task<> run();
  // First: no more pulls, what is under way is finished, at most for drain_timeout. Thread-safe, may be repeated.
  void drain();
  // Ends everything now; what is not acknowledged is simply not committed.
  void abort();

  struct outcome {
    bool failed = false;         // state could not be kept, or a route failed
    bool drain_aborted = false;  // the deadline passed with rows still under way
    std::string why;
  };
  [[nodiscard]] outcome result() const;
  [[nodiscard]] path_status status() const;
  [[nodiscard]] engine::budget& memory() { return memory_; }

 private:
  struct logstore_watch;  // one logstore: its shards and their routes
  struct destination_parts;

  void build_destinations(const config&);
  void build_sources(const config&);
  engine::task<> watch(logstore_watch&);
  engine::task<bool> list_once(logstore_watch&);
  [[nodiscard]] engine::route_id route_of(const logstore_watch&, std::int64_t shard) const;
  engine::task<start_position> start_for(logstore_watch&, const std::vector<sls::shard>&);
  void start_route(logstore_watch&, const sls::shard&, const start_position&);
  engine::task<> close_batches();       // linger, memory pressure, drain
  engine::task<> watch_destinations();  // those that stay silent while others starve
  engine::task<> enforce_drain_deadline();
  engine::task<> finish(std::exception_ptr& first);
  static engine::task<> join_or_keep(engine::scope&, std::exception_ptr& first);
  engine::task<> cut_off_probes();
  [[nodiscard]] bool work_left() const;
  // after the routes: batches, uploads, commits
  void fail(std::string why);
  void hand_over(std::vector<closed_body>);
  void note_parked(const engine::route_id&, const sls::failure&);
  [[nodiscard]] bool stopping() const { return stopping_.load(); }

  const config config_;
  const run_options options_;
  path_ports ports_;
  telemetry& counts_;
  engine::buffer_pool buffers_;
  engine::budget memory_;
  engine::permits fetch_permits_;
  converter_pool converters_;
  lanes open_;
  body_cutter cutter_;
  route_surroundings around_;

  std::vector<std::unique_ptr<destination_parts>> destinations_;
  std::vector<std::unique_ptr<logstore_watch>> logstores_;

  engine::scope pulls_;  // watches and route loops
  engine::scope commits_;
  engine::scope sends_;
  engine::scope batches_;    // close_batches
  engine::scope helpers_;    // close_batches, watch_destinations, the deadline
  engine::signal stop_;      // closed when draining begins
  engine::signal lanes_;     // a batch was opened, memory is short, drain
  engine::signal progress_;  // a body ended
  engine::signal ended_;     // closed when all is over
  std::atomic<bool> stopping_ = false;

  mutable std::mutex mutex_;
  outcome outcome_;
  std::set<std::pair<std::string, std::string>> parked_told_;  // account and what was said about it, once
};

}  // namespace stages
