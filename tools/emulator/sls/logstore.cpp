#include "logstore.hpp"

#include <algorithm>

namespace emulator::sls {

namespace {
constexpr std::size_t groups_max = 30;

std::unexpected<sls_error> no_such_group(std::string_view name) {
  return refuse(404, "ConsumerGroupNotExist", "consumer group " + std::string(name) + " does not exist");
}
}  // namespace

logstore::logstore(const logstore_settings& settings, shard_maker maker, std::int64_t now_s)
    : settings_(settings), make_shard_(std::move(maker)), create_time_s_(now_s) {
  const auto bounds = even_bounds(0, hash_key_max, settings.shard_count);
  for (std::size_t i = 0; i < settings.shard_count; ++i) add(bounds[i], bounds[i + 1], {}, now_s);
}

const logstore::member& logstore::add(hash_key begin, hash_key end, std::vector<std::int64_t> parents,
                                      std::int64_t now_s) {
  const auto id = static_cast<std::int64_t>(members_.size());
  members_.push_back({{id, false, begin, end, now_s}, std::move(parents), make_shard_(id)});
  return members_.back();
}

bool logstore::indexed() const {
  const std::shared_lock lock(mutex_);
  return indexed_;
}

void logstore::set_indexed() {
  const std::unique_lock lock(mutex_);
  indexed_ = true;
}

std::vector<shard_info> logstore::shards() const {
  const std::shared_lock lock(mutex_);
  std::vector<shard_info> list;
  for (const auto& m : members_) list.push_back(m.info);
  return list;
}

shard* logstore::find(std::int64_t id) const {
  const std::shared_lock lock(mutex_);
  if (id < 0 || static_cast<std::size_t>(id) >= members_.size()) return nullptr;
  return members_[static_cast<std::size_t>(id)].data.get();
}

outcome<std::vector<shard_info>> logstore::split(std::int64_t id, std::string_view key, std::size_t count,
                                                 std::int64_t now_s) {
  const std::unique_lock lock(mutex_);
  if (id < 0 || static_cast<std::size_t>(id) >= members_.size()) {
    return refuse(404, "ShardNotExist", "shard " + std::to_string(id) + " does not exist");
  }
  const auto place = static_cast<std::size_t>(id);
  const auto [begin, end] = std::pair(members_[place].info.begin, members_[place].info.end);
  if (members_[place].info.readonly) return refuse(400, "ParameterInvalid", "readonly shard can not be split");
  if (count < 2 || count > 64) return refuse(400, "ParameterInvalid", "shardCount must be 2 to 64");
  std::vector<hash_key> bounds = even_bounds(begin, end, count);
  if (!key.empty()) {
    const auto at = hash_key_of(key);
    if (!at || *at <= begin || *at >= end) {
      return refuse(400, "ParameterInvalid", "split key must lie inside the range of the shard");
    }
    bounds = {begin, *at, end};
  }
  members_[place].info.readonly = true;
  members_[place].data->make_readonly();
  std::vector<shard_info> result{members_[place].info};
  for (std::size_t i = 0; i + 1 < bounds.size(); ++i) {
    result.push_back(add(bounds[i], bounds[i + 1], {id}, now_s).info);
  }
  return result;
}

outcome<std::vector<shard_info>> logstore::merge(std::int64_t id, std::int64_t now_s) {
  const std::unique_lock lock(mutex_);
  if (id < 0 || static_cast<std::size_t>(id) >= members_.size()) {
    return refuse(404, "ShardNotExist", "shard " + std::to_string(id) + " does not exist");
  }
  auto& left = members_[static_cast<std::size_t>(id)];
  if (left.info.readonly) return refuse(400, "ParameterInvalid", "readonly shard can not be merged");
  const auto right = std::ranges::find_if(
      members_, [&](const member& m) { return !m.info.readonly && m.info.begin == left.info.end; });
  if (right == members_.end()) return refuse(400, "ParameterInvalid", "can not merge the last shard");
  for (auto* parent : {&left, &*right}) {
    parent->info.readonly = true;
    parent->data->make_readonly();
  }
  const auto parents = std::pair(left.info, right->info);
  const auto merged = add(parents.first.begin, parents.second.end, {parents.first.id, parents.second.id}, now_s).info;
  return std::vector<shard_info>{merged, parents.first, parents.second};
}

bool logstore::append(std::vector<new_group> groups) {
  // Held shared across the append: a split waits until what was begun before it has landed.
  const std::shared_lock lock(mutex_);
  std::vector<shard*> writable;
  for (const auto& m : members_) {
    if (!m.info.readonly) writable.push_back(m.data.get());
  }
  return !writable.empty() &&
         writable[turn_.fetch_add(1, std::memory_order_relaxed) % writable.size()]->append(std::move(groups));
}

bool logstore::append(std::vector<new_group> groups, hash_key key) {
  const std::shared_lock lock(mutex_);
  const auto holder = std::ranges::find_if(members_, [&](const member& m) {
    return !m.info.readonly && m.info.begin <= key && (key < m.info.end || m.info.end == hash_key_max);
  });
  return holder != members_.end() && holder->data->append(std::move(groups));
}

std::vector<shard_facts> logstore::facts() const {
  const std::shared_lock lock(mutex_);
  std::vector<shard_facts> all;
  for (const auto& m : members_) {
    const auto end = m.data->base() + static_cast<std::int64_t>(m.data->size());
    all.push_back({m.info.id, m.info.readonly, end, m.parents});
  }
  return all;
}

outcome<void> logstore::create_group(const std::string& name, std::chrono::seconds timeout, bool order) {
  const std::lock_guard lock(groups_mutex_);
  if (groups_.contains(name)) return refuse(400, "ConsumerGroupAlreadyExist", "consumer group already exist");
  if (groups_.size() >= groups_max) return refuse(400, "ExceedQuota", "too many consumer groups");
  groups_.emplace(name, consumer_group(timeout, order));
  return {};
}

outcome<void> logstore::update_group(std::string_view name, std::optional<std::chrono::seconds> timeout,
                                     std::optional<bool> order) {
  const std::lock_guard lock(groups_mutex_);
  const auto found = group(name);
  if (!found) return std::unexpected(found.error());
  if (timeout) (*found)->set_timeout(*timeout);
  if (order) (*found)->set_order(*order);
  return {};
}

outcome<void> logstore::delete_group(std::string_view name) {
  const std::lock_guard lock(groups_mutex_);
  const auto found = groups_.find(name);
  if (found == groups_.end()) return no_such_group(name);
  groups_.erase(found);
  return {};
}

std::vector<logstore::group_info> logstore::groups() const {
  const std::lock_guard lock(groups_mutex_);
  std::vector<group_info> list;
  for (const auto& [name, one] : groups_) list.push_back({name, one.timeout(), one.order()});
  return list;
}

outcome<consumer_group*> logstore::group(std::string_view name) {
  const auto found = groups_.find(name);
  if (found == groups_.end()) return no_such_group(name);
  found->second.know_shards(facts());
  return &found->second;
}

outcome<std::vector<std::int64_t>> logstore::heartbeat(std::string_view name, std::string_view consumer,
                                                       const std::vector<std::int64_t>& working_on, time_point now) {
  const std::lock_guard lock(groups_mutex_);
  const auto found = group(name);
  if (!found) return std::unexpected(found.error());
  return (*found)->heartbeat(consumer, working_on, now);
}

outcome<void> logstore::checkpoint(std::string_view name, std::string_view consumer, std::int64_t shard,
                                   std::string_view cursor, bool force, time_point now) {
  const std::lock_guard lock(groups_mutex_);
  const auto found = group(name);
  if (!found) return std::unexpected(found.error());
  return (*found)->checkpoint(consumer, shard, cursor, force, now);
}

outcome<std::vector<shard_checkpoint>> logstore::checkpoints(std::string_view name, std::optional<std::int64_t> shard) {
  const std::lock_guard lock(groups_mutex_);
  const auto found = group(name);
  if (!found) return std::unexpected(found.error());
  return (*found)->checkpoints(shard);
}

}  // namespace emulator::sls
