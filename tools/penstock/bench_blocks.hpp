// The input of `penstock bench`: seeded ActionTrail events in LogGroupLists, as LZ4 blocks, as SLS sends them.
//
// Equal arguments give equal bytes. The events are those of the test cloud: mean text about 1.8 kB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "stages/types.hpp"

namespace penstock {

struct bench_block {
  stages::fetched_block fetched;
  std::uint64_t events = 0;
  std::uint64_t text_bytes = 0;  // of the events alone
};

struct bench_blocks {
  std::vector<bench_block> blocks;
  std::uint64_t events = 0;
  std::uint64_t text_bytes = 0;
  std::uint64_t plain_bytes = 0;
  std::uint64_t wire_bytes = 0;  // LZ4
};

// `count` blocks of a little over plain_bytes_aim plain bytes each.
bench_blocks make_bench_blocks(std::uint64_t seed, std::size_t count, std::size_t plain_bytes_aim);

}  // namespace penstock
