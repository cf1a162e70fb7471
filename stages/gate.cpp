#include "stages/gate.hpp"

#include <utility>

namespace stages {

gate::gate(engine::clock& clock, engine::duration probe_interval) : clock_(clock), probe_interval_(probe_interval) {}

engine::task<gate::pass> gate::enter(std::uint64_t& round_seen) {
  for (;;) {  // one look at the state, then sleep until it changes or a probe is due
    const auto seen = changed_.version();
    engine::time_point until{};
    bool timed = false;
    {
      const std::lock_guard lock(mutex_);
      if (closed_) co_return pass::closed;
      if (!status_.parked) co_return pass::open;
      if (!probe_out_ && round_seen != round_) {
        if (clock_.now() >= next_probe_) {
          probe_out_ = true;
          round_seen = round_;
          co_return pass::probe;
        }
        until = next_probe_;
        timed = true;
      } else if (!probe_out_) {  // everybody who waits may have handed on: the next interval gives all a new turn
        until = next_probe_ + probe_interval_;
        timed = true;
        if (clock_.now() >= until) {
          ++round_;
          next_probe_ = clock_.now();
          continue;
        }
      }
    }
    if (timed) {
      co_await changed_.wait_until(seen, clock_, until);
    } else {
      co_await changed_.wait(seen);
    }
  }
}

bool gate::open() const {
  const std::lock_guard lock(mutex_);
  return !status_.parked;
}

gate::status gate::now() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

bool gate::park(std::string reason, bool by_probe, reopens how) {
  bool was_open = false;
  {
    const std::lock_guard lock(mutex_);
    was_open = !status_.parked;
    // One of those under way when it was parked, or another body of a probe that was counted: says nothing new.
    if (!was_open && !(by_probe && probe_out_)) return false;
    if (was_open) {
      reopens_ = how;
      status_ = {.parked = true, .reason = std::move(reason), .probes_failed = 0};
    } else {
      status_.reason = std::move(reason);
      ++status_.probes_failed;
    }
    probe_out_ = false;
    ++round_;
    next_probe_ = clock_.now() + probe_interval_;
  }
  changed_.notify();
  return was_open;
}

bool gate::accepted(bool by_probe) {
  bool was_parked = false;
  {
    const std::lock_guard lock(mutex_);
    was_parked = status_.parked;
    if (was_parked && !by_probe && reopens_ == reopens::by_probe) return false;
    status_ = {};
    probe_out_ = false;
  }
  if (was_parked) changed_.notify();
  return was_parked;
}

void gate::hand_on() {
  {
    const std::lock_guard lock(mutex_);
    probe_out_ = false;
  }
  changed_.notify();
}

void gate::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.close();
}

}  // namespace stages
