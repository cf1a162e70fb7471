// expected: deleted copy constructor of 'engine::ack_line::delivery'
// Rows owed twice would be acknowledged twice.
#include <utility>

#include "engine/flow/ack.hpp"

engine::ack_line::delivery pass_on(engine::ack_line::delivery& owed) {
#ifdef MISUSE
  return owed;
#else
  return std::move(owed);
#endif
}
