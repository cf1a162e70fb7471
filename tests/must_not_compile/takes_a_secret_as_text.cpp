// expected: no viable conversion from returned value of type 'const engine::secret'
// What looks like text ends in error messages.
#include <string>

#include "engine/base/secret.hpp"

std::string text_of(const engine::secret& key) {
#ifdef MISUSE
  return key;
#else
  return std::string(key.reveal());
#endif
}
