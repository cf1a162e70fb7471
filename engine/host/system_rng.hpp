// Randomness for jitter, nonces and names; not for keys or secrets.
#pragma once

#include <atomic>

#include "engine/flow/ports.hpp"

namespace engine {

// splitmix64 over an atomic counter: lock-free, and a fixed seed gives the same sequence of numbers (which thread gets
// which one is not fixed).
class system_rng final : public rng {
 public:
  system_rng();  // seeded by the operating system
  explicit system_rng(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() override;

 private:
  std::atomic<std::uint64_t> state_;
};

}  // namespace engine
