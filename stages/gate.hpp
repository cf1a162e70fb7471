// gate: whether a destination may be worked for, and whose turn it is to try when it may not.
//
// Open, everybody passes. Parked (401 twice, 403, 404, unknown stream, or silent for long while others starve), routes
// wait here; every probe interval one of them passes as the probe with one real block. If that is accepted the gate
// opens for all; if not, the next interval begins. A prober that finds nothing to send hands the turn on to the one
// that waited longest; who had a turn in this interval waits for the next. Only those whose turn it is are woken.
// Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/flow/ports.hpp"
#include "engine/flow/task.hpp"

namespace stages {

class gate {
 public:
  enum class pass : std::uint8_t { open, probe, closed };
  struct status {
    bool parked = false;
    std::string reason;
    unsigned probes_failed = 0;  // in a row, since it was parked
  };

  gate(engine::clock&, engine::duration probe_interval);
  ~gate();

  // `round_seen` belongs to the caller (start with 0): it keeps one that handed its turn on from taking it again.
  engine::task<pass> enter(std::uint64_t& round_seen);
  // Whether a block that is no probe may go on now; still true after close(), so that a drain can finish.
  [[nodiscard]] bool open() const;
  [[nodiscard]] status now() const;

  enum class reopens : std::uint8_t { by_probe, by_any_answer };
  // Parks, or counts a failed probe when it is parked already. True when it was open before.
  bool park(std::string reason, bool by_probe, reopens = reopens::by_probe);
  // A body was accepted. True when that opened the gate. Of a destination that refuses, only a probe's answer counts:
  // others left before it was parked.
  bool accepted(bool by_probe);
  // The prober had nothing to send, or could not fetch it: somebody else may try at once.
  void hand_on();
  void close();

 private:
  struct core;
  std::shared_ptr<core> core_;  // shared with the timer of the next probe
};

}  // namespace stages
