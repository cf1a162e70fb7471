// transform: the events of a block, to rows of the destination table.
//
// Input   records whose texts were validated by parse. Slices lie within their event's text.
// Output  `out`, cleared and filled: one row per event, those of one eventName together (name_order) or as they came;
//         see `rows`. value: {"value":"<the event's text, escaped once>"}. typed: TimeGenerated and the columns that
//         are there, by the table below. `out.cut` and `out.bad` point into the input.
// Errors  none for the block. An event whose row fits no body is in `out.bad` (too_large).
// Limits  field_bytes_max a value, row_bytes_max a row, rows_bytes_max the whole text.
// Cost    one pass over what is written; no allocation after warm-up, but for events that are cut.
// Order   no memory between calls but scratch; one call at a time.
//
// Typed columns, for each kind of token:
//            string            number, true, false       object, array            null
//   text     as it is          in quotes                 its text, as a string    left out
//   dynamic  as it is          as it is                  as it is                 as it is
//   boolean  "true" "false"    true, false: as it is     left out, counted        left out
//            else left out,    number: left out,
//            counted           counted
// TimeGenerated is eventTime when that is a time (utc_time), else the log's time, counted; left out when that is 0 too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "engine/base/units.hpp"
#include "stages/config.hpp"
#include "stages/cut_field.hpp"
#include "stages/json_escape.hpp"
#include "stages/name_order.hpp"
#include "stages/types.hpp"

namespace stages {

struct transform_options {
  row_format format = row_format::value;
  row_order order = row_order::event_name;
  std::size_t field_bytes_max = 65'536;             // the destination truncates longer values (Azure Monitor, "64 KB")
  std::size_t row_bytes_max = 8 * engine::mib - 2;  // a body of one row has two brackets more
};

// Offsets of rows are 32 bits wide.
inline constexpr std::size_t rows_bytes_max = std::numeric_limits<std::uint32_t>::max();

class transform {
 public:
  explicit transform(const transform_options& options, kernel = best_kernel());

  void operator()(const records& in, rows& out);

 private:
  void add_row(const record& event, rows& out);
  char* put_value_row(const record& event, char* at, rows& out);
  char* put_typed_row(const record& event, char* at, rows& out);
  char* put_time(const record& event, char* at, rows& out) const;
  char* put_odd_column(const record& event, std::size_t place, char* at, rows& out);
  char* put_cut_column(const record& event, std::size_t place, char* at, rows& out);

  transform_options options_;
  escape_function escape_;
  event_cutter cutter_;
  name_order order_;
  bool cut_in_row_ = false;
  bool fits_ = true;
};

}  // namespace stages
