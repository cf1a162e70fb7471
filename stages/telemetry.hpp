// What the data path counts. One set of instruments for the process; labels are accounts, destinations, stages and
// reasons, never shards, so that thousands of logstores do not make thousands of series.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "engine/base/metrics.hpp"
#include "stages/latency.hpp"
#include "stages/types.hpp"

namespace stages {

enum class stage_name : std::uint8_t { fetch, decompress, decode, parse, transform, batch, compress, upload, count_ };
inline constexpr std::size_t stage_count = static_cast<std::size_t>(stage_name::count_);
std::string_view name_of(stage_name);

struct stage_meter {
  engine::counter* events = nullptr;
  engine::counter* busy_s = nullptr;  // time in which the stage worked (network stages: a request was under way)
  engine::counter* wait_s = nullptr;  // time in which a block was ready for it and had to wait
};

struct account_meter {
  engine::counter* events_in = nullptr;
  engine::counter* bytes_in = nullptr;
  engine::counter* throttled = nullptr;
};

struct destination_meter {
  engine::counter* events_delivered = nullptr;
  engine::counter* bytes_wire = nullptr;
  engine::counter* bytes_raw = nullptr;
  engine::counter* requests = nullptr;
  engine::counter* throttled = nullptr;
  engine::counter* splits = nullptr;
  engine::gauge* bodies_waiting = nullptr;
  engine::gauge* in_flight = nullptr;
  engine::gauge* parked = nullptr;
};

class telemetry {
 public:
  explicit telemetry(engine::metric_registry&);

  [[nodiscard]] stage_meter& stage(stage_name s) { return stages_[static_cast<std::size_t>(s)]; }
  account_meter& account(const std::string& name);
  destination_meter& destination(const std::string& name);
  engine::counter& dead_letters(std::string_view reason);
  // Failed requests by service ("sls", "ingestion", "entra") and fault.
  engine::counter& failures(std::string_view service, std::string_view fault);

  engine::counter& events_in;
  engine::counter& events_delivered;
  engine::counter& duplicates_possible;
  engine::counter& dead_letters_total;
  engine::counter& cut_fields;
  engine::counter& bytes_in;
  engine::counter& bytes_raw;
  engine::counter& bytes_wire;
  engine::counter& duplicate_keys;
  engine::counter& rebuilt_events;
  engine::counter& bad_event_times;
  engine::counter& bad_booleans;
  engine::counter& repaired_events;
  engine::counter& replies_undecodable;
  engine::counter& replies_refused;
  engine::counter& rewinds;
  engine::counter& cursor_gaps;
  engine::counter& commits;
  engine::gauge& budget_bytes;
  engine::gauge& budget_waiting;
  engine::gauge& lag_seconds_max;
  latency_counts latency;  // pull answered → accepted by the sink

 private:
  engine::metric_registry& registry_;
  std::array<stage_meter, stage_count> stages_;
  std::mutex mutex_;
  std::map<std::string, account_meter> accounts_;
  std::map<std::string, destination_meter> destinations_;
};

}  // namespace stages
