// parse: the logs of a block, to records: one event each, validated whole and sliced into columns.
//
// Input   log_groups whose texts lie in a block that has padding_bytes readable bytes after its end. Nothing is copied.
// Output  `out`, cleared and filled, in the order of the logs: an event in `events`, or in `bad` with the reason.
//         Slices are raw tokens and point into the block, those of rebuilt events into this object: valid until its
//         next call.
// Errors  none for the block. A bad event is set aside and never changes what becomes of its neighbours: no byte
//         outside an event decides about it.
// Sound   an event passes exactly when simdjson's DOM parser takes it, but for what JSON's grammar allows and only
//         readers refuse: numbers of any length, and, flagged needs_repair, numbers beyond a double and lone
//         surrogates.
// Limits  nesting_max, event_bytes_max, rebuilt_bytes_max; scratch is 4 bytes for each of indexed_bytes_max, plus what
//         rebuilt events of one block need. No recursion: depth costs no stack.
// Cost    simdjson's stage 1, a pass over the escapes, a walk over the tokens; no allocation after warm-up.
// Order   no memory between calls but scratch; one call at a time.
#pragma once

#include <cstddef>
#include <memory>

#include "engine/base/units.hpp"
#include "stages/kernels.hpp"
#include "stages/types.hpp"

namespace stages {

// Levels of objects and arrays, the event itself being the first.
inline constexpr std::size_t nesting_max = 128;

struct parse_options {
  std::size_t event_bytes_max = 16 * engine::mib;
  // Texts above this are checked without simdjson's index: slower, but an event cannot claim four times its size.
  std::size_t indexed_bytes_max = 256 * engine::kib;
  std::size_t rebuilt_bytes_max = 32 * engine::mib;  // all events of one block rebuilt from `event.x` contents
};

class parse {
 public:
  explicit parse(const parse_options& options = {}, kernel = best_kernel());
  ~parse();
  parse(const parse&) = delete;
  parse& operator=(const parse&) = delete;

  void operator()(const log_groups& groups, records& out);

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace stages
