// One shard: an append-only row of log groups, kept compressed, served from any position.
//
// Groups are gathered in a plain tail; a full tail becomes a chunk, whose LZ4 block is at once the store and the reply
// to a pull that covers it whole. A reply never crosses a chunk's end, so after one odd cut the next pull is whole
// again; other cuts are made by unpacking the chunk.
//
// A group becomes visible to pulls after `announce` was told about it, and can be read() before that: whoever is told a
// count may read up to it.
// Thread rules: every function may be called from any thread. `announce` is called with the appending lock held and
// must not append to the same shard.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coding.hpp"
#include "reply_cache.hpp"

namespace emulator::sls {

struct new_group {
  std::string bytes;  // serialized LogGroup
  std::int64_t receive_s = 0;
  std::int64_t log_time_min = 0;  // bounds of its logs' times, for GetLogs
  std::int64_t log_time_max = 0;
};

struct pulled {
  std::uint64_t first = 0;
  std::uint64_t next = 0;
  std::uint64_t raw_size = 0;
  std::shared_ptr<const std::string> body;  // null when next == first
  coding how = coding::none;
  std::int64_t time_s = 0;  // receive time at `next`, or of the last group before it
  bool at_end = false;
};

struct shard_limits {
  std::size_t chunk_bytes_max = std::size_t{1} << 20U;  // raw; a larger single group is a chunk of its own
  std::size_t chunk_groups_max = 1000;
};

class shard {
 public:
  using announce = std::function<void(std::uint64_t count)>;
  // base: the integer of the first group's cursor.
  shard(std::int64_t base, const shard_limits&, reply_cache&, announce);
  shard(const shard&) = delete;
  shard& operator=(const shard&) = delete;

  // False when the shard is readonly: nothing was appended.
  bool append(std::vector<new_group>);
  // Compresses the tail although it is not full.
  void seal();
  void make_readonly();
  [[nodiscard]] bool readonly() const;

  [[nodiscard]] std::int64_t base() const { return base_; }
  // Groups visible to pulls.
  [[nodiscard]] std::uint64_t size() const;

  // Groups [first, min(last, first + count)) or fewer, at least one if there is one. first <= size().
  [[nodiscard]] pulled pull(std::uint64_t first, std::uint64_t last, std::uint64_t count, coding, std::int64_t now_s);
  // Serialized groups [first, last), also those announced but not visible yet; fewer when there are fewer.
  [[nodiscard]] std::vector<std::string> read(std::uint64_t first, std::uint64_t last) const;
  // Index of the first group received at or after that second; size() when there is none.
  [[nodiscard]] std::uint64_t first_received_at(std::int64_t receive_s) const;
  [[nodiscard]] std::optional<std::int64_t> receive_time(std::uint64_t index) const;
  // [first, last) of each chunk holding a log with from <= time < to.
  [[nodiscard]] std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges_with_times(std::int64_t from,
                                                                                       std::int64_t to) const;

 private:
  struct chunk {
    std::uint64_t first = 0;
    std::vector<std::uint32_t> ends;     // of each framed group in the raw bytes
    std::vector<std::int64_t> received;  // of each group
    std::int64_t log_time_min = 0;
    std::int64_t log_time_max = 0;
    std::shared_ptr<const std::string> lz4;  // null while it is the tail
    std::string raw;                         // framed groups; only while it is the tail

    [[nodiscard]] std::uint64_t next() const { return first + ends.size(); }
  };
  struct cut {  // a piece of one chunk, taken out under the lock
    std::shared_ptr<const std::string> lz4;
    std::string raw;
    std::size_t chunk_raw_size = 0;
    std::size_t begin = 0;
    std::size_t end = 0;
    bool whole = false;
  };

  void add(new_group);
  void seal_tail();
  [[nodiscard]] const chunk& chunk_of(std::uint64_t index) const;
  [[nodiscard]] std::int64_t received(std::uint64_t index) const;
  [[nodiscard]] std::uint64_t stored_count() const { return chunks_.empty() ? 0 : chunks_.back().next(); }
  [[nodiscard]] static cut take(const chunk&, std::uint64_t first, std::uint64_t next);
  [[nodiscard]] static std::string plain(cut&&);

  const std::int64_t base_;
  const shard_limits limits_;
  reply_cache& cache_;
  const announce announce_;
  std::mutex append_mutex_;  // taken before mutex_; never the other way round
  mutable std::mutex mutex_;
  std::vector<chunk> chunks_;
  std::uint64_t visible_ = 0;
  bool readonly_ = false;
};

}  // namespace emulator::sls
