// Random numbers that are not: the given ones in turn, the last one for ever after.
#pragma once

#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "engine/flow/ports.hpp"

namespace tests {

class fixed_rng final : public engine::rng {
 public:
  explicit fixed_rng(std::vector<std::uint64_t> values = {0}) : values_(std::move(values)) {}
  std::uint64_t next() override {
    const std::lock_guard lock(mutex_);
    const auto value = values_[at_];
    if (at_ + 1 < values_.size()) ++at_;
    return value;
  }

 private:
  std::mutex mutex_;
  std::vector<std::uint64_t> values_;
  std::size_t at_ = 0;
};

}  // namespace tests
