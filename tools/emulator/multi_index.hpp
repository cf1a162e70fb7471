// content_hash → one or more 32-bit numbers, in one flat array: 24 bytes a slot, no allocation per entry. A million
// events in three std::unordered_multimaps would be most of the ledger's memory.
//
// Not thread-safe. Entries are never removed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "content_hash.hpp"

namespace emulator {

class multi_index {
 public:
  static constexpr std::uint32_t none = 0xffffffffU;

  void add(const content_hash& hash, std::uint32_t value) {
    if (10 * (used_ + 1) > 7 * slots_.size()) grow();
    place(hash, value);
    ++used_;
  }

  // Calls visit(value) for each value under this hash until it returns true.
  template <class visitor>
  void each(const content_hash& hash, visitor visit) const {
    if (slots_.empty()) return;
    for (std::size_t at = hash.low & mask(); slots_[at].value != none; at = (at + 1) & mask()) {
      if (slots_[at].hash == hash && visit(slots_[at].value)) return;
    }
  }

  // The first value under this hash, or none.
  [[nodiscard]] std::uint32_t first(const content_hash& hash) const {
    std::uint32_t found = none;
    each(hash, [&](std::uint32_t value) {
      found = value;
      return true;
    });
    return found;
  }

  [[nodiscard]] bool contains(const content_hash& hash) const { return first(hash) != none; }
  [[nodiscard]] bool empty() const { return used_ == 0; }

 private:
  struct slot {
    content_hash hash;
    std::uint32_t value = none;
  };

  [[nodiscard]] std::size_t mask() const { return slots_.size() - 1; }

  void place(const content_hash& hash, std::uint32_t value) {
    std::size_t at = hash.low & mask();
    while (slots_[at].value != none) at = (at + 1) & mask();
    slots_[at] = {hash, value};
  }

  void grow() {
    std::vector<slot> old(slots_.empty() ? 1024 : 2 * slots_.size());
    old.swap(slots_);
    for (const slot& one : old) {
      if (one.value != none) place(one.hash, one.value);
    }
  }

  std::vector<slot> slots_;
  std::size_t used_ = 0;
};

}  // namespace emulator
