// expected: to function return type 'engine::secret'
// The other way round it must be said, too: whoever makes a secret gives up the plain copy.
#include <string>
#include <utility>

#include "engine/base/secret.hpp"

engine::secret key_of(std::string text) {
#ifdef MISUSE
  return text;
#else
  return engine::secret(std::move(text));
#endif
}
