// Reusable big buffers: the kernel's page faults cost more than the copy into them. Thread-safe.
//
// Buffers come in sizes of a power of two or three quarters of one, so at most a third is waste. What is kept for reuse
// is bounded by `kept_bytes_max`; the rest goes back to the allocator at once. What is handed out is bounded by the
// byte budget of the caller, not here.
#pragma once

#include <cstddef>
#include <memory>

#include "engine/base/bytes.hpp"

namespace engine {

class buffer_pool {
 public:
  explicit buffer_pool(std::size_t kept_bytes_max);

  // At least `capacity` bytes (0 is allowed), size 0.
  [[nodiscard]] buffer take(std::size_t capacity);
  [[nodiscard]] std::size_t kept_bytes() const;

  // The capacity that take(capacity) will have; what a budget should charge.
  static std::size_t rounded(std::size_t capacity);

 private:
  std::shared_ptr<buffer::pool_state> state_;  // shared with every buffer handed out
};

}  // namespace engine
