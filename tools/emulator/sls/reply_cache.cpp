#include "reply_cache.hpp"

namespace emulator::sls {

reply_cache::reply reply_cache::find(const key& wanted) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(wanted);
  if (found == entries_.end()) return {};
  order_.splice(order_.begin(), order_, found->second.place);
  return found->second.value;
}

void reply_cache::keep(const key& of, reply value) {
  const std::lock_guard lock(mutex_);
  if (value.body->size() > bytes_max_ || entries_.contains(of)) return;
  order_.push_front(of);
  bytes_ += value.body->size();
  entries_.emplace(of, entry{std::move(value), order_.begin()});
  while (bytes_ > bytes_max_) {
    const auto oldest = entries_.find(order_.back());
    bytes_ -= oldest->second.value.body->size();
    entries_.erase(oldest);
    order_.pop_back();
  }
}

}  // namespace emulator::sls
