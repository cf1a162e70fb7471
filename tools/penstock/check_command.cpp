// penstock check: everything wrong with a configuration, or ok.
#include <iostream>

#include "tools/penstock/commands.hpp"

namespace penstock {

int check_config(const load_request& request, std::ostream& out, std::ostream& err) {
  const loaded_config loaded = load_config(request);
  for (const std::string& warning : loaded.warnings) err << "warning: " << warning << '\n';
  for (const std::string& error : loaded.errors) out << error << '\n';
  if (!loaded.config) return exit_usage;
  out << "ok\n";
  return exit_done;
}

int check_command(const command_line& line) {
  return check_config(request_of_process(line.config, line.tuning), std::cout, std::cerr);
}

}  // namespace penstock
