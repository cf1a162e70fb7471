// expected: invalid operands to binary expression \('engine::wall_time'.* and 'engine::time_point'
// A wall clock that is set must never make a wait longer: the two times do not mix.
#include "engine/base/units.hpp"

engine::duration waited(engine::time_point from, engine::time_point to, engine::wall_time wall) {
#ifdef MISUSE
  return wall - from + (to - from);
#else
  return to - from + (wall - wall);
#endif
}
