// The store of --dry-run: begins at the saved positions, keeps nothing.
#pragma once

#include <string>

#include "engine/flow/ports.hpp"
#include "engine/host/state_store.hpp"

namespace penstock {

class dry_store final : public engine::store {
 public:
  explicit dry_store(const std::string& path) {
    if (auto saved = engine::state_store::list(path)) saved_ = *std::move(saved);
  }
  engine::task<std::expected<engine::saved_position, engine::store_failure>> load(engine::route_id route) override {
    for (const auto& s : saved_) {
      if (s.route == route) co_return s.position;
    }
    co_return engine::saved_position{};
  }
  engine::task<engine::store_result> commit(engine::route_id, std::string) override {
    co_return engine::store_result{};
  }
  engine::task<engine::store_result> note_pulled(engine::route_id, std::string) override {
    co_return engine::store_result{};
  }
  engine::task<engine::store_result> bury(std::vector<engine::dead_letter>) override {
    co_return engine::store_result{};
  }

 private:
  std::vector<engine::saved_route> saved_;
};

}  // namespace penstock
