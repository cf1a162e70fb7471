#include "engine/host/system_rng.hpp"

#include <random>

namespace engine {

system_rng::system_rng() : state_(0) {
  std::random_device device;  // getrandom or the processor's generator, never a fixed sequence on Linux
  state_ = (static_cast<std::uint64_t>(device()) << 32) ^ device();
}

std::uint64_t system_rng::next() {
  constexpr std::uint64_t step = 0x9e3779b97f4a7c15;
  std::uint64_t z = state_.fetch_add(step, std::memory_order_relaxed) + step;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace engine
