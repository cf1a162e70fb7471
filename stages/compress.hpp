// compress: rows of the destination, to the body of one request. Implements `encoder`.
//
// Input   runs of rows, each preceded by one separator byte (rows::text). Copied before append returns.
// Output  '[' row ',' row ... ']' as one complete gzip member (small: several if its bound could not be kept
//         otherwise), or as it is (none); in a buffer of just its size from the pool.
// Errors  none. A body that outgrows wire_bytes_max keeps a bound above it and takes reset(), not finish().
// Limits  wire_bytes_max, and raw_bytes_max for what may be appended to one body; both fixed memory, see encoder_bytes.
// Cost    fast: one pass while appending. small: twice, since flush() tries what is not tried yet and finish() does
//         all.
// Order   one body after the other, one caller at a time.
#pragma once

#include <cstddef>
#include <memory>

#include "engine/base/buffer_pool.hpp"
#include "engine/base/units.hpp"
#include "stages/config.hpp"
#include "stages/types.hpp"

namespace stages {

struct encoder_limits {
  std::size_t wire_bytes_max = 1'044'480;  // the service takes 1,048,576 and counts Content-Length
  std::size_t raw_bytes_max = 8 * engine::mib;
};

// fast: ISA-L igzip level 1 where ISA-L exists, else libdeflate 1. small: libdeflate 6. none: not compressed. The pool
// outlives the encoder.
std::unique_ptr<encoder> make_encoder(compression_level, const encoder_limits&, engine::buffer_pool&);

// What one encoder holds as long as it lives, bodies not counted.
std::size_t encoder_bytes(compression_level, const encoder_limits&);

}  // namespace stages
