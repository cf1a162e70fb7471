#include "stages/route.hpp"

#include <algorithm>
#include <cassert>
#include <utility>
#include <variant>

#include "stages/sls/cursor.hpp"

namespace stages {
namespace {

constexpr std::size_t queue_bytes_max = 64 * engine::mib;  // the byte budget bounds first; this only names a limit

sls::cursor_start start_of(const start_position& start) {
  if (std::holds_alternative<start_begin>(start)) return sls::edge::begin;
  if (std::holds_alternative<start_end>(start)) return sls::edge::end;
  const auto at = std::get<engine::wall_time>(start);
  return sls::receive_time{std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count()};
}

}  // namespace

std::string_view name_of(route_state s) {
  switch (s) {
    case route_state::starting:
      return "starting";
    case route_state::running:
      return "running";
    case route_state::parked:
      return "parked";
    case route_state::done:
      return "done";
    case route_state::failed:
      return "failed";
  }
  return "unknown";
}

route::route(route_surroundings& around, engine::route_id id, engine::budget_holder holder, row_format format,
             upload& destination, std::unique_ptr<stages::fetch> fetch, account_meter& account, start_position start,
             bool readonly)
    : around_(around),
      id_(std::move(id)),
      holder_(holder),
      format_(format),
      destination_(destination),
      fetch_(std::move(fetch)),
      account_(account),
      start_(start),
      readonly_(readonly),
      queue_(around.queue_blocks_max, queue_bytes_max) {}

// --- state seen from outside ---------------------------------------------------------------------------------------

void route::stop() {
  stopping_.store(true);
  changed_.notify();
}

void route::abort() {
  stop();
  queue_.cancel();
  static_cast<void>(queue_.take_rest());
}

route_status route::status() const {
  const std::lock_guard lock(mutex_);
  route_status out = status_;
  out.committed = committed_;
  out.in_flight = queue_.size() + (line_ ? line_->outstanding() : 0);
  out.lag_s = lag_now_s(out.in_flight);
  return out;
}

double route::lag_now_s(std::size_t in_flight) const {
  const bool pulling = status_.state == route_state::running && destination_.gate().open();
  if (in_flight == 0 && (status_.state == route_state::done || (pulling && caught_up_))) return 0;
  auto since = delivered_up_to_;
  if (since == engine::wall_time() && !under_way_.empty()) since = under_way_.front().received;
  if (since == engine::wall_time()) return 0;  // nothing read yet: unknown
  return std::max(0.0, std::chrono::duration<double>(around_.ports.clock.wall() - since).count());
}

bool route::settled() const {
  const std::lock_guard lock(mutex_);
  return !line_ || (line_->outstanding() == 0 && !committing_ && line_->committable() == committed_);
}

void route::note(route_state state, std::string reason) {
  const std::lock_guard lock(mutex_);
  status_.state = state;
  status_.reason = std::move(reason);
}

engine::ack_line route::line() const {
  const std::lock_guard lock(mutex_);
  return *line_;
}

// --- commit --------------------------------------------------------------------------------------------------------

void route::line_changed() {
  changed_.notify();
  {
    const std::lock_guard lock(mutex_);
    if (committing_ || !line_ || line_->committable() == committed_) return;
    committing_ = true;
  }
  around_.spawn(commit());
}

// One at a time per route: later positions that become committable meanwhile go with the next turn of the loop.
engine::task<> route::commit() {
  for (;;) {
    std::string position;
    {
      const std::lock_guard lock(mutex_);
      position = line_->committable();
      if (position == committed_) {
        committing_ = false;
        break;
      }
    }
    const auto saved = co_await around_.ports.store.commit(id_, position);
    if (!saved) {
      {
        const std::lock_guard lock(mutex_);
        committing_ = false;
      }
      around_.fail("position not saved: " + saved.error().message);
      break;
    }
    around_.counts.commits.add();
    const std::lock_guard lock(mutex_);
    committed_ = position;
    note_committed(position);
  }
  changed_.notify();
}

void route::note_committed(const std::string& position) {
  const auto reached = std::ranges::find(under_way_, position, &landmark::position);
  if (reached == under_way_.end()) return;
  if (reached->received != engine::wall_time()) delivered_up_to_ = reached->received;
  under_way_.erase(under_way_.begin(), reached + 1);
}

// --- pull ----------------------------------------------------------------------------------------------------------

engine::task<> route::pull() {
  auto step = co_await begin();
  while (step == next::go_on && !stopped()) {
    bool broken = false;
    {
      const std::lock_guard lock(mutex_);
      broken = line_->broken() || reposition_.has_value();
    }
    if (broken) {
      step = co_await rewind();
      continue;
    }
    if (at_fixed_end()) {
      step = co_await wait_until_committed();
      continue;
    }
    const auto pass = co_await destination_.gate().enter(gate_round_);
    if (pass == gate::pass::closed || stopped()) break;
    const bool probe = pass == gate::pass::probe;
    {
      // While it waited at the gate its line may have broken: what comes next is the rewind, and somebody else may
      // probe.
      const std::lock_guard lock(mutex_);
      broken = line_->broken() || reposition_.has_value();
    }
    if (broken) {
      if (probe) {
        gate_round_ = 0;  // it tried nothing: after the rewind it may have the turn back
        destination_.gate().hand_on();
      }
      continue;
    }
    const auto parked = destination_.gate().now();
    if (parked.parked && around_.probes_max != 0 && parked.probes_failed >= around_.probes_max) {
      if (probe) destination_.gate().hand_on();
      note(route_state::failed, parked.reason);
      break;
    }
    unsigned groups = probe ? 1 : 0;  // enough to see whether the destination answers
    {
      const std::lock_guard lock(mutex_);
      if (!narrow_until_.empty() && sls::compare_cursors(position_, narrow_until_) == std::partial_ordering::less) {
        groups = 1;
      } else {
        narrow_until_.clear();
      }
    }
    // Looked at before the request: what was written before the shard became read-only is then in this answer or a
    // later one.
    const bool last_pull = readonly_.load();
    auto got = co_await (*fetch_)(id_.logstore, id_.shard, position_, fixed_end_, holder_, groups);
    if (!got) {
      if (probe) destination_.gate().hand_on();
      step = co_await recover(got.error());
      continue;
    }
    failures_ = 0;
    if (std::exchange(probes_failed_, 0U) != 0) around_.resumed(id_);
    note(route_state::running, {});
    if (got->block.plain_bytes == 0) {
      if (probe) destination_.gate().hand_on();
      step = co_await nothing_there(std::move(got->block.next_cursor), last_pull);
      continue;
    }
    const bool at_end = got->at_end;
    position_ = got->block.next_cursor;
    queued item{.block = std::move(got->block),
                .lease = std::move(got->lease),
                .epoch = 0,
                .probe = probe,
                .queued_at = around_.ports.clock.now()};
    {
      const std::lock_guard lock(mutex_);
      item.epoch = epoch_;
    }
    const std::size_t bytes = item.lease.bytes();
    const auto pushed = co_await queue_.push(std::move(item), bytes);
    if (pushed != engine::push_result::ok) break;
    if (at_end && !at_fixed_end()) step = co_await rest(around_.poll_interval);
  }
  queue_.close();
}

// An answer without data.
engine::task<route::next> route::nothing_there(std::string next_cursor, bool last_pull) {
  const bool moved = next_cursor != position_ && !next_cursor.empty();
  if (moved) {  // a position without data is a position all the same
    const bool ok = co_await skip_to(std::move(next_cursor));
    co_return ok ? next::go_on : next::end;
  }
  if (last_pull) {
    // No more data will ever come: done when all of it is delivered and saved.
    fixed_end_ = position_;
    co_return next::go_on;
  }
  {
    const std::lock_guard lock(mutex_);
    caught_up_ = true;
    if (under_way_.empty()) delivered_up_to_ = around_.ports.clock.wall();
  }
  if (at_fixed_end()) co_return next::go_on;
  co_return co_await rest(around_.poll_interval);
}

// A position without a block takes its turn behind the blocks before it.
engine::task<bool> route::skip_to(std::string cursor) {
  position_ = cursor;
  queued item;
  item.block.next_cursor = std::move(cursor);
  {
    const std::lock_guard lock(mutex_);
    item.epoch = epoch_;
  }
  const auto pushed = co_await queue_.push(std::move(item), 0);
  co_return pushed == engine::push_result::ok;
}

bool route::at_fixed_end() const { return !fixed_end_.empty() && position_ == fixed_end_; }

engine::task<route::next> route::begin() {
  auto saved = co_await around_.ports.store.load(id_);
  if (!saved) {
    around_.fail("position not read: " + saved.error().message);
    co_return next::end;
  }
  std::string start = saved->committed;
  if (start.empty()) {
    auto cursor = co_await first_cursor(start_of(start_));
    if (!cursor) co_return next::end;
    start = *std::move(cursor);
  }
  if (around_.once) {
    auto end = co_await first_cursor(sls::edge::end);
    if (!end) co_return next::end;
    fixed_end_ = *std::move(end);
  }
  {
    const std::lock_guard lock(mutex_);
    committed_ = saved->committed;
    highest_noted_ = saved->pulled;
    if (!saved->pulled.empty() && saved->pulled != saved->committed) pulled_before_ = saved->pulled;
    line_.emplace(start, [this] { line_changed(); });
  }
  position_ = std::move(start);
  // A first position is kept at once: with `start: end` what arrives from now on is ours even after a restart.
  line_changed();
  note(route_state::running, {});
  co_return next::go_on;
}

// The service's answer or nothing when the route ended meanwhile.
engine::task<std::optional<std::string>> route::first_cursor(sls::cursor_start from) {
  for (;;) {
    auto cursor = co_await fetch_->cursor_at(id_.logstore, id_.shard, from, holder_.flow);
    if (cursor) {
      failures_ = 0;
      co_return *std::move(cursor);
    }
    const auto step = co_await recover(cursor.error());
    if (step == next::end) co_return std::nullopt;
  }
}

engine::task<route::next> route::wait_until_committed() {
  for (;;) {
    const auto seen = changed_.version();
    if (stopped()) co_return next::end;
    {
      const std::lock_guard lock(mutex_);
      if (line_->broken() || reposition_) co_return next::go_on;
      if (committed_ == fixed_end_) {
        status_.state = route_state::done;
        status_.reason.clear();
        co_return next::end;
      }
    }
    co_await changed_.wait(seen);
  }
}

}  // namespace stages
