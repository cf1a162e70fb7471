// An engine::store in virtual time. What it acknowledged stands in a kept_state that outlives it, so that the next
// process finds it; what was under way when it is killed is there or not, as the seed has it.
//
// Calls are carried out in order, each some virtual milliseconds after the one before. After the first failure every
// later call fails.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/flow/ports.hpp"
#include "engine/flow/signal.hpp"
#include "tests/support/simulated_executor.hpp"

namespace tests {

struct kept_state {
  std::map<engine::route_id, engine::saved_position> positions;
  std::vector<engine::dead_letter> letters;
};

class memory_store final : public engine::store {
 public:
  memory_store(support::simulation& sim, kept_state& kept) : sim_(sim), kept_(kept) {}

  // Looks at each commit at the moment it is asked for: what it promises must be true by then.
  std::function<void(const engine::route_id&, const std::string& cursor)> on_commit;
  std::function<void(const engine::route_id&, const std::string& cursor)> on_pulled;
  engine::duration latency_max = std::chrono::milliseconds(200);

  engine::task<std::expected<engine::saved_position, engine::store_failure>> load(engine::route_id id) override {
    const auto done = co_await turn();
    if (done != outcome::done) co_return std::unexpected(failure());
    const auto found = kept_.positions.find(id);
    if (found == kept_.positions.end()) co_return engine::saved_position{};
    co_return found->second;
  }
  engine::task<engine::store_result> commit(engine::route_id id, std::string cursor) override {
    if (on_commit) on_commit(id, cursor);
    const auto done = co_await turn();
    if (done != outcome::not_done) {
      kept_.positions[id].committed = cursor;
      ++commits_done_;
    }
    if (done != outcome::done) co_return std::unexpected(failure());
    co_return engine::store_result{};
  }
  engine::task<engine::store_result> note_pulled(engine::route_id id, std::string cursor) override {
    if (on_pulled) on_pulled(id, cursor);
    const auto done = co_await turn();
    if (done != outcome::not_done) kept_.positions[id].pulled = cursor;
    if (done != outcome::done) co_return std::unexpected(failure());
    co_return engine::store_result{};
  }
  engine::task<engine::store_result> bury(std::vector<engine::dead_letter> letters) override {
    const auto done = co_await turn();
    if (done != outcome::not_done) std::move(letters.begin(), letters.end(), std::back_inserter(kept_.letters));
    if (done != outcome::done) co_return std::unexpected(failure());
    co_return engine::store_result{};
  }

  // The n-th call from now, counted from 1, fails, and with it every later one.
  void fail_at(std::size_t call) { fail_at_ = calls_ + call; }
  void kill() {
    killed_ = true;
    ended_.close();
  }
  [[nodiscard]] std::size_t calls() const { return calls_; }
  [[nodiscard]] std::size_t commits_done() const { return commits_done_; }
  [[nodiscard]] bool failed() const { return calls_ >= fail_at_; }

 private:
  enum class outcome : std::uint8_t { done, not_done, done_but_not_told };
  static engine::store_failure failure() { return {.code = engine::store_errc::io, .message = "the disk is gone"}; }

  engine::task<outcome> turn() {
    if (killed_) co_return outcome::not_done;
    const std::size_t mine = ++calls_;
    const auto within = static_cast<std::uint64_t>(latency_max.count());
    const auto wait = engine::duration(static_cast<std::int64_t>(sim_.next() % within));
    last_done_ = std::max(last_done_ + engine::duration(1), sim_.now() + wait);
    const auto until = last_done_;
    const bool whole = co_await ended_.sleep_until(sim_, until);
    if (!whole) co_return sim_.next() % 2 == 0 ? outcome::not_done : outcome::done_but_not_told;
    co_return mine >= fail_at_ ? outcome::not_done : outcome::done;
  }

  support::simulation& sim_;
  kept_state& kept_;
  engine::signal ended_;
  engine::time_point last_done_{};
  std::size_t calls_ = 0;
  std::size_t fail_at_ = SIZE_MAX;
  std::size_t commits_done_ = 0;
  bool killed_ = false;
};

}  // namespace tests
