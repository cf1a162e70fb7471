// expected: invalid operands to binary expression \('std::ostream'.* and 'const engine::secret'\)
// A key in a log line is a key that has to be changed.
#include <ostream>

#include "engine/base/secret.hpp"

void show(std::ostream& out, const engine::secret& key) {
#ifdef MISUSE
  out << key;
#else
  out << key.reveal();  // greppable, and a decision
#endif
}
