#include "stages/name_order.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace stages {
namespace {

constexpr std::uint32_t free_slot = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t slots_min = 64;
constexpr std::size_t slots_kept_max = 4'096;
// Names chosen to share their hashes' low bits must not make a block quadratic: beyond this they share a group, which
// costs nothing but compression.
constexpr unsigned probes_max = 256;

}  // namespace

// A name that has no group yet gets the next one.
std::uint32_t name_order::group_of(std::uint32_t hash) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  for (unsigned probes = 0; slots_[at].group != free_slot && slots_[at].hash != hash; ++probes) {
    if (probes == probes_max) return slots_[at].group;
    at = (at + 1) & mask;
  }
  if (slots_[at].group != free_slot) return slots_[at].group;
  const auto group = static_cast<std::uint32_t>(sizes_.size());
  slots_[at] = {.hash = hash, .group = group};
  sizes_.push_back(0);
  if (2 * sizes_.size() > slots_.size()) grow();
  return group;
}

void name_order::grow() {
  std::vector<slot> old(2 * slots_.size(), slot{.hash = 0, .group = free_slot});
  old.swap(slots_);
  const std::size_t mask = slots_.size() - 1;
  for (const slot& one : old) {
    if (one.group == free_slot) continue;
    std::size_t at = one.hash & mask;
    while (slots_[at].group != free_slot) at = (at + 1) & mask;
    slots_[at] = one;
  }
}

std::span<const std::uint32_t> name_order::operator()(const std::vector<record>& events) {
  // As large as the block before needed, so that it need not grow again; but not what one strange block needed.
  const std::size_t slots = slots_.size() > slots_kept_max ? slots_min : std::max(slots_.size(), slots_min);
  slots_.assign(slots, slot{.hash = 0, .group = free_slot});
  sizes_.clear();
  groups_.clear();
  for (const record& event : events) {
    const std::uint32_t group = group_of(event.name_hash);
    ++sizes_[group];
    groups_.push_back(group);
  }

  std::uint32_t begin = 0;
  for (std::uint32_t& size : sizes_) begin += std::exchange(size, begin);
  ordered_.resize(events.size());
  for (std::uint32_t i = 0; i < groups_.size(); ++i) ordered_[sizes_[groups_[i]]++] = i;
  return ordered_;
}

}  // namespace stages
