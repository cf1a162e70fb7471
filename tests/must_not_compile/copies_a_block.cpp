// expected: deleted copy constructor of 'stages::fetched_block'
#include <utility>

#include "stages/types.hpp"

stages::fetched_block pass_on(stages::fetched_block& block) {
#ifdef MISUSE
  return block;
#else
  return std::move(block);
#endif
}
