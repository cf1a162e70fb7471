#include <iostream>

#include "tools/penstock/commands.hpp"

namespace penstock {

int version_command(const command_line&) {
  std::cout << "penstock " PENSTOCK_VERSION "\n";
  return exit_done;
}

}  // namespace penstock
