// route: one shard towards one destination. It owns the position and the acknowledgement line; two loops work for it:
//
//   pull      position → fetch → queue (the boundary network | CPU)     route.cpp; its troubles in route_recover.cpp
//   convert   queue → one CPU slot: rows into the lanes of the destination     route_convert.cpp
//
// Rewind. When a unit of a block is not delivered (destination parked, shed, drain), the line is broken: pulling pauses
// until nothing is outstanding, then begins again at the committed position with a new line. Blocks of the old line
// still in the queue are known by their epoch and dropped.
//
// A reply that does not decode is pulled again at its own cursor, after a backoff, one group at a time from the second
// failure on; after undecodable_max failures of one cursor its bytes go to the dead letters and the position moves past
// it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/flow/ack.hpp"
#include "engine/flow/bounded_queue.hpp"
#include "engine/flow/budget.hpp"
#include "engine/flow/signal.hpp"
#include "stages/config.hpp"
#include "stages/convert.hpp"
#include "stages/fetch.hpp"
#include "stages/lanes.hpp"
#include "stages/ports.hpp"
#include "stages/upload.hpp"

namespace stages {

inline constexpr unsigned undecodable_max = 5;

// What all routes share. Outlives them.
struct route_surroundings {
  path_ports ports;
  telemetry& counts;
  engine::budget& memory;
  lanes& open;
  converter_pool& converters;
  std::function<void(std::uint32_t destination, outgoing)> hand_over;
  std::function<void(std::string)> fail;      // stops the service: state cannot be kept
  std::function<void()> lanes_changed;        // a batch was opened: somebody must think of its linger
  std::function<void(engine::task<>)> spawn;  // runs a commit; ended before the routes are destroyed
  std::function<void(const engine::route_id&, const sls::failure&)> parked;  // told once per parking, source side
  std::function<void(const engine::route_id&)> resumed;                      // and when it ends
  engine::duration poll_interval;
  engine::duration probe_interval;
  unsigned probes_max = 0;  // with `once`: give up after so many; 0: never
  unsigned queue_blocks_max = 4;
  bool once = false;
  std::atomic<bool> linger_none = false;  // draining: every batch is closed at once
};

// For people: the service's own word first.
std::string reason_of(const sls::failure&);

enum class route_state : std::uint8_t { starting, running, parked, done, failed };
std::string_view name_of(route_state);

struct route_status {
  route_state state = route_state::starting;
  std::string reason;         // why it is parked or failed
  double lag_s = 0;           // age of the newest event delivered; 0 when all is and the shard has no more
  std::size_t in_flight = 0;  // blocks read and not yet wholly accepted
  std::string committed;
};

class route {
 public:
  route(route_surroundings&, engine::route_id, engine::budget_holder, row_format, upload& destination,
        std::unique_ptr<stages::fetch>, account_meter&, start_position, bool readonly);

  // The two loops. pull() ends when the shard is done or failed, or stop() was called; convert() ends after it.
  engine::task<> pull();
  engine::task<> convert();
  // No more pulls; what was pulled goes on to the destination.
  void stop();
  // What is queued is dropped.
  void abort();

  [[nodiscard]] const engine::route_id& id() const { return id_; }
  [[nodiscard]] route_status status() const;
  // The shard was split or merged: done once it is read to its end.
  void set_readonly() { readonly_.store(true); }
  // Everything delivered so far is in the store.
  [[nodiscard]] bool settled() const;

 private:
  struct queued {
    fetched_block block;
    engine::budget::lease lease;
    std::uint64_t epoch = 0;
    bool probe = false;
    engine::time_point queued_at;
  };
  enum class next : std::uint8_t { go_on, end };

  engine::task<next> begin();  // saved position, or where to start; false: ended
  engine::task<std::optional<std::string>> first_cursor(sls::cursor_start);
  engine::task<next> recover(const fetch_failure&);  // after a failed pull
  engine::task<std::optional<next>> skip_gap();
  engine::task<next> park(const sls::failure&);  // source side
  engine::task<next> rewind();
  engine::task<next> nothing_there(std::string next_cursor, bool last_pull);
  engine::task<bool> skip_to(std::string cursor);  // false: the queue has ended
  engine::task<next> wait_until_committed();
  engine::task<next> rest(engine::duration);  // false: stopped
  struct slot_outcome;
  engine::task<bool> convert_block(queued);  // false: nothing of it went to the destination as a probe
  std::optional<engine::ack_line::delivery> open_on_line(std::uint64_t epoch, const std::string& position,
                                                         std::uint32_t units, std::shared_ptr<void> keep,
                                                         engine::wall_time received);
  void pass_position(const queued&);
  engine::task<bool> note_pulled(std::string cursor);  // false: the store has failed
  slot_outcome work_in_slot(queued&);
  void append_rows(queued&, const converted&, converter&, slot_outcome&);
  static void pay_for_letters(slot_outcome&);
  void count_events(const converted&, const fetched_block&, std::size_t rows);
  engine::task<> bury(slot_outcome);
  engine::task<> undecodable(queued, std::string why);
  engine::task<> commit();
  void line_changed();
  void note_committed(const std::string& position);  // under the mutex
  [[nodiscard]] double lag_now_s(std::size_t in_flight) const;
  void note(route_state, std::string reason);
  [[nodiscard]] bool stopped() const { return stopping_.load(); }
  [[nodiscard]] engine::ack_line line() const;
  [[nodiscard]] bool at_fixed_end() const;

  route_surroundings& around_;
  const engine::route_id id_;
  const engine::budget_holder holder_;
  const row_format format_;
  upload& destination_;
  std::unique_ptr<stages::fetch> fetch_;
  account_meter& account_;
  const start_position start_;
  std::atomic<bool> readonly_;
  std::atomic<bool> stopping_ = false;

  engine::signal changed_;  // the line changed, a commit ended, stop
  engine::bounded_queue<queued> queue_;
  std::string position_;   // only pull()
  std::string fixed_end_;  // only pull(): with `once`, where the shard ended at the start
  std::uint64_t gate_round_ = 0;
  unsigned failures_ = 0;  // only pull(): failed attempts in a row
  unsigned probes_failed_ = 0;

  mutable std::mutex mutex_;
  std::optional<engine::ack_line> line_;
  std::uint64_t epoch_ = 0;
  std::optional<std::string> reposition_;  // convert() asks pull() to go back to this cursor
  std::string bad_cursor_;
  unsigned bad_count_ = 0;
  std::string narrow_until_;  // one group at a time until this cursor
  std::string committed_;     // in the store
  bool committing_ = false;
  std::string pulled_before_;  // what is read below it may have been delivered before; empty: none, or passed
  std::string highest_noted_;  // highest cursor in the store as pulled
  bool caught_up_ = false;     // the last answer said that there was nothing more
  struct landmark {
    std::string position;
    engine::wall_time received;  // the block's newest event; 0: unknown
  };
  std::vector<landmark> under_way_;  // blocks opened on the line, up to the one committed last
  engine::wall_time delivered_up_to_{};
  route_status status_;
};

}  // namespace stages
