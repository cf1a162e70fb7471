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

// --- convert -------------------------------------------------------------------------------------------------------

engine::task<> route::convert() {
  for (;;) {
    auto item = co_await queue_.pop();
    if (!item) break;
    const bool probe = item->probe;
    const bool sent = co_await convert_block(*std::move(item));
    if (probe && !sent) destination_.gate().hand_on();  // it tried nothing
  }
}

engine::task<bool> route::convert_block(queued item) {
  auto& ports = around_.ports;
  const auto stale = [this, &item] {
    const std::lock_guard lock(mutex_);
    return item.epoch != epoch_ || line_->broken() || reposition_.has_value();
  };
  if (stale()) co_return false;
  if (item.block.plain_bytes == 0) {
    {
      const std::lock_guard lock(mutex_);
      if (item.epoch != epoch_ || line_->broken()) co_return false;
      static_cast<void>(line_->open(item.block.next_cursor, 0, nullptr));
    }
    line_changed();
    co_return false;
  }
  auto place = co_await destination_.places().acquire(holder_.flow);
  if (!place || stale()) co_return false;
  if (!item.probe && !destination_.gate().open()) {
    line().break_off();  // parked meanwhile: this block is given back, the route rewinds to what is committed
    co_return false;
  }
  if (sls::compare_cursors(item.block.next_cursor, highest_noted_) != std::partial_ordering::less) {
    const auto noted = co_await ports.store.note_pulled(id_, item.block.next_cursor);
    if (!noted) {
      around_.fail("position not saved: " + noted.error().message);
      co_return false;
    }
    const std::lock_guard lock(mutex_);
    highest_noted_ = item.block.next_cursor;
  }

  // One CPU slot from here to leave(): no await in between.
  const auto asked = ports.clock.now();
  co_await ports.cpu.enter(holder_.flow, item.block.plain_bytes);
  const auto entered = ports.clock.now();
  auto with = around_.converters.take();
  std::expected<converted, std::string> result = (*with)(item.block, format_);
  std::vector<engine::dead_letter> letters;
  engine::ack_line::delivery set_aside_units;
  std::vector<closed_body> closed;
  std::uint64_t event_count = 0;
  bool dropped = false;
  bool probed = false;
  std::size_t letter_bytes = 0;  // originals on their way to the dead letters are paid for until they are there
  std::size_t held_bytes = 0;
  std::shared_ptr<held_block> held;
  if (result) {
    event_count = result->event_count;
    const std::string block_cursor = item.block.cursor;
    const auto letter = [&](std::string_view reason, std::uint32_t index, engine::byte_view original,
                            std::string detail) {
      letters.push_back({.route = id_,
                         .reason = std::string(reason),
                         .detail = std::move(detail),
                         .cursor = block_cursor,
                         .index = index,
                         .original = std::string(original)});
      letter_bytes += original.size();
    };
    for (const auto& bad : *result->bad) letter(name_of(bad.reason), bad.index, bad.original, {});
    for (const auto& bad : result->rows->bad) letter(name_of(bad.reason), bad.index, bad.original, {});
    for (const auto& cut : result->rows->cut)
      letter("cut_field", cut.index, cut.original, "delivered with the field cut");
    const std::size_t row_count = result->rows->refs.size();

    // What stays until the last row is answered: the reply as received, and its rows' share of the bodies, which gzip
    // makes no larger than a quarter above what LZ4 made of them.
    held = std::make_shared<held_block>();
    held->route = id_;
    const std::size_t share =
        std::min<std::size_t>(result->rows->text.size(), item.block.bytes.size() * 5 / 4 + row_count * 16);
    const std::string position = item.block.next_cursor;
    held_bytes = item.block.bytes.capacity() + share;
    item.lease.shrink_to(held_bytes + letter_bytes);
    const auto now = ports.clock.now();
    if (result->last_receive_s != 0) {
      const auto wall_s = std::chrono::duration<double>(ports.clock.wall().time_since_epoch()).count();
      const std::lock_guard lock(mutex_);
      status_.lag_s = std::max(0.0, wall_s - static_cast<double>(result->last_receive_s));
    }
    count_possible_duplicates(item.block, row_count);
    held->reply = std::move(item.block);
    held->lease = std::move(item.lease);
    engine::ack_line::delivery units;
    {
      const std::lock_guard lock(mutex_);
      if (item.epoch != epoch_ || line_->broken()) {
        dropped = true;
      } else {
        units = line_->open(position, static_cast<std::uint32_t>(row_count + letters.size()), held);
      }
    }
    if (!dropped) {
      if (units.units() == 0) line_changed();
      set_aside_units = units.split(static_cast<std::uint32_t>(letters.size()));
      std::vector<std::uint32_t> misfits;
      auto left = around_.open.append(destination_.id(), *result->rows, std::move(units), held, now,
                                      item.probe || around_.linger_none, closed);
      for (const auto row : left.rows) {
        misfits.push_back(result->rows->refs[row].index);
      }
      if (!misfits.empty()) {  // read again from the reply: the scratch holds rows, the dead letters keep originals
        auto texts = with->originals(held->reply, misfits);
        assert(texts.has_value() && "a reply that was read once can be read again");
        for (std::size_t i = 0; i < misfits.size(); ++i) {
          letter(name_of(set_aside_reason::too_large), misfits[i], (*texts)[i], "the row fits no body alone");
        }
      }
      set_aside_units.merge(std::move(left.units));
      account_.events_in->add(static_cast<double>(event_count));
      around_.counts.events_in.add(static_cast<double>(event_count));
      around_.counts.stage(stage_name::fetch).events->add(static_cast<double>(event_count));
      auto& compress = around_.counts.stage(stage_name::compress);
      compress.busy_s->add(std::chrono::duration<double>(ports.clock.now() - now).count());
      compress.events->add(static_cast<double>(row_count));
    }
  }
  around_.converters.give(std::move(with));
  co_await ports.cpu.leave();
  around_.counts.stage(stage_name::decompress).wait_s->add(std::chrono::duration<double>(entered - asked).count());

  for (auto& body : closed) {
    body.out.probe = item.probe && body.destination == destination_.id();
    probed = probed || body.out.probe;
    around_.hand_over(body.destination, std::move(body.out));
  }
  if (!result) {
    co_await undecodable(std::move(item), result.error());
    co_return false;
  }
  if (dropped) co_return false;
  {
    const std::lock_guard lock(mutex_);
    bad_count_ = 0;
  }
  around_.lanes_changed();
  if (!letters.empty()) {
    for (const auto& l : letters) {
      around_.counts.dead_letters(l.reason).add();
      around_.counts.dead_letters_total.add();
    }
    const auto buried = co_await ports.store.bury(std::move(letters));
    if (!buried) {
      around_.fail("dead letter not written: " + buried.error().message);
      co_return true;
    }
    held->lease.shrink_to(held_bytes);
    set_aside_units.delivered();
  }
  co_return probed;
}

// The reply of this item does not decode. What was queued after it is dropped by its epoch.
engine::task<> route::undecodable(queued item, std::string why) {
  around_.counts.replies_undecodable.add();
  bool give_up = false;
  {
    const std::lock_guard lock(mutex_);
    if (item.epoch != epoch_ || line_->broken()) co_return;  // the route went back meanwhile
    if (bad_cursor_ != item.block.cursor) {
      bad_cursor_ = item.block.cursor;
      bad_count_ = 0;
    }
    ++bad_count_;
    give_up = bad_count_ >= undecodable_max;
    if (!give_up) {
      if (bad_count_ >= 2 && narrow_until_.empty()) narrow_until_ = item.block.next_cursor;
      reposition_ = item.block.cursor;
    }
  }
  around_.ports.log.warn("reply does not decode", {{"account", id_.account},
                                                   {"project", id_.project},
                                                   {"logstore", id_.logstore},
                                                   {"shard", id_.shard},
                                                   {"detail", why},
                                                   {"attempt", bad_count_},
                                                   {"given_up", give_up}});
  if (!give_up) {
    changed_.notify();
    co_return;
  }
  engine::ack_line::delivery unit;
  {
    const std::lock_guard lock(mutex_);
    if (item.epoch != epoch_ || line_->broken()) co_return;
    unit = line_->open(item.block.next_cursor, 1, nullptr);
  }
  std::vector<engine::dead_letter> letters;
  letters.push_back({.route = id_,
                     .reason = "undecodable_reply",
                     .detail = std::move(why),
                     .cursor = item.block.cursor,
                     .index = 0,
                     .original = std::string(item.block.bytes.view())});
  const auto buried = co_await around_.ports.store.bury(std::move(letters));
  if (!buried) {
    around_.fail("dead letter not written: " + buried.error().message);
    co_return;
  }
  around_.counts.dead_letters("undecodable_reply").add();
  around_.counts.dead_letters_total.add();
  unit.delivered();
}

void route::count_possible_duplicates(const fetched_block& block, std::size_t rows) {
  const std::lock_guard lock(mutex_);
  if (pulled_before_.empty()) return;
  const auto order = sls::compare_cursors(block.cursor, pulled_before_);
  if (order == std::partial_ordering::less) {
    around_.counts.duplicates_possible.add(static_cast<double>(rows));
  } else {
    pulled_before_.clear();
  }
}

}  // namespace stages
