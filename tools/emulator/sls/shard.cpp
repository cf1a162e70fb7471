#include "shard.hpp"

#include <algorithm>
#include <cassert>

#include "log_group.hpp"

namespace emulator::sls {

shard::shard(std::int64_t base, const shard_limits& limits, reply_cache& cache, announce on_stored)
    : base_(base), limits_(limits), cache_(cache), announce_(std::move(on_stored)) {}

bool shard::append(std::vector<new_group> groups) {
  const std::lock_guard one_at_a_time(append_mutex_);
  std::uint64_t count = 0;
  {
    const std::lock_guard lock(mutex_);
    if (readonly_) return false;
    for (auto& group : groups) add(std::move(group));
    count = stored_count();
  }
  announce_(count);
  const std::lock_guard lock(mutex_);
  visible_ = count;
  return true;
}

void shard::add(new_group group) {
  constexpr std::size_t frame_max = 11;  // tag and length
  if (!chunks_.empty() && !chunks_.back().lz4) {
    const auto& tail = chunks_.back();
    const bool full = tail.raw.size() + group.bytes.size() + frame_max > limits_.chunk_bytes_max ||
                      tail.ends.size() >= limits_.chunk_groups_max;
    if (full) seal_tail();
  }
  if (chunks_.empty() || chunks_.back().lz4) {
    chunk fresh;
    fresh.first = stored_count();
    fresh.log_time_min = group.log_time_min;
    fresh.log_time_max = group.log_time_max;
    chunks_.push_back(std::move(fresh));
  }
  auto& tail = chunks_.back();
  append_field(tail.raw, '\x0a', group.bytes);
  tail.ends.push_back(static_cast<std::uint32_t>(tail.raw.size()));
  tail.received.push_back(group.receive_s);
  tail.log_time_min = std::min(tail.log_time_min, group.log_time_min);
  tail.log_time_max = std::max(tail.log_time_max, group.log_time_max);
}

void shard::seal_tail() {
  auto& tail = chunks_.back();
  auto packed = std::make_shared<std::string>(compress(coding::lz4, tail.raw));
  packed->shrink_to_fit();
  tail.lz4 = std::move(packed);
  std::string().swap(tail.raw);  // assigning an empty string would keep the memory
  tail.ends.shrink_to_fit();
  tail.received.shrink_to_fit();
}

void shard::seal() {
  const std::lock_guard lock(mutex_);
  if (!chunks_.empty() && !chunks_.back().lz4) seal_tail();
}

void shard::make_readonly() {
  const std::lock_guard one_at_a_time(append_mutex_);
  const std::lock_guard lock(mutex_);
  readonly_ = true;
}

bool shard::readonly() const {
  const std::lock_guard lock(mutex_);
  return readonly_;
}

std::uint64_t shard::size() const {
  const std::lock_guard lock(mutex_);
  return visible_;
}

const shard::chunk& shard::chunk_of(std::uint64_t index) const {
  const auto after = std::ranges::upper_bound(chunks_, index, {}, &chunk::first);
  assert(after != chunks_.begin());
  return *std::prev(after);
}

std::int64_t shard::received(std::uint64_t index) const {
  const auto& holder = chunk_of(index);
  return holder.received[index - holder.first];
}

shard::cut shard::take(const chunk& from, std::uint64_t first, std::uint64_t next) {
  cut piece;
  piece.begin = first == from.first ? 0 : from.ends[first - from.first - 1];
  piece.end = from.ends[next - from.first - 1];
  piece.chunk_raw_size = from.ends.back();
  piece.whole = first == from.first && next == from.next();
  piece.lz4 = from.lz4;
  // The tail may grow or be packed once the lock is gone.
  if (!from.lz4) piece.raw = from.raw.substr(piece.begin, piece.end - piece.begin);
  return piece;
}

std::string shard::plain(cut&& piece) {
  if (!piece.lz4) return std::move(piece.raw);
  auto raw = decompress(coding::lz4, *piece.lz4, piece.chunk_raw_size);
  assert(raw.has_value());
  if (piece.whole) return std::move(*raw);
  return raw->substr(piece.begin, piece.end - piece.begin);
}

pulled shard::pull(std::uint64_t first, std::uint64_t last, std::uint64_t count, coding how, std::int64_t now_s) {
  pulled reply;
  cut piece;
  {
    const std::lock_guard lock(mutex_);
    assert(first <= visible_);
    last = std::min({last, visible_, first + count});
    reply.first = first;
    reply.next = first;
    if (first < last) {
      const auto& from = chunk_of(first);
      reply.next = std::min(last, from.next());
      piece = take(from, first, reply.next);
    }
    reply.at_end = reply.next == visible_;
    reply.time_s = visible_ == 0 ? now_s : received(std::min(reply.next, visible_ - 1));
  }
  if (reply.next == reply.first) return reply;
  reply.how = how;
  reply.raw_size = piece.end - piece.begin;
  if (piece.whole && how == coding::lz4 && piece.lz4) {
    reply.body = piece.lz4;
    return reply;
  }
  const reply_cache::key key{this, reply.first, reply.next, how};
  if (auto kept = cache_.find(key); kept.body) {
    reply.body = std::move(kept.body);
    return reply;
  }
  reply.body = std::make_shared<const std::string>(compress(how, plain(std::move(piece))));
  cache_.keep(key, {reply.body, reply.raw_size});
  return reply;
}

std::vector<std::string> shard::read(std::uint64_t first, std::uint64_t last) const {
  std::vector<std::string> groups;
  while (true) {
    cut piece;
    std::vector<std::size_t> sizes;
    {
      const std::lock_guard lock(mutex_);
      last = std::min(last, stored_count());
      if (first >= last) return groups;
      const auto& from = chunk_of(first);
      const auto next = std::min(last, from.next());
      piece = take(from, first, next);
      auto begin = piece.begin;
      for (auto i = first; i < next; ++i) {
        const std::size_t end = from.ends[i - from.first];
        sizes.push_back(end - begin);
        begin = end;
      }
      first = next;
    }
    const auto raw = plain(std::move(piece));
    std::string_view rest = raw;
    for (const auto size : sizes) {
      auto framed = rest.substr(0, size);
      rest.remove_prefix(size);
      // Off with the tag and the length in front of the group.
      std::size_t head = 1;
      while ((static_cast<unsigned char>(framed[head]) & 0x80U) != 0) ++head;
      groups.emplace_back(framed.substr(head + 1));
    }
  }
}

std::uint64_t shard::first_received_at(std::int64_t receive_s) const {
  const std::lock_guard lock(mutex_);
  for (const auto& c : chunks_) {
    if (c.received.back() < receive_s) continue;
    const auto found = std::ranges::find_if(c.received, [&](std::int64_t at) { return at >= receive_s; });
    const auto index = c.first + static_cast<std::uint64_t>(found - c.received.begin());
    return std::min(index, visible_);
  }
  return visible_;
}

std::optional<std::int64_t> shard::receive_time(std::uint64_t index) const {
  const std::lock_guard lock(mutex_);
  if (index >= visible_) return std::nullopt;
  return received(index);
}

std::vector<std::pair<std::uint64_t, std::uint64_t>> shard::ranges_with_times(std::int64_t from,
                                                                              std::int64_t to) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  for (const auto& c : chunks_) {
    const auto last = std::min(c.next(), visible_);
    if (c.first < last && c.log_time_min < to && c.log_time_max >= from) ranges.emplace_back(c.first, last);
  }
  return ranges;
}

}  // namespace emulator::sls
