// expected: deleted copy constructor of 'engine::buffer'
// A block is megabytes: it moves, and a copy has to be written out as one.
#include <utility>

#include "engine/base/bytes.hpp"

engine::buffer pass_on(engine::buffer& bytes) {
#ifdef MISUSE
  return bytes;
#else
  return std::move(bytes);
#endif
}
