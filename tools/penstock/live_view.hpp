// One screen about a run, redrawn in place: per account events/s, lag, in flight; destinations; where the time goes.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>

#include "stages/data_path.hpp"
#include "stages/telemetry.hpp"
#include "tools/penstock/process_usage.hpp"

namespace penstock {

// Rates between two looks.
struct stage_load {
  std::string name;
  double events_per_s = 0;
  double utilisation = 0;  // CPU stages: share of all workers; network stages: requests under way on average
  double wait = 0;         // blocks waiting for it on average
};
struct bottleneck {
  std::string stage;  // "none" when the data path keeps up
  std::string why;
};

// Keeps the last look; not thread-safe.
class run_rates {
 public:
  explicit run_rates(unsigned workers) : workers_(workers) {}
  struct look {
    double seconds = 0;
    double events_in_per_s = 0;
    double events_out_per_s = 0;
    double bytes_wire_per_s = 0;
    double cpu_cores = 0;
    std::map<std::string, double> account_events_per_s;
    std::vector<stage_load> stages;
    bottleneck slowest;
  };
  look update(engine::time_point now, const stages::path_status&, stages::telemetry&, const process_usage&);

 private:
  struct totals {
    double events_in = 0, events_out = 0, wire = 0, cpu_s = 0;
    std::map<std::string, double> accounts;
    std::vector<double> stage_events, stage_busy, stage_wait;
  };
  const unsigned workers_;
  engine::time_point last_at_{};
  totals last_;
};

// Lines of the log that arrive while the screen is ours; the last few are shown below the tables.
class log_tail {
 public:
  void add(std::string_view line);
  [[nodiscard]] std::deque<std::string> lines() const;

 private:
  mutable std::mutex mutex_;
  std::deque<std::string> lines_;
};

struct screen_size {
  unsigned columns = 80;
  unsigned rows = 24;
};
// A whole screen, with the escape sequences that draw it over the last one.
std::string draw_screen(const run_rates::look&, const stages::path_status&, stages::telemetry&, const process_usage&,
                        const std::deque<std::string>& log, double running_s, screen_size);
screen_size screen_of(int fd);

}  // namespace penstock
