// The order of a block's rows by event name: rows of one name stand together, which compresses a fifth better.
//
// Input   records; equal name_hash is taken for an equal name. Names whose hashes were chosen to collide may share a
//         group.
// Output  the places of the events: names in the order of their first events, events of one name as they came. For the
//         same events the same on every machine. Valid until the next call.
// Cost    linear: no comparison of names or hashes but to find a name's group; no allocation after warm-up.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "stages/types.hpp"

namespace stages {

class name_order {
 public:
  std::span<const std::uint32_t> operator()(const std::vector<record>& events);

 private:
  struct slot {
    std::uint32_t hash;
    std::uint32_t group;
  };
  std::uint32_t group_of(std::uint32_t hash);
  void grow();

  std::vector<slot> slots_;            // an open table by hash, at most half full
  std::vector<std::uint32_t> sizes_;   // of each group, then where its next event goes
  std::vector<std::uint32_t> groups_;  // of each event
  std::vector<std::uint32_t> ordered_;
};

}  // namespace stages
