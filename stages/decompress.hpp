// decompress: one block as the service sent it, to its plain bytes.
//
// Input   a fetched_block: compressed bytes, codec, declared plain size. Left untouched (dead letters need the bytes).
// Output  exactly plain_bytes bytes in `storage`, followed by padding_bytes of spaces. A declared size of 0 means "no
//         data": the body is ignored, as every SLS client does.
// Errors  bad_frame, size_mismatch: malformed. too_large: refused. Never throws on data; `storage` is then unspecified.
// Limits  plain_bytes <= plain_bytes_max, checked before any allocation. Nothing else is allocated by the size of the
//         data: zstd is decoded in one call straight into `storage`, so its window costs no memory.
// Cost    one pass; no allocation once `storage` is large enough.
// Order   no memory between calls: blocks may come in any order, one call at a time.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string_view>

#include "engine/base/buffer_pool.hpp"
#include "engine/base/bytes.hpp"
#include "engine/base/fault.hpp"
#include "engine/base/units.hpp"
#include "stages/types.hpp"

namespace stages {

enum class decompress_errc : std::uint8_t {
  bad_frame,      // not what the codec writes
  size_mismatch,  // sound, but not of the declared size
  too_large,      // declared above plain_bytes_max
};

constexpr engine::fault fault_of(decompress_errc error) {
  return error == decompress_errc::too_large ? engine::fault::refused : engine::fault::malformed;
}

constexpr std::string_view name_of(decompress_errc error) {
  switch (error) {
    case decompress_errc::bad_frame:
      return "bad_frame";
    case decompress_errc::size_mismatch:
      return "size_mismatch";
    case decompress_errc::too_large:
      return "too_large";
  }
  return "unknown";
}

class decompress {
 public:
  explicit decompress(engine::buffer_pool& pool);  // the pool outlives the stage
  ~decompress();
  decompress(const decompress&) = delete;
  decompress& operator=(const decompress&) = delete;

  // `storage` belongs to the caller and is replaced by a larger one from the pool when it is too small. The result
  // points to it: it stays where it is, unchanged, as long as views into the block are used.
  std::expected<plain_block, decompress_errc> operator()(const fetched_block& block, engine::buffer& storage);

 private:
  struct codecs;  // the libraries' reusable states
  engine::buffer_pool& pool_;
  std::unique_ptr<codecs> codecs_;
};

}  // namespace stages
