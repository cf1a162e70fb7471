// convert: one fetched block to rows, all in one CPU slot: decompress → decode → parse → transform, as plain calls.
//
// Input   a fetched_block; left untouched (its bytes are the originals of dead letters).
// Output  `rows` and the events set aside, valid until the next call; they view this object's scratch.
// Errors  the reply as a whole does not decompress or decode: malformed, it is pulled again. Single bad events are
// none. Cost    no allocation after warm-up. Order   no memory between calls but scratch; one call at a time. One
// object per CPU worker, from a converter_pool.
#pragma once

#include <array>
#include <expected>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/base/buffer_pool.hpp"
#include "engine/flow/ports.hpp"
#include "stages/decode.hpp"
#include "stages/decompress.hpp"
#include "stages/parse.hpp"
#include "stages/telemetry.hpp"
#include "stages/transform.hpp"
#include "stages/types.hpp"

namespace stages {

struct converted {
  stages::rows* rows = nullptr;                 // with rows.bad and rows.cut
  const std::vector<set_aside>* bad = nullptr;  // set aside by parse
  std::uint64_t event_count = 0;                // logs in the block, good or bad
  std::int64_t last_receive_s = 0;              // newest receive time (log time where there is none), Unix seconds
};

class converter {
 public:
  converter(const transform_options&, engine::buffer_pool&, engine::clock&, telemetry&);

  // The error is a word for people: which step, what.
  std::expected<converted, std::string> operator()(const fetched_block&, row_format);
  // The original text of single logs of a block, by their number: for rows that the service refused one by one.
  std::expected<std::vector<std::string>, std::string> originals(const fetched_block&,
                                                                 const std::vector<std::uint32_t>& indexes);

  // Gives back scratch that only an unusual block needed.
  void release_surplus();

 private:
  std::expected<void, std::string> open(const fetched_block&);
  engine::clock& clock_;
  telemetry& telemetry_;
  engine::buffer plain_storage_;
  plain_block plain_;
  decompress decompress_;
  log_groups groups_;
  parse parse_;
  records records_;
  std::array<std::unique_ptr<transform>, 2> transforms_;  // one per row_format
  rows rows_;
};

// As many converters as CPU workers ever used at once; they keep their scratch.
class converter_pool {
 public:
  converter_pool(const transform_options&, engine::buffer_pool&, engine::clock&, telemetry&);
  std::unique_ptr<converter> take();
  void give(std::unique_ptr<converter>);

 private:
  const transform_options options_;
  engine::buffer_pool& buffers_;
  engine::clock& clock_;
  telemetry& telemetry_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<converter>> idle_;
};

}  // namespace stages
