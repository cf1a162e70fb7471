// The pure stages, each alone and all of them chained, over the same blocks: what `penstock bench` measures.
#pragma once

#include <memory>
#include <vector>

#include "tools/penstock/bench_blocks.hpp"
#include "tools/penstock/bench_measure.hpp"

namespace penstock {

// One thread. The blocks outlive it, and it outlives its tasks.
class bench_stages {
 public:
  // Throws std::runtime_error when a stage refuses a block.
  explicit bench_stages(const bench_blocks&);
  ~bench_stages();
  bench_stages(const bench_stages&) = delete;
  bench_stages& operator=(const bench_stages&) = delete;

  // decompress, decode, parse, transform/typed, transform/value, compress (typed rows), chain/typed, chain/value; a
  // pass goes over all blocks, units are events.
  [[nodiscard]] std::vector<bench_task> tasks();
  // Bytes of the chain's request bodies for each event, after a pass of it.
  [[nodiscard]] double typed_wire_bytes_per_event() const;
  [[nodiscard]] double value_wire_bytes_per_event() const;

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace penstock
