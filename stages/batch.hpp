// batch: decides when a body is cut. A fold over an encoder: rows in, bodies out when full, when asked, or at the
// deadline.
//
// Input   rows of blocks, in order. Copied by the encoder; nothing of them is kept.
// Output  bodies of at most wire_bytes_max on the wire and raw_bytes_max raw; a row larger than that goes alone.
// Errors  a row whose own body exceeds wire_bytes_max fits nowhere: add() names it and goes no further.
// Limits  flushes_max a body: near its end the encoder's pessimistic bound is made exact so that more rows fit.
// Cost    nothing per row: the rows taken by one append are found by bisection.
// Order   rows keep their order. The time is an argument; one caller at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/base/units.hpp"
#include "stages/types.hpp"

namespace stages {

struct batch_options {
  std::size_t wire_bytes_max = 1'044'480;
  std::size_t raw_bytes_max = 8 * engine::mib;  // also what the encoder can take: set_raw_bytes_max only lowers it
  unsigned flushes_max = 8;
  std::size_t piece_bytes_min = 16 * engine::kib;  // smaller appends and flushes cost speed and ratio
  engine::duration linger = std::chrono::seconds(1);
};

class batch {
 public:
  // The encoder is empty, outlives the batch and is not used by others meanwhile.
  batch(const batch_options&, encoder&);

  struct added {
    std::size_t rows = 0;            // taken, from first_row on
    bool next_fits_nowhere = false;  // the row after those is too large for any body
  };
  // 0 rows and not next_fits_nowhere: close first. `now` starts the linger of an empty batch.
  added add(const rows&, std::size_t first_row, engine::time_point now);

  [[nodiscard]] bool empty() const { return encoder_.row_count() == 0; }
  // The last add() ended for want of room.
  [[nodiscard]] bool full() const { return full_; }
  // When an open batch is to be closed at the latest.
  [[nodiscard]] std::optional<engine::time_point> deadline() const;

  // The batch is not empty; it is afterwards.
  body close();
  // Drops what was added.
  void reset();

  // From the next row on. A service that counts raw bytes gets 1,000,000.
  void set_raw_bytes_max(std::size_t);
  [[nodiscard]] std::size_t raw_bytes_max() const { return raw_bytes_max_; }

 private:
  [[nodiscard]] bool has_room(std::size_t text_bytes) const;
  [[nodiscard]] std::size_t last_fitting(const rows&, std::size_t first) const;
  [[nodiscard]] bool may_flush() const;
  [[nodiscard]] bool take_alone(const rows&, std::size_t row);
  void append(const rows&, std::size_t first, std::size_t last);
  void flush();

  const batch_options options_;
  encoder& encoder_;
  std::size_t raw_bytes_max_;
  std::size_t unflushed_bytes_ = 0;
  unsigned flushes_ = 0;
  bool full_ = false;
  std::optional<engine::time_point> opened_;
  std::vector<std::uint32_t> row_bytes_;
};

}  // namespace stages
