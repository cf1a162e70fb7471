#include "consumer_group.hpp"

#include <algorithm>
#include <utility>

#include "cursor.hpp"

namespace emulator::sls {

void consumer_group::set_order(bool order) {
  if (order_ && !order) {
    for (auto& [id, shard] : shards_) {
      if (shard.state == shard_state::wait) shard.state = shard_state::not_alloc;
    }
    rebalance();
  }
  order_ = order;
}

bool consumer_group::ancestors_over(const shard_facts& facts) const {
  // A parent that is over had its own ancestors over before it, so one step back is enough.
  return std::ranges::all_of(facts.parents, [&](std::int64_t parent) {
    const auto found = shards_.find(parent);
    return found == shards_.end() || found->second.state == shard_state::over;
  });
}

void consumer_group::know_shards(const std::vector<shard_facts>& all) {
  bool changed = false;
  for (const auto& facts : all) {
    auto [place, added] = shards_.try_emplace(facts.id);
    place->second.facts = facts;
    if (!added) continue;
    changed = true;
    place->second.done.shard = facts.id;
    place->second.state = order_ && !ancestors_over(facts) ? shard_state::wait : shard_state::not_alloc;
  }
  if (changed) rebalance();
}

void consumer_group::release_waiting() {
  for (auto& [id, shard] : shards_) {
    if (shard.state == shard_state::wait && ancestors_over(shard.facts)) shard.state = shard_state::not_alloc;
  }
}

void consumer_group::expire(time_point now) {
  std::vector<std::string> gone;
  std::erase_if(consumers_, [&](const auto& consumer) {
    if (now - consumer.second <= timeout_) return false;
    gone.push_back(consumer.first);
    return true;
  });
  if (gone.empty()) return;
  const auto is_gone = [&](const std::string& name) { return std::ranges::find(gone, name) != gone.end(); };
  for (auto& [id, shard] : shards_) {
    if (shard.state == shard_state::transfer && is_gone(shard.next_owner)) {
      shard.state = shard_state::already_alloc;  // the owner keeps it
      shard.next_owner.clear();
    }
    if (shard.state == shard_state::transfer && is_gone(shard.owner)) {
      shard.state = shard_state::already_alloc;
      shard.owner = std::exchange(shard.next_owner, {});
    }
    if (shard.state == shard_state::already_alloc && is_gone(shard.owner)) {
      shard.state = shard_state::not_alloc;
      shard.owner.clear();
    }
  }
  rebalance();
}

const std::string& consumer_group::counts_for(const entry& shard) {
  return shard.state == shard_state::transfer ? shard.next_owner : shard.owner;
}

void consumer_group::rebalance() {
  if (consumers_.empty()) return;
  std::map<std::string, std::size_t, std::less<>> counts;
  for (const auto& [name, last] : consumers_) counts[name] = 0;
  for (const auto& [id, shard] : shards_) {
    if (!shard.owner.empty()) ++counts[counts_for(shard)];
  }
  const auto poorest = [&] { return std::ranges::min_element(counts, {}, [](const auto& c) { return c.second; }); };
  const auto richest = [&] { return std::ranges::max_element(counts, {}, [](const auto& c) { return c.second; }); };
  for (auto& [id, shard] : shards_) {
    if (shard.state != shard_state::not_alloc) continue;
    const auto to = poorest();
    shard.state = shard_state::already_alloc;
    shard.owner = to->first;
    ++to->second;
  }
  while (true) {
    const auto from = richest();
    const auto to = poorest();
    if (from->second - to->second <= 1) return;
    // First one that is not on its way already; else one that has not moved yet changes its aim.
    const auto settled = std::ranges::find_if(shards_, [&](const auto& s) {
      return s.second.state == shard_state::already_alloc && s.second.owner == from->first;
    });
    const auto moving = std::ranges::find_if(shards_, [&](const auto& s) {
      return s.second.state == shard_state::transfer && s.second.next_owner == from->first;
    });
    auto& shard = settled != shards_.end() ? settled->second : moving->second;
    if (shard.owner == to->first) {  // taken back before it was handed over
      shard.state = shard_state::already_alloc;
      shard.next_owner.clear();
    } else {
      shard.state = shard_state::transfer;
      shard.next_owner = to->first;
    }
    --from->second;
    ++to->second;
  }
}

outcome<std::vector<std::int64_t>> consumer_group::heartbeat(std::string_view consumer,
                                                             const std::vector<std::int64_t>& working_on,
                                                             time_point now) {
  expire(now);
  const auto known = consumers_.find(consumer);
  if (known == consumers_.end()) {
    if (!working_on.empty()) {
      return refuse(400, "NotExistConsumerWithBody", "consumer not exist and heart beat body is not empty");
    }
    consumers_.emplace(consumer, now);
    rebalance();
  } else {
    known->second = now;
    for (auto& [id, shard] : shards_) {
      if (shard.state != shard_state::transfer || shard.owner != consumer) continue;
      if (std::ranges::find(working_on, id) != working_on.end()) continue;
      shard.state = shard_state::already_alloc;
      shard.owner = std::exchange(shard.next_owner, {});
    }
  }
  std::vector<std::int64_t> may_hold;
  for (const auto& [id, shard] : shards_) {
    if (shard.state == shard_state::already_alloc && shard.owner == consumer) may_hold.push_back(id);
  }
  return may_hold;
}

outcome<void> consumer_group::checkpoint(std::string_view consumer, std::int64_t shard, std::string_view cursor,
                                         bool force, time_point now) {
  expire(now);
  const auto found = shards_.find(shard);
  if (found == shards_.end()) return refuse(404, "ShardNotExist", "shard " + std::to_string(shard) + " does not exist");
  const auto number = cursor_number(cursor);
  if (!number) return refuse(400, "InvalidShardCheckPoint", "shard checkpoint not encoded by base64");
  auto& entry = found->second;
  if (!force) {
    if (consumer.empty()) return refuse(400, "ParameterInvalid", "consumer is required unless forceSuccess is true");
    if (!consumers_.contains(consumer)) {
      return refuse(404, "ConsumerNotExist", "consumer " + std::string(consumer) + " does not exist");
    }
    if (entry.owner != consumer) {
      return refuse(400, "ConsumerNotMatch", "consumer " + std::string(consumer) + " does not own the shard");
    }
  }
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
  entry.done = {shard, std::string(cursor), us, std::string(consumer)};
  const bool finished = entry.facts.readonly && *number == entry.facts.end_cursor;
  if (finished && entry.state != shard_state::over) {
    entry.state = shard_state::over;
    entry.owner.clear();
    entry.next_owner.clear();
    release_waiting();
    rebalance();
  } else if (!finished && entry.state == shard_state::over) {
    entry.state = shard_state::not_alloc;
    rebalance();
  }
  return {};
}

std::vector<shard_checkpoint> consumer_group::checkpoints(std::optional<std::int64_t> shard) const {
  std::vector<shard_checkpoint> list;
  for (const auto& [id, entry] : shards_) {
    if (!shard || *shard == id) list.push_back(entry.done);
  }
  return list;
}

}  // namespace emulator::sls
