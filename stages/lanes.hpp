// lanes: the open batches of all destinations, and the fixed number of encoders they are made with.
//
// A block's rows go to a free lane of its destination inside the block's own CPU slot; several workers fill several
// lanes of one destination at once. A lane is held by one worker at a time and never while waiting for anything. There
// are at least as many encoders as workers, so a worker always gets one: when none is idle, the oldest open batch that
// nobody works on is closed early and its encoder taken.
//
// Thread-safe; calls with a lane are for the worker that holds it.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "engine/flow/ports.hpp"
#include "stages/batch.hpp"
#include "stages/outgoing.hpp"
#include "stages/types.hpp"

namespace stages {

struct closed_body {
  std::uint32_t destination = 0;
  outgoing out;
};

class lanes {
 public:
  using encoder_factory = std::function<std::unique_ptr<encoder>()>;
  lanes(encoder_factory, std::size_t encoders_max, const batch_options&);

  // Appends all rows of one block for one destination; bodies that get full are closed into `closed`. `close_after`:
  // what stays open is closed too (probes, a linger of nothing). Rows that fit no body alone are returned by their
  // number in `rows`, their units still in the returned share.
  struct misfits {
    std::vector<std::uint32_t> rows;
    engine::ack_line::delivery units;
  };
  misfits append(std::uint32_t destination, const rows&, engine::ack_line::delivery, const std::shared_ptr<held_block>&,
                 engine::time_point now, bool close_after, std::vector<closed_body>& closed);

  // When the next batch has lingered long enough; nullopt while none is open.
  [[nodiscard]] std::optional<engine::time_point> next_deadline() const;
  [[nodiscard]] std::size_t open_count() const;
  // Closes what is due at `now`; with everything = true, all that nobody works on.
  void close_due(engine::time_point now, bool everything, std::vector<closed_body>& closed);
  // Closes the one that is open longest, if any.
  void close_oldest(std::vector<closed_body>& closed);
  // Throws away the open batches of a destination; their units end not delivered.
  void drop(std::uint32_t destination);
  // Throws away everything, busy or not: nobody works any more.
  void clear();
  // After a 413 within the wire limit: the service counts raw bytes; bodies of this destination stay below that.
  void set_raw_bytes_max(std::uint32_t destination, std::size_t bytes);

 private:
  struct lane {
    std::uint32_t destination = 0;
    std::unique_ptr<encoder> made_with;
    std::unique_ptr<batch> rows;
    std::vector<part> parts;
    engine::time_point opened;
    bool busy = false;
    bool unwanted = false;  // dropped while a worker held it
  };
  using lane_at = std::list<lane>::iterator;

  lane_at take(std::uint32_t destination, engine::time_point now, std::vector<closed_body>& closed);
  void put_back(lane_at);
  static closed_body close(lane&);
  void retire(lane_at);  // under the mutex: the encoder goes back, the lane away
  std::size_t raw_bytes_max(std::uint32_t destination) const;

  const encoder_factory make_encoder_;
  const std::size_t encoders_max_;
  const batch_options options_;
  mutable std::mutex mutex_;
  std::list<lane> lanes_;
  std::vector<std::unique_ptr<encoder>> idle_;
  std::size_t encoders_made_ = 0;
  std::vector<std::pair<std::uint32_t, std::size_t>> raw_limits_;
};

}  // namespace stages
