// expected: deleted copy constructor of 'engine::budget::lease'
// Memory that two blocks believe to hold is memory that is given back twice.
#include <utility>

#include "engine/flow/budget.hpp"

engine::budget::lease pass_on(engine::budget::lease& held) {
#ifdef MISUSE
  return held;
#else
  return std::move(held);
#endif
}
