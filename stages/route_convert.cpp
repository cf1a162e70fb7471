// The half of a route behind the queue: blocks to rows in the lanes of the destination.
#include <algorithm>
#include <cassert>
#include <utility>

#include "stages/route.hpp"
#include "stages/sls/cursor.hpp"

namespace stages {

engine::task<> route::convert() {
  for (;;) {
    auto item = co_await queue_.pop();
    if (!item) break;
    const bool probe = item->probe;
    const bool sent = co_await convert_block(*std::move(item));
    if (probe && !sent) destination_.gate().hand_on();  // it tried nothing
  }
}

// What one CPU slot made of a block.
struct route::slot_outcome {
  std::string undecodable;  // not empty: the reply as a whole is not what it claims to be
  bool stale = false;       // the route went back meanwhile: nothing was begun
  std::vector<closed_body> closed;
  std::vector<engine::dead_letter> letters;
  engine::ack_line::delivery letter_units;  // one for each letter
  std::shared_ptr<held_block> held;
  std::size_t held_bytes = 0;  // what stays leased once the letters are written
};

engine::task<bool> route::convert_block(queued item) {
  auto& ports = around_.ports;
  const auto stale = [this, &item] {
    const std::lock_guard lock(mutex_);
    return item.epoch != epoch_ || line_->broken() || reposition_.has_value();
  };
  if (stale()) co_return false;
  if (item.block.plain_bytes == 0) {
    pass_position(item);
    co_return false;
  }
  auto place = co_await destination_.places().acquire(holder_.flow);
  if (!place || stale()) co_return false;
  if (!item.probe && !destination_.gate().open()) {
    line().break_off();  // parked meanwhile: this block is given back, the route rewinds to what is committed
    co_return false;
  }
  const bool noted = co_await note_pulled(item.block.next_cursor);
  if (!noted) co_return false;

  const auto asked = ports.clock.now();
  co_await ports.cpu.enter(holder_.flow, std::min<std::size_t>(item.block.plain_bytes, plain_bytes_max));
  const auto entered = ports.clock.now();
  slot_outcome out = work_in_slot(item);
  co_await ports.cpu.leave();
  around_.counts.stage(stage_name::decompress).wait_s->add(std::chrono::duration<double>(entered - asked).count());

  bool probed = false;
  for (auto& body : out.closed) {
    body.out.probe = item.probe && body.destination == destination_.id();
    probed = probed || body.out.probe;
    around_.hand_over(body.destination, std::move(body.out));
  }
  if (!out.undecodable.empty()) {
    co_await undecodable(std::move(item), std::move(out.undecodable));
    co_return false;
  }
  if (out.stale) co_return false;
  {
    const std::lock_guard lock(mutex_);
    bad_count_ = 0;
  }
  around_.lanes_changed();
  if (!out.letters.empty()) co_await bury(std::move(out));
  co_return probed;
}

// Every block takes its place on the line here, and leaves a landmark of how old its events are. nullopt: the block is
// of no use any more, the route has been rewound or will be.
std::optional<engine::ack_line::delivery> route::open_on_line(std::uint64_t epoch, const std::string& position,
                                                              std::uint32_t units, std::shared_ptr<void> keep,
                                                              engine::wall_time received) {
  const std::lock_guard lock(mutex_);
  if (epoch != epoch_ || line_->broken()) return std::nullopt;
  under_way_.push_back({.position = position, .received = received});
  return line_->open(position, units, std::move(keep));
}

void route::pass_position(const queued& item) {
  if (open_on_line(item.epoch, item.block.next_cursor, 0, nullptr, {})) line_changed();
}

// Before a row of the block can leave, the store knows how far we have read: after a crash what lies below may be
// double.
engine::task<bool> route::note_pulled(std::string cursor) {
  if (sls::compare_cursors(cursor, highest_noted_) == std::partial_ordering::less) co_return true;
  const auto noted = co_await around_.ports.store.note_pulled(id_, cursor);
  if (!noted) {
    around_.fail("position not saved: " + noted.error().message);
    co_return false;
  }
  const std::lock_guard lock(mutex_);
  highest_noted_ = std::move(cursor);
  co_return true;
}

// On a CPU worker, start to end without waiting for anything.
route::slot_outcome route::work_in_slot(queued& item) {
  slot_outcome out;
  auto with = around_.converters.take();
  const auto made = (*with)(item.block, format_);
  if (made) {
    append_rows(item, *made, *with, out);
  } else {
    out.undecodable = made.error();
  }
  around_.converters.give(std::move(with));
  return out;
}

// Originals on their way to the dead letters are paid for until they are there.
void route::pay_for_letters(slot_outcome& out) {
  std::size_t letter_bytes = 0;
  for (const auto& l : out.letters) letter_bytes += l.original.size();
  out.held->lease.shrink_to(out.held_bytes + letter_bytes);
}

void route::append_rows(queued& item, const converted& made, converter& with, slot_outcome& out) {
  auto& ports = around_.ports;
  const rows& all = *made.rows;
  const std::size_t row_count = all.refs.size();
  const auto letter = [&](std::string_view reason, std::uint32_t index, engine::byte_view original,
                          std::string detail) {
    out.letters.push_back({.route = id_,
                           .reason = std::string(reason),
                           .detail = std::move(detail),
                           .cursor = out.held->reply.cursor,
                           .index = index,
                           .original = std::string(original)});
  };

  // What stays until the last row is answered: the reply as received, and its rows' share of the bodies, which gzip
  // makes no larger than a quarter above what LZ4 made of them.
  const std::size_t share = std::min<std::size_t>(all.text.size(), item.block.bytes.size() * 5 / 4 + row_count * 16);
  out.held_bytes = item.block.bytes.capacity() + share;
  out.held = std::make_shared<held_block>();
  out.held->route = id_;
  out.held->reply = std::move(item.block);
  out.held->lease = std::move(item.lease);
  for (const auto& bad : *made.bad) letter(name_of(bad.reason), bad.index, bad.original, {});
  for (const auto& bad : all.bad) letter(name_of(bad.reason), bad.index, bad.original, {});
  for (const auto& cut : all.cut) letter("cut_field", cut.index, cut.original, "delivered with the field cut");

  auto opened =
      open_on_line(item.epoch, out.held->reply.next_cursor, static_cast<std::uint32_t>(row_count + out.letters.size()),
                   out.held, engine::wall_time(std::chrono::seconds(made.last_receive_s)));
  if (!opened) {
    out.stale = true;
    return;
  }
  engine::ack_line::delivery units = *std::move(opened);
  if (units.units() == 0) line_changed();
  count_events(made, out.held->reply, row_count);
  out.letter_units = units.split(static_cast<std::uint32_t>(out.letters.size()));

  const auto begun = ports.clock.now();
  auto left = around_.open.append(destination_.id(), all, std::move(units), out.held, begun,
                                  item.probe || around_.linger_none, out.closed);
  auto& compress = around_.counts.stage(stage_name::compress);
  compress.busy_s->add(std::chrono::duration<double>(ports.clock.now() - begun).count());
  compress.events->add(static_cast<double>(row_count));
  if (!left.rows.empty()) {  // too large for any body: read again from the reply, for its original
    std::vector<std::uint32_t> indexes;
    for (const auto row : left.rows) indexes.push_back(all.refs[row].index);
    const auto texts = with.originals(out.held->reply, indexes);
    assert(texts.has_value() && "a reply that was read once can be read again");
    for (std::size_t i = 0; i < indexes.size(); ++i) {
      letter(name_of(set_aside_reason::too_large), indexes[i], (*texts)[i], "the row fits no body alone");
    }
    out.letter_units.merge(std::move(left.units));
  }
  pay_for_letters(out);
}

void route::count_events(const converted& made, const fetched_block& block, std::size_t rows) {
  const auto events = static_cast<double>(made.event_count);
  account_.events_in->add(events);
  around_.counts.events_in.add(events);
  around_.counts.stage(stage_name::fetch).events->add(events);
  const std::lock_guard lock(mutex_);
  caught_up_ = false;
  if (pulled_before_.empty()) return;
  if (sls::compare_cursors(block.cursor, pulled_before_) == std::partial_ordering::less) {
    around_.counts.duplicates_possible.add(static_cast<double>(rows));
  } else {
    pulled_before_.clear();
  }
}

engine::task<> route::bury(slot_outcome out) {
  for (const auto& l : out.letters) {
    around_.counts.dead_letters(l.reason).add();
    around_.counts.dead_letters_total.add();
  }
  const auto buried = co_await around_.ports.store.bury(std::move(out.letters));
  if (!buried) {
    around_.fail("dead letter not written: " + buried.error().message);
    co_return;
  }
  out.held->lease.shrink_to(out.held_bytes);
  out.letter_units.delivered();
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
  auto unit = open_on_line(item.epoch, item.block.next_cursor, 1, nullptr, {});
  if (!unit) co_return;
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
  unit->delivered();
}

}  // namespace stages
