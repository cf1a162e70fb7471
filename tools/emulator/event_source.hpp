// Where the emulated logstores get their events: the seeded generator, or a corpus file of real ones.
//
// Equal seed and flags give equal events, byte for byte. Event i of a source does not depend on how many were asked for
// before it, so logstores can be filled in any order.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace emulator {

struct event_record {
  std::string text;     // the value of the content key `event`: one compact JSON object
  std::int64_t time_s;  // log time, Unix seconds (event time as a rule)
};

class event_source {
 public:
  virtual ~event_source() = default;
  // Thread-safe, pure: the event number `index` for the account with that id.
  [[nodiscard]] virtual event_record make(std::string_view account_id, std::uint64_t index) const = 0;
};

// Events as ../../docs/formats say ActionTrail writes them: mean text 1.8 kB +- 10 %, own id, time and body each.
std::unique_ptr<event_source> make_generator(std::uint64_t seed, std::int64_t first_time_s);
// One JSON object per line. Repeated beyond its length with fresh ids (eventId replaced, everything else as it stands).
// Lines that are not JSON objects are served as they are, once each. Throws std::runtime_error naming file and line.
std::unique_ptr<event_source> make_corpus(const std::string& path, std::uint64_t seed);

}  // namespace emulator
