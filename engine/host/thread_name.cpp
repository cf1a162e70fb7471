#include "engine/host/thread_name.hpp"

#include <pthread.h>

namespace engine {

void name_this_thread(std::string_view prefix, unsigned number) {
  name_this_thread(std::string(prefix) + std::to_string(number));
}

void name_this_thread(const std::string& name) { pthread_setname_np(pthread_self(), name.substr(0, 15).c_str()); }

}  // namespace engine
