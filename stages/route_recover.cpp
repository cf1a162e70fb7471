// What a route does when it cannot go on: wait and try again, park, go back.
#include <algorithm>
#include <utility>

#include "stages/route.hpp"
#include "stages/sls/cursor.hpp"

namespace stages {
namespace {

constexpr engine::backoff_policy pull_backoff{.first = std::chrono::milliseconds(500), .max = std::chrono::seconds(30)};
constexpr engine::backoff_policy undecodable_backoff{.first = std::chrono::seconds(1), .max = std::chrono::seconds(30)};
constexpr auto throttled_wait = std::chrono::seconds(1);  // a quota of SLS is per second (sls-api §4.8)

}  // namespace

std::string reason_of(const sls::failure& f) {
  return f.service_code.empty() ? f.message : f.service_code + ": " + f.message;
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
      const auto moved = co_await skip_gap();
      if (moved) co_return *moved;
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

// The data at our position is gone. At the oldest kept we lose nothing that can still be had; the gap is reported.
// nullopt: there is no other position to go to.
engine::task<std::optional<route::next>> route::skip_gap() {
  around_.counts.cursor_gaps.add();
  around_.ports.log.error(
      "position is no longer kept by SLS: going on at the oldest data, events in between are lost",
      {{"account", id_.account}, {"project", id_.project}, {"logstore", id_.logstore}, {"shard", id_.shard}});
  auto oldest = co_await fetch_->cursor_at(id_.logstore, id_.shard, sls::edge::begin, holder_.flow);
  if (!oldest || *oldest == position_) co_return std::nullopt;
  const bool ok = co_await skip_to(*std::move(oldest));
  co_return ok ? next::go_on : next::end;
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
    unsigned failures = 0;
    {
      const std::lock_guard lock(mutex_);
      if (!line_->broken() && reposition_) {  // a reply that did not decode: back to it; what went before goes on
        position_ = *std::exchange(reposition_, std::nullopt);
        ++epoch_;
        failures = bad_count_;
      } else if (line_->broken() && line_->outstanding() == 0) {
        position_ = line_->committable();
        if (sls::compare_cursors(pulled_before_, highest_noted_) != std::partial_ordering::greater) {
          pulled_before_ = highest_noted_;  // rows up to there may have been accepted although we do not know it
        }
        line_.emplace(position_, [this] { line_changed(); });
        under_way_.clear();
        reposition_.reset();
        ++epoch_;
        around_.counts.rewinds.add();
        co_return next::go_on;
      }
    }
    if (failures > 0) {  // what spoilt it may last for seconds
      const auto wait = engine::next_delay(undecodable_backoff, failures - 1, {}, around_.ports.rng.next());
      co_return co_await rest(wait);
    }
    co_await changed_.wait(seen);
  }
}

}  // namespace stages
