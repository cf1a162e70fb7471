// All logstores of all projects of the test cloud.
//
// Logstores are never removed, so a pointer to one stays valid as long as the store.
// Thread rules: every function may be called from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "../account_book.hpp"
#include "../ledger.hpp"
#include "logstore.hpp"
#include "reply_cache.hpp"

namespace emulator::sls {

struct store_options {
  std::uint64_t seed = 1;
  std::size_t shards_each = 2;
  shard_limits limits;
};

class store {
 public:
  using announce = std::function<void(const shard_key&, std::uint64_t count)>;
  // Makes the logstores of every account in the book, indexed and empty. The book outlives the store.
  store(const account_book&, const store_options&, std::int64_t now_s, announce);

  // Null when there is none.
  [[nodiscard]] logstore* find(std::string_view project, std::string_view name) const;
  // Null when it exists already.
  logstore* create(const account&, const std::string& name, const logstore_settings&, std::int64_t now_s);
  // Ascending.
  [[nodiscard]] std::vector<std::string> names(std::string_view project) const;

  // The serialized groups [first, last) of a shard, for the ledger.
  [[nodiscard]] std::vector<std::string> read(const shard_key&, std::uint64_t first, std::uint64_t last) const;

 private:
  const store_options options_;
  const announce announce_;
  reply_cache cache_;
  mutable std::shared_mutex mutex_;
  std::map<std::string, std::map<std::string, std::unique_ptr<logstore>, std::less<>>, std::less<>> projects_;
};

}  // namespace emulator::sls
