#include "stages/lanes.hpp"

#include <algorithm>
#include <cassert>

namespace stages {

lanes::lanes(encoder_factory make, std::size_t encoders_max, const batch_options& options)
    : make_encoder_(std::move(make)), encoders_max_(encoders_max), options_(options) {
  assert(encoders_max > 0);
}

lanes::misfits lanes::append(std::uint32_t destination, const rows& all, engine::ack_line::delivery units,
                             const std::shared_ptr<held_block>& block, engine::time_point now, bool close_after,
                             std::vector<closed_body>& closed) {
  assert(units.units() == all.refs.size());
  misfits left;
  if (all.refs.empty()) return left;
  std::size_t row = 0;
  const auto here = take(destination, now, closed);
  while (row < all.refs.size()) {
    if (here->rows->empty()) here->opened = now;
    const auto added = here->rows->add(all, row, now);
    if (added.rows > 0) {
      part p{.rows = units.split(static_cast<std::uint32_t>(added.rows)), .block = block, .indexes = {}};
      p.indexes.reserve(added.rows);
      for (std::size_t i = row; i < row + added.rows; ++i) p.indexes.push_back(all.refs[i].index);
      here->parts.push_back(std::move(p));
      row += added.rows;
    }
    if (added.next_fits_nowhere) {
      left.rows.push_back(static_cast<std::uint32_t>(row));
      left.units.merge(units.split(1));
      ++row;
      continue;
    }
    if ((row < all.refs.size() || here->rows->full()) && !here->rows->empty()) closed.push_back(close(*here));
  }
  if (close_after && !here->rows->empty()) closed.push_back(close(*here));
  put_back(here);
  return left;
}

closed_body lanes::close(lane& l) {
  closed_body out;
  out.destination = l.destination;
  out.out.body = l.rows->close();
  out.out.parts = std::exchange(l.parts, {});
  return out;
}

lanes::lane_at lanes::take(std::uint32_t destination, engine::time_point now, std::vector<closed_body>& closed) {
  std::unique_lock lock(mutex_);
  for (auto at = lanes_.begin(); at != lanes_.end(); ++at) {
    if (at->destination == destination && !at->busy) {
      at->busy = true;
      at->rows->set_raw_bytes_max(raw_bytes_max(destination));
      return at;
    }
  }
  lane fresh;
  fresh.destination = destination;
  fresh.opened = now;
  fresh.busy = true;
  if (!idle_.empty()) {
    fresh.made_with = std::move(idle_.back());
    idle_.pop_back();
  } else if (encoders_made_ < encoders_max_) {
    ++encoders_made_;
    fresh.made_with = make_encoder_();
  } else {
    auto oldest = lanes_.end();
    for (auto at = lanes_.begin(); at != lanes_.end(); ++at) {
      if (!at->busy && (oldest == lanes_.end() || at->opened < oldest->opened)) oldest = at;
    }
    assert(oldest != lanes_.end() && "fewer encoders than workers");
    oldest->busy = true;
    lock.unlock();  // finishing a body takes milliseconds: not under the mutex
    closed.push_back(close(*oldest));
    lock.lock();
    fresh.made_with = std::move(oldest->made_with);
    lanes_.erase(oldest);
  }
  fresh.rows = std::make_unique<batch>(options_, *fresh.made_with);
  fresh.rows->set_raw_bytes_max(raw_bytes_max(destination));
  return lanes_.insert(lanes_.end(), std::move(fresh));
}

void lanes::put_back(lane_at at) {
  std::vector<part> dropped;  // freed after the lock: ends of deliveries call their routes
  const std::lock_guard lock(mutex_);
  at->busy = false;
  if (at->unwanted) {
    at->made_with->reset();
    dropped = std::exchange(at->parts, {});
    retire(at);
  } else if (at->rows->empty()) {
    retire(at);
  }
}

void lanes::retire(lane_at at) {
  at->rows.reset();
  idle_.push_back(std::move(at->made_with));
  lanes_.erase(at);
}

std::optional<engine::time_point> lanes::next_deadline() const {
  const std::lock_guard lock(mutex_);
  std::optional<engine::time_point> next;
  for (const auto& l : lanes_) {
    if (l.busy) continue;
    const auto due = l.opened + options_.linger;
    if (!next || due < *next) next = due;
  }
  return next;
}

std::size_t lanes::open_count() const {
  const std::lock_guard lock(mutex_);
  return lanes_.size();
}

void lanes::close_due(engine::time_point now, bool everything, std::vector<closed_body>& closed) {
  for (;;) {
    lane_at due;
    {
      const std::lock_guard lock(mutex_);
      due = std::find_if(lanes_.begin(), lanes_.end(),
                         [&](const lane& l) { return !l.busy && (everything || l.opened + options_.linger <= now); });
      if (due == lanes_.end()) return;
      due->busy = true;
    }
    closed.push_back(close(*due));
    put_back(due);
  }
}

void lanes::close_oldest(std::vector<closed_body>& closed) {
  lane_at oldest;
  {
    const std::lock_guard lock(mutex_);
    oldest = lanes_.end();
    for (auto at = lanes_.begin(); at != lanes_.end(); ++at) {
      if (!at->busy && (oldest == lanes_.end() || at->opened < oldest->opened)) oldest = at;
    }
    if (oldest == lanes_.end()) return;
    oldest->busy = true;
  }
  closed.push_back(close(*oldest));
  put_back(oldest);
}

void lanes::drop(std::uint32_t destination) {
  std::vector<part> dropped;
  const std::lock_guard lock(mutex_);
  for (auto at = lanes_.begin(); at != lanes_.end();) {
    const auto here = at++;
    if (here->destination != destination) continue;
    if (here->busy) {
      here->unwanted = true;
      continue;
    }
    here->made_with->reset();
    std::move(here->parts.begin(), here->parts.end(), std::back_inserter(dropped));
    here->parts.clear();
    retire(here);
  }
}

void lanes::clear() {
  std::list<lane> all;
  const std::lock_guard lock(mutex_);
  all.swap(lanes_);
}

void lanes::set_raw_bytes_max(std::uint32_t destination, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  for (auto& [id, limit] : raw_limits_) {
    if (id == destination) {
      limit = std::min(limit, bytes);
      return;
    }
  }
  raw_limits_.emplace_back(destination, bytes);
}

std::size_t lanes::raw_bytes_max(std::uint32_t destination) const {
  for (const auto& [id, limit] : raw_limits_) {
    if (id == destination) return std::min(limit, options_.raw_bytes_max);
  }
  return options_.raw_bytes_max;
}

}  // namespace stages
