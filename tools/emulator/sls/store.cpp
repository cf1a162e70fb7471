#include "store.hpp"

#include "../seeded_random.hpp"

namespace emulator::sls {

namespace {
constexpr std::size_t reply_cache_bytes_max = std::size_t{96} << 20U;
}

store::store(const account_book& book, const store_options& options, std::int64_t now_s, announce on_stored)
    : options_(options), announce_(std::move(on_stored)), cache_(reply_cache_bytes_max) {
  logstore_settings settings;
  settings.shard_count = options.shards_each;
  for (const auto& owner : book.accounts()) {
    projects_.try_emplace(owner.project);
    for (const auto& name : owner.logstores) create(owner, name, settings, now_s)->set_indexed();
  }
}

logstore* store::find(std::string_view project, std::string_view name) const {
  const std::shared_lock lock(mutex_);
  const auto at = projects_.find(project);
  if (at == projects_.end()) return nullptr;
  const auto found = at->second.find(name);
  return found == at->second.end() ? nullptr : found->second.get();
}

logstore* store::create(const account& owner, const std::string& name, const logstore_settings& settings,
                        std::int64_t now_s) {
  const std::unique_lock lock(mutex_);
  auto& logstores = projects_[owner.project];
  if (logstores.contains(name)) return nullptr;
  const auto make_shard = [this, account = owner.id, project = owner.project, name](std::int64_t id) {
    const shard_key key{account, project, name, id};
    // Cursors look like the service's: nanoseconds of some past instant, different for every shard.
    seeded_random random(seed_for(options_.seed, project + "/" + name + "/" + std::to_string(id)));
    const auto base = static_cast<std::int64_t>(1'700'000'000'000'000'000U + random.below(90'000'000'000'000'000U));
    return std::make_unique<shard>(base, options_.limits, cache_,
                                   [this, key](std::uint64_t count) { announce_(key, count); });
  };
  return logstores.emplace(name, std::make_unique<logstore>(settings, make_shard, now_s)).first->second.get();
}

std::vector<std::string> store::names(std::string_view project) const {
  const std::shared_lock lock(mutex_);
  std::vector<std::string> list;
  if (const auto at = projects_.find(project); at != projects_.end()) {
    for (const auto& [name, one] : at->second) list.push_back(name);
  }
  return list;
}

std::vector<std::string> store::read(const shard_key& key, std::uint64_t first, std::uint64_t last) const {
  const auto* holder = find(key.project, key.logstore);
  const auto* from = holder == nullptr ? nullptr : holder->find(key.shard);
  if (from == nullptr) return {};
  return from->read(first, last);
}

}  // namespace emulator::sls
