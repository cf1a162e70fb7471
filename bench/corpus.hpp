// The inputs: seeded events in LogGroupLists of about 2 MiB, as the service sends them.
//
//   small    about 0.5 kB an event
//   typical  the emulator's generator: 1.8 kB, sizes and oddities of real events
//   large    about 30 kB
//   hostile  escapes, four-byte UTF-8, depth, columns of the wrong kind
//   file     the events of --corpus FILE, see event_file.hpp; only with that option
// Each is larger than the processor's second-level cache, so rows walk over memory as the service does.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "stages/types.hpp"

namespace bench {

struct corpus {
  bool generated = true;                         // not out of a file: each event has an id of its own
  double repeats = 1;                            // how often each event of a short file comes, on average
  std::vector<std::string> plain;                // LogGroupLists
  std::vector<stages::fetched_block> blocks;     // the same as LZ4 blocks
  std::vector<std::vector<std::string>> events;  // the texts in each, in order
  std::vector<std::size_t> event_counts;         // of each block
  std::vector<std::size_t> plain_bytes;
  std::vector<std::size_t> wire_bytes;
};

// Made on first use, so that a filtered run pays for what it needs only. One thread.
class corpora {
 public:
  // Empty: no corpus `file`. Throws std::runtime_error when the file holds no events.
  explicit corpora(std::string file);

  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  const corpus& get(const std::string& name);

 private:
  std::vector<std::string> lines_;
  std::vector<std::string> names_{"small", "typical", "large", "hostile"};
  std::map<std::string, corpus> made_;
};

}  // namespace bench
