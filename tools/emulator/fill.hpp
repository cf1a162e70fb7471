// Puts generated events into logstores: all at once before the start, or a few at a time while running.
//
// Events are numbered through the whole cloud; logstore k of n holds a run of numbers when filled at once, and every
// n-th number when fed. Group sizes and copies follow from the seed.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "event_source.hpp"
#include "seeded_random.hpp"
#include "sls/log_group.hpp"
#include "sls/logstore.hpp"

namespace emulator {

struct fill_target {
  std::string account;
  sls::logstore* holder = nullptr;
};

struct fill_options {
  std::uint64_t seed = 1;
  std::uint64_t events = 0;
  double duplicate_rate = 0;  // share of events stored a second time, with equal text
};

// Builds the log groups of one logstore, event by event.
class group_builder {
 public:
  group_builder(const event_source&, fill_target, double duplicate_rate, std::uint64_t seed);

  // Event number `index`; the group is appended when it has the size drawn for it.
  void add(std::uint64_t index, std::int64_t now_s);
  // Appends what is there.
  void flush(std::int64_t now_s);
  // The last group: copies still waiting come with it.
  void finish(std::int64_t now_s);

 private:
  void put(const event_record&);

  const event_source& source_;
  const fill_target target_;
  const double duplicate_rate_;
  seeded_random random_;
  sls::log_group_writer writer_;
  std::size_t bytes_ = 0;
  std::int64_t time_min_ = 0;
  std::int64_t time_max_ = 0;
  std::size_t wanted_ = 0;            // logs the group is to have
  std::vector<event_record> copies_;  // to stand in the next group
};

// Events shared evenly, the remainder to the first logstore. Uses `threads` threads; returns when all is stored and
// packed.
void fill(const std::vector<fill_target>&, const event_source&, const fill_options&, std::size_t threads);

// Appends at a rate, from its construction on, until options.events are appended. Stops in its destructor. Targets'
// logstores and the source outlive it.
class event_feeder {
 public:
  event_feeder(const std::vector<fill_target>&, const event_source&, const fill_options&, double events_per_s);
  ~event_feeder();
  event_feeder(const event_feeder&) = delete;
  event_feeder& operator=(const event_feeder&) = delete;

 private:
  void run();
  void feed_until(std::uint64_t due);

  const fill_options options_;
  const double events_per_s_;
  std::vector<std::unique_ptr<group_builder>> builders_;
  std::uint64_t fed_ = 0;
  std::mutex mutex_;
  std::condition_variable stopping_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace emulator
