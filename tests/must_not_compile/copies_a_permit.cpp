// expected: deleted copy constructor of 'engine::permits::permit'
// A permit in two hands lets one request too many through.
#include <utility>

#include "engine/flow/permits.hpp"

engine::permits::permit pass_on(engine::permits::permit& held) {
#ifdef MISUSE
  return held;
#else
  return std::move(held);
#endif
}
