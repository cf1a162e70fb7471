#include "stages/route.hpp"

#include <algorithm>
#include <cassert>
#include <utility>
#include <variant>

#include "stages/sls/cursor.hpp"

namespace stages {
namespace {

constexpr engine::backoff_policy pull_backoff{.first = std::chrono::milliseconds(500), .max = std::chrono::seconds(30)};
constexpr auto throttled_wait = std::chrono::seconds(1);   // a quota of SLS is per second (sls-api §4.8)
constexpr std::size_t queue_bytes_max = 64 * engine::mib;  // the byte budget bounds first; this only names a limit

sls::cursor_start start_of(const start_position& start) {
  if (std::holds_alternative<start_begin>(start)) return sls::edge::begin;
  if (std::holds_alternative<start_end>(start)) return sls::edge::end;
  const auto at = std::get<engine::wall_time>(start);
  return sls::receive_time{std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count()};
}

}  // namespace

std::string reason_of(const sls::failure& f) {
  return f.service_code.empty() ? f.message : f.service_code + ": " + f.message;
}

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
             upload& destination, sls::client& client, std::unique_ptr<stages::fetch> fetch, account_meter& account,
             start_position start, bool readonly)
    : around_(around),
      id_(std::move(id)),
      holder_(holder),
      format_(format),
      destination_(destination),
      client_(client),
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
  return out;
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
  }
  changed_.notify();
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
      if (probe) destination_.gate().hand_on();
      continue;
    }
    const auto parked = destination_.gate().now();
    if (parked.parked && around_.probes_max != 0 && parked.probes_failed >= around_.probes_max) {
      if (probe) destination_.gate().hand_on();
      note(route_state::failed, parked.reason);
      break;
    }
    unsigned groups = 0;
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
      const bool moved = got->block.next_cursor != position_ && !got->block.next_cursor.empty();
      if (moved) {  // a position without data is a position all the same
        const bool ok = co_await skip_to(got->block.next_cursor);
        if (!ok) break;
      } else if (last_pull) {
        // No more data will ever come: done when all of it is delivered and saved.
        fixed_end_ = position_;
      } else {
        const std::lock_guard lock(mutex_);
        status_.lag_s = 0;
      }
      if (!moved && !at_fixed_end()) step = co_await rest(around_.poll_interval);
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
    auto cursor = co_await client_.get_cursor(id_.logstore, id_.shard, from);
    if (cursor) {
      failures_ = 0;
      co_return *std::move(cursor);
    }
    const auto step = co_await recover({.what = fetch_failure::kind::service, .service = std::move(cursor.error())});
    if (step == next::end) co_return std::nullopt;
  }
}

engine::task<route::next> route::recover(const fetch_failure& failed) {
  if (failed.what == fetch_failure::kind::closed || stopped()) co_return next::end;
  auto& ports = around_.ports;
  if (failed.what == fetch_failure::kind::too_large) {
    const auto needed = engine::format_size((failed.memory_limit_needed + engine::mib - 1) / engine::mib * engine::mib);
    sls::failure large;
    large.code = sls::errc::refused_by_caller;
    large.message = "one log group does not fit half the memory limit; it needs --memory-limit " + needed + " at least";
    co_return co_await park(large);
  }
  const sls::failure& f = failed.service;
  around_.counts.failures("sls", engine::name_of(sls::fault_of(f))).add();
  switch (f.code) {
    case sls::errc::cancelled:
      co_return next::end;
    case sls::errc::invalid_cursor: {
      if (position_.empty()) break;  // not even begun: the service does not like our way of asking
      // The data at our position is gone. At the oldest kept we lose nothing that can still be had; the gap is
      // reported.
      around_.counts.cursor_gaps.add();
      ports.log.error(
          "position is no longer kept by SLS: going on at the oldest data, events in between are lost",
          {{"account", id_.account}, {"project", id_.project}, {"logstore", id_.logstore}, {"shard", id_.shard}});
      auto oldest = co_await client_.get_cursor(id_.logstore, id_.shard, sls::edge::begin);
      if (oldest && *oldest != position_) {
        const bool ok = co_await skip_to(*std::move(oldest));
        co_return ok ? next::go_on : next::end;
      }
      break;  // wait below and try again
    }
    case sls::errc::shard_gone:
      ports.log.warn(
          "shard is gone",
          {{"account", id_.account}, {"project", id_.project}, {"logstore", id_.logstore}, {"shard", id_.shard}});
      if (position_.empty()) {
        note(route_state::done, "the shard no longer exists");
        co_return next::end;
      }
      fixed_end_ = position_;  // done once all that was read of it is delivered
      co_return next::go_on;
    case sls::errc::unauthorized:
    case sls::errc::forbidden:
    case sls::errc::not_found_project:
    case sls::errc::not_found_logstore:
    case sls::errc::bad_request:
    case sls::errc::clock_skew:
      co_return co_await park(f);
    default:
      break;
  }
  ++failures_;
  auto wait = engine::next_delay(pull_backoff, std::min(failures_, 10U), f.retry_after, ports.rng.next());
  if (f.code == sls::errc::throttled) wait = std::max<engine::duration>(wait, throttled_wait);
  ports.log.debug("pull failed, trying again", {{"account", id_.account},
                                                {"project", id_.project},
                                                {"logstore", id_.logstore},
                                                {"shard", id_.shard},
                                                {"error", sls::name_of(f.code)},
                                                {"detail", f.message}});
  if (failures_ == 5) {  // once in a while loud enough to be seen
    ports.log.warn(
        "pulls keep failing",
        {{"account", id_.account}, {"project", id_.project}, {"logstore", id_.logstore}, {"detail", f.message}});
  }
  co_return co_await rest(wait);
}

engine::task<route::next> route::park(const sls::failure& f) {
  const bool first = probes_failed_ == 0;
  ++probes_failed_;
  const std::string reason = reason_of(f);
  note(route_state::parked, reason);
  if (first) around_.parked(id_, f);
  if (around_.probes_max != 0 && probes_failed_ > around_.probes_max) {
    note(route_state::failed, reason);
    co_return next::end;
  }
  co_return co_await rest(around_.probe_interval);
}

// Sleeps whatever the news, but for a stop or a broken line.
engine::task<route::next> route::rest(engine::duration length) {
  const auto until = around_.ports.clock.now() + length;
  for (;;) {
    const auto seen = changed_.version();
    if (stopped()) co_return next::end;
    {
      const std::lock_guard lock(mutex_);
      if (line_ && (line_->broken() || reposition_)) co_return next::go_on;
    }
    if (around_.ports.clock.now() >= until) co_return next::go_on;
    co_await changed_.wait_until(seen, around_.ports.clock, until);
  }
}

engine::task<route::next> route::rewind() {
  for (;;) {
    const auto seen = changed_.version();
    if (stopped()) co_return next::end;
    {
      const std::lock_guard lock(mutex_);
      if (!line_->broken() && reposition_) {  // a reply that did not decode: back to it; what went before goes on
        position_ = *std::exchange(reposition_, std::nullopt);
        ++epoch_;
        co_return next::go_on;
      }
      if (line_->broken() && line_->outstanding() == 0) {
        position_ = line_->committable();
        if (sls::compare_cursors(pulled_before_, highest_noted_) != std::partial_ordering::greater) {
          pulled_before_ = highest_noted_;  // rows up to there may have been accepted although we do not know it
        }
        line_.emplace(position_, [this] { line_changed(); });
        reposition_.reset();
        ++epoch_;
        around_.counts.rewinds.add();
        co_return next::go_on;
      }
    }
    co_await changed_.wait(seen);
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
        status_.lag_s = 0;
        co_return next::end;
      }
    }
    co_await changed_.wait(seen);
  }
}

}  // namespace stages
