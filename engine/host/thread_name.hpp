// Names for threads, as `top -H` and a debugger show them.
#pragma once

#include <string>
#include <string_view>

namespace engine {

// "io-", 3 -> "io-3"; the kernel keeps 15 characters.
void name_this_thread(std::string_view prefix, unsigned number);
void name_this_thread(const std::string& name);

}  // namespace engine
