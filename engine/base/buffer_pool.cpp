#include "engine/base/buffer_pool.hpp"

#include <bit>
#include <map>
#include <mutex>
#include <new>
#include <vector>

namespace engine {

struct buffer::pool_state {
  explicit pool_state(std::size_t max) : kept_bytes_max(max) {}
  ~pool_state() {
    for (auto& [size, list] : free) {
      for (char* bytes : list) delete[] bytes;
    }
  }
  std::mutex mutex;
  std::map<std::size_t, std::vector<char*>> free;
  std::size_t kept = 0;
  const std::size_t kept_bytes_max;
};

void buffer::deleter::operator()(char* bytes) const noexcept {
  if (pool != nullptr) {
    const std::lock_guard lock(pool->mutex);
    if (capacity <= pool->kept_bytes_max && pool->kept <= pool->kept_bytes_max - capacity) {
      try {
        pool->free[capacity].push_back(bytes);
        pool->kept += capacity;
        return;
      } catch (const std::bad_alloc&) {  // no memory for the list itself: the bytes go back to the allocator instead
      }
    }
  }
  delete[] bytes;
}

buffer_pool::buffer_pool(std::size_t kept_bytes_max) : state_(std::make_shared<buffer::pool_state>(kept_bytes_max)) {}

std::size_t buffer_pool::rounded(std::size_t capacity) {
  constexpr std::size_t smallest = 4096;
  if (capacity <= smallest) return smallest;
  constexpr std::size_t largest = std::size_t{1} << (sizeof(std::size_t) * 8 - 1);
  if (capacity > largest) return capacity;  // cannot be allocated anyway, and has no power of two above it
  const std::size_t power = std::bit_ceil(capacity);
  return capacity <= power / 4 * 3 ? power / 4 * 3 : power;
}

buffer buffer_pool::take(std::size_t capacity) {
  const std::size_t size = rounded(capacity);
  {
    const std::lock_guard lock(state_->mutex);
    auto found = state_->free.find(size);
    if (found != state_->free.end() && !found->second.empty()) {
      char* bytes = found->second.back();
      found->second.pop_back();
      state_->kept -= size;
      return {bytes, size, state_};
    }
  }
  return {new char[size], size, state_};
}

std::size_t buffer_pool::kept_bytes() const {
  const std::lock_guard lock(state_->mutex);
  return state_->kept;
}

}  // namespace engine
