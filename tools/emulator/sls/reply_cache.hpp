// Pull replies that had to be cut or compressed on demand, the least recently used forgotten first.
// Thread rules: every function may be called from any thread.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>

#include "coding.hpp"

namespace emulator::sls {

class reply_cache {
 public:
  struct key {
    const void* shard = nullptr;
    std::uint64_t first = 0;
    std::uint64_t next = 0;
    coding how = coding::none;
    friend auto operator<=>(const key&, const key&) = default;
  };
  struct reply {
    std::shared_ptr<const std::string> body;
    std::uint64_t raw_size = 0;
  };

  explicit reply_cache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // A null body when it is not there.
  reply find(const key&);
  void keep(const key&, reply);

 private:
  struct entry {
    reply value;
    std::list<key>::iterator place;
  };
  std::mutex mutex_;
  std::map<key, entry> entries_;
  std::list<key> order_;  // most recently used first
  std::size_t bytes_ = 0;
  const std::size_t bytes_max_;
};

}  // namespace emulator::sls
