// Which groups of a shard were served, and at which boundaries the replies ended.
#pragma once

#include <cstdint>
#include <iterator>
#include <map>
#include <vector>

namespace emulator {

class served_ranges {
 public:
  // Groups [first, next). The usual case, the range after the last one, costs no allocation.
  void add(std::uint64_t first, std::uint64_t next) {
    if (boundaries_.empty() || boundaries_.back() != next) boundaries_.push_back(next);
    if (first >= next) return;
    auto at = ranges_.upper_bound(first);
    if (at != ranges_.begin() && std::prev(at)->second >= first) {
      --at;
      if (at->second < next) at->second = next;
    } else {
      at = ranges_.emplace_hint(at, first, next);
    }
    for (auto after = std::next(at); after != ranges_.end() && after->first <= at->second;) {
      if (at->second < after->second) at->second = after->second;
      after = ranges_.erase(after);
    }
  }

  // first → next, disjoint, not touching.
  [[nodiscard]] const std::map<std::uint64_t, std::uint64_t>& ranges() const { return ranges_; }
  // The highest boundary not above `limit`; `otherwise` when there is none.
  [[nodiscard]] std::uint64_t last_boundary(std::uint64_t limit, std::uint64_t otherwise) const {
    std::uint64_t found = otherwise;
    for (const std::uint64_t boundary : boundaries_) {
      if (boundary <= limit && boundary > found) found = boundary;
    }
    return found;
  }

 private:
  std::map<std::uint64_t, std::uint64_t> ranges_;
  std::vector<std::uint64_t> boundaries_;
};

}  // namespace emulator
