#include "bench/check.hpp"

#include <string>

#include "bench/row.hpp"
#include "tools/emulator/log_group_reader.hpp"

namespace bench {
namespace {

// Texts above the destination's limit are read a second time by their place; the corpora hold none.
std::vector<std::string> read_nothing(const emulator::shard_key&, std::uint64_t, std::uint64_t) { return {}; }

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

row_check::row_check(const corpus& from, std::size_t block) : generated_(from.generated), compare_(read_nothing) {
  add_block(from.plain[block]);
}

row_check::row_check(const corpus& from) : generated_(from.generated), compare_(read_nothing) {
  for (const std::string& plain : from.plain) add_block(plain);
}

void row_check::add_block(std::string_view plain) {
  while (!plain.empty()) {
    const auto logs = emulator::read_log_group(next_group(plain));
    demand(logs.has_value(), "the corpus holds a log group that cannot be read");
    for (const auto& log : *logs) {
      compare_.add_log(0, log, {});
      ++stored_;
    }
  }
}

void row_check::add_body(std::string_view wire, bool gzip) { rows_ += compare_.add_body(wire, gzip, 0); }

void row_check::demand_all(std::string_view row) const {
  const emulator::event_counts counts = compare_.totals();
  const std::string found = std::string(row) + ": of " + std::to_string(counts.stored) + " events " +
                            std::to_string(counts.delivered_unique) + " came as a row, " +
                            std::to_string(counts.altered) + " altered, " + std::to_string(counts.unknown) +
                            " unknown, " + std::to_string(counts.duplicates) + " twice";
  demand(counts.altered == 0 && counts.unknown == 0, found);
  if (generated_) demand(counts.missing == 0 && counts.duplicates == 0 && rows_ == stored_, found);
}

}  // namespace bench
