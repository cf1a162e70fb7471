#include "engine/flow/ack.hpp"

#include <cassert>
#include <list>
#include <mutex>
#include <utility>

namespace engine {

struct ack_line::block {
  std::shared_ptr<state> line;
  std::string position;
  std::shared_ptr<void> keep;
  std::uint32_t left = 0;  // units not ended
  bool failed = false;
  bool ended = false;
};

struct ack_line::state {
  mutable std::mutex mutex;
  std::string committable;
  std::list<std::shared_ptr<block>> blocks;  // from the first that is not wholly delivered
  std::size_t outstanding = 0;
  bool broken = false;
  std::function<void()> changed;

  // Ends units of a block; the caller holds no lock.
  void end_units(const std::shared_ptr<block>& b, std::uint32_t units, bool ok) {
    std::shared_ptr<void> release;  // freed after the lock: it may give back budget and wake others
    std::list<std::shared_ptr<block>> dead;
    bool news = false;
    {
      const std::lock_guard lock(mutex);
      assert(b->left >= units);
      b->left -= units;
      if (!ok) {
        b->failed = true;
        news = news || !broken;
        broken = true;
      }
      if (b->left == 0) {
        b->ended = true;
        --outstanding;
        release = std::move(b->keep);
        news = advance() || outstanding == 0 || news;
        // Nothing behind a gap can be committed any more. The blocks hold this state: they must not be held by it for
        // ever.
        if (broken && outstanding == 0) dead.swap(blocks);
      }
    }
    release.reset();
    if (news && changed) changed();
  }

  bool advance() {
    bool moved = false;
    while (!blocks.empty() && blocks.front()->ended && !blocks.front()->failed) {
      committable = blocks.front()->position;
      blocks.pop_front();
      moved = true;
    }
    return moved;
  }
};

ack_line::ack_line(std::string start, std::function<void()> changed) : state_(std::make_shared<state>()) {
  state_->committable = std::move(start);
  state_->changed = std::move(changed);
}

ack_line::delivery ack_line::open(std::string position, std::uint32_t units, std::shared_ptr<void> keep) {
  auto b = std::make_shared<block>();
  b->line = state_;
  b->position = std::move(position);
  b->left = units;
  {
    const std::lock_guard lock(state_->mutex);
    if (!state_->broken) state_->blocks.push_back(b);
    if (units == 0) {
      b->ended = true;
      static_cast<void>(state_->advance());
    } else {
      b->keep = std::move(keep);
      ++state_->outstanding;
    }
  }
  delivery all;
  all.units_ = units;
  if (units > 0) all.block_ = std::move(b);
  return all;
}

std::string ack_line::committable() const {
  const std::lock_guard lock(state_->mutex);
  return state_->committable;
}
bool ack_line::broken() const {
  const std::lock_guard lock(state_->mutex);
  return state_->broken;
}
std::size_t ack_line::outstanding() const {
  const std::lock_guard lock(state_->mutex);
  return state_->outstanding;
}
void ack_line::break_off() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->broken = true;
  }
  if (state_->changed) state_->changed();
}

ack_line::delivery::delivery(delivery&& other) noexcept
    : block_(std::move(other.block_)), units_(std::exchange(other.units_, 0)) {}

ack_line::delivery& ack_line::delivery::operator=(delivery&& other) noexcept {
  if (this != &other) {
    abandon();
    block_ = std::move(other.block_);
    units_ = std::exchange(other.units_, 0);
  }
  return *this;
}

ack_line::delivery ack_line::delivery::split(std::uint32_t units) {
  assert(units <= units_);
  delivery part;
  part.units_ = units;
  if (units > 0) part.block_ = block_;
  units_ -= units;
  return part;
}

void ack_line::delivery::merge(delivery other) {
  assert(other.units_ == 0 || units_ == 0 || block_ == other.block_);
  if (units_ == 0) {
    *this = std::move(other);
    return;
  }
  units_ += std::exchange(other.units_, 0);
  other.block_.reset();
}

void ack_line::delivery::delivered() {
  if (units_ == 0) return;
  const auto b = std::move(block_);
  b->line->end_units(b, std::exchange(units_, 0), true);
}

void ack_line::delivery::abandon() {
  if (units_ == 0) return;
  const auto b = std::move(block_);
  b->line->end_units(b, std::exchange(units_, 0), false);
}

const std::shared_ptr<void>& ack_line::delivery::kept() const {
  assert(block_ != nullptr);
  return block_->keep;
}

}  // namespace engine
