// decode: the plain bytes of a block, a LogGroupList, to views of its logs.
//
//   LogGroupList  1 LogGroup*
//   LogGroup      1 Log*   3 topic   4 source   6 LogTag*
//   Log           1 time, s   2 Content*   4 time, ns (fixed32)
//   LogTag, Content   1 key   2 value
//
// Input   a plain_block, and the number of groups the service announced (x-log-count), if it did.
// Output  `out`, cleared and filled: views into the block, nothing copied. Valid as long as the block's bytes are.
// Errors  malformed, for the whole reply: it is pulled again. Bytes that only have an unknown meaning are skipped, and
// what
//         the service merely left out is tolerated: no time is 0, no value is empty, a pair without a key is no pair.
// Limits  logs_max, groups_max, tags_max, loose_max: a view is larger than the few bytes that can claim one.
// Cost    one pass; allocates only while `out` grows. No depth: four levels, no recursion.
// Order   no memory between calls; safe from any thread.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include "engine/base/fault.hpp"
#include "stages/types.hpp"

namespace stages {

inline constexpr std::size_t logs_max =
    65'536;  // a record of one takes about 0.5 kB; ActionTrail's events are never below that
inline constexpr std::size_t groups_max = 100'000;  // one request asks for 1,000
inline constexpr std::size_t tags_max = 500'000;
inline constexpr std::size_t loose_max = 1'000'000;

enum class decode_errc : std::uint8_t {
  malformed,  // not the encoding, cut off, another number of groups than announced, or above a limit
};

constexpr engine::fault fault_of(decode_errc) { return engine::fault::malformed; }
constexpr std::string_view name_of(decode_errc) { return "malformed"; }

std::expected<void, decode_errc> decode(const plain_block& block, std::optional<std::uint64_t> group_count,
                                        log_groups& out);

}  // namespace stages
