// Dead letters on disk: what could not be delivered, with its reason, so that nothing is lost.
//
//   DIRECTORY/2026-01-02-000001.ndjson.zst   UTC day, counter     zstdcat shows it
//   | frame | frame | frame | torn tail?
//   each frame: complete zstd frame with checksum, one or more lines of JSON (dead_letter_json.hpp)
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/flow/ports.hpp"
#include "engine/host/dead_letter_json.hpp"

namespace engine {

struct dead_letter_options {
  std::string directory;                  // made, one level, with the first letter
  std::size_t file_bytes_max = 64 * mib;  // a new file is begun above it
};

// Appends groups of letters. Not thread-safe, one writer per directory; blocks on the disk.
class dead_letter_writer {
 public:
  explicit dead_letter_writer(dead_letter_options);
  ~dead_letter_writer();
  dead_letter_writer(dead_letter_writer&&) noexcept;

  // When it returns without a failure the letters are on the medium, as one frame. A failure leaves the frames before
  // it readable: the file is cut back to them, or given up for a new one where that fails too.
  store_result append(std::span<const dead_letter* const>, wall_time now);

 private:
  struct state;
  std::unique_ptr<state> state_;
};

struct dead_letter_limits {
  std::size_t record_bytes_max = 512 * mib;  // one line
  std::uint64_t frame_bytes_max = 16 * gib;  // one frame, decompressed; it is not held in memory
};

// Reads the letters of one file in order. Memory is bounded by the longest line, at most record_bytes_max. Every frame
// is read twice, so that no letter of a damaged or unfinished frame is ever shown. Not thread-safe.
class dead_letter_reader {
 public:
  // Fills the span from that offset and says how many bytes there were; 0 at the end.
  using bytes_at = std::move_only_function<std::expected<std::size_t, store_failure>(std::uint64_t, std::span<char>)>;

  static std::expected<dead_letter_reader, store_failure> open(const std::string& path, dead_letter_limits = {});
  dead_letter_reader(bytes_at, std::string name, dead_letter_limits);
  ~dead_letter_reader();
  dead_letter_reader(dead_letter_reader&&) noexcept;

  // nullopt at the end, which a tail that was never finished is part of. Damage elsewhere is `corrupt`, and final.
  std::expected<std::optional<dead_letter_record>, store_failure> next();
  // Known at the end: bytes of a frame whose writing was interrupted; its letters were never acknowledged.
  [[nodiscard]] std::uint64_t torn_bytes() const;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

// The files of a directory in the order they were written; none when there is no such directory.
std::expected<std::vector<std::string>, store_failure> dead_letter_files(const std::string& directory);

}  // namespace engine
