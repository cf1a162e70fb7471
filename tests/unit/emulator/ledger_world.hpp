// A ledger with one shard that a test fills by hand: groups built byte by byte, a clock that is set.
#pragma once

#include <libdeflate.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/emulator/http_message.hpp"
#include "tools/emulator/ledger.hpp"

namespace emulator_tests {

inline void append_varint(std::string& to, std::uint64_t value) {
  for (; value > 127; value >>= 7U) to += static_cast<char>((value & 127U) | 128U);
  to += static_cast<char>(value);
}

inline void append_bytes(std::string& to, unsigned field, std::string_view bytes) {
  append_varint(to, field << 3U | 2U);
  append_varint(to, bytes.size());
  to += bytes;
}

using contents = std::vector<std::pair<std::string, std::string>>;

inline std::string log_of(std::uint32_t time_s, const contents& pairs) {
  std::string log = "\x08";
  append_varint(log, time_s);
  for (const auto& [key, value] : pairs) {
    std::string pair;
    append_bytes(pair, 1, key);
    append_bytes(pair, 2, value);
    append_bytes(log, 2, pair);
  }
  return log;
}

inline std::string group_of(const std::vector<std::string>& logs) {
  std::string group;
  for (const std::string& log : logs) append_bytes(group, 1, log);
  append_bytes(group, 3, "actiontrail_audit_event");
  return group;
}

inline std::string value_row(std::string_view event) { return R"({"value":)" + emulator::json_quoted(event) + "}"; }

inline std::string gzipped(std::string_view plain) {
  const std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)> deflate(
      libdeflate_alloc_compressor(1), &libdeflate_free_compressor);
  std::string out(libdeflate_gzip_compress_bound(deflate.get(), plain.size()), '\0');
  out.resize(libdeflate_gzip_compress(deflate.get(), plain.data(), plain.size(), out.data(), out.size()));
  return out;
}

struct ledger_world {
  static constexpr std::uint32_t log_time_s = 1'760'000'000;

  std::vector<std::string> groups;
  std::chrono::steady_clock::time_point now{};
  emulator::shard_key shard{"1234500000000001", "audit", "trail", 0};
  emulator::ledger book{[this](const emulator::shard_key&, std::uint64_t first, std::uint64_t last) {
                          return std::vector<std::string>(groups.begin() + static_cast<std::ptrdiff_t>(first),
                                                          groups.begin() + static_cast<std::ptrdiff_t>(last));
                        },
                        [this] { return now; }};

  void store_group(std::string bytes) {
    groups.push_back(std::move(bytes));
    book.stored(shard, groups.size());
  }
  // One group with one log.
  void store(std::string_view event, std::uint32_t time_s = log_time_s) {
    store_group(group_of({log_of(time_s, {{"event", std::string(event)}})}));
  }
  void accept(std::string body, bool gzip = false) {
    book.accepted("dcr-1", "Custom-Rows", std::make_shared<const std::string>(std::move(body)), gzip);
  }
  void accept_row(const std::string& row) { accept("[" + row + "]"); }
};

// stored delivered_unique duplicates missing altered unknown
inline std::vector<std::uint64_t> numbers(const emulator::event_counts& counts) {
  return {counts.stored, counts.delivered_unique, counts.duplicates, counts.missing, counts.altered, counts.unknown};
}

}  // namespace emulator_tests
