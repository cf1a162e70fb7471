// expected: no matching constructor for initialization of 'engine::log_field'
#include "engine/base/log.hpp"
#include "engine/base/secret.hpp"

void show(engine::logger& log, const engine::secret& key) {
#ifdef MISUSE
  log.info("signed in", {engine::log_field("key", key)});
#else
  log.info("signed in", {engine::log_field("key_is_set", !key.empty())});
#endif
}
