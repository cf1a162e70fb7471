#include "bench/check.hpp"

#include <string>

#include "bench/row.hpp"
#include "tools/emulator/log_group_reader.hpp"

namespace bench {
namespace {

// Field 1 of a LogGroupList, one after the other: all a list holds.
std::string_view next_group(std::string_view& list) {
  std::size_t size = 0;
  std::size_t at = 1;
  for (unsigned shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(list.at(at++));
    size |= static_cast<std::size_t>(byte & 0x7fU) << shift;
    if (byte < 0x80) break;
  }
  const std::string_view group = list.substr(at, size);
  list.remove_prefix(at + size);
  return group;
}

}  // namespace

row_check::row_check()
    : compare_([this](const emulator::shard_key&, std::uint64_t first, std::uint64_t last) {
        return std::vector<std::string>(groups_.begin() + static_cast<std::ptrdiff_t>(first),
                                        groups_.begin() + static_cast<std::ptrdiff_t>(last));
      }) {}

row_check::row_check(const corpus& from, std::size_t block) : row_check() { add_block(from.plain[block]); }

row_check::row_check(const corpus& from) : row_check() {
  for (const std::string& plain : from.plain) add_block(plain);
}

void row_check::add_block(std::string_view plain) {
  while (!plain.empty()) {
    const std::string_view group = next_group(plain);
    const auto logs = emulator::read_log_group(group);
    demand(logs.has_value(), "the corpus holds a log group that cannot be read");
    groups_.push_back(group);
    for (std::size_t i = 0; i < logs->size(); ++i) {
      compare_.add_log(0, (*logs)[i], {.shard = {}, .group = groups_.size() - 1, .log = i});
    }
    stored_ += logs->size();
  }
}

void row_check::add_body(std::string_view wire, bool gzip) {
  const auto rows = compare_.add_body(wire, gzip, 0);
  demand(rows.has_value(), "a body is no JSON array of rows");
  rows_ += *rows;
}

void row_check::demand_all(std::string_view row, std::size_t left_out) const {
  const emulator::event_counts counts = compare_.totals();
  const std::string found = std::string(row) + ": of " + std::to_string(counts.stored) + " different events " +
                            std::to_string(counts.delivered_unique) + " came as a row, " +
                            std::to_string(counts.altered) + " altered, " + std::to_string(counts.unknown) +
                            " unknown; of " + std::to_string(stored_) + " rows " + std::to_string(rows_) + " came, " +
                            std::to_string(left_out) + " were left out";
  demand(counts.altered == 0 && counts.unknown == 0, found);
  demand(counts.missing <= left_out && rows_ + left_out == stored_, found);
}

}  // namespace bench
