// One function per subcommand; each returns the exit code of the program.
#pragma once

#include <iosfwd>

#include "tools/penstock/command_line.hpp"
#include "tools/penstock/load_config.hpp"

namespace penstock {

int run_command(const command_line&);
int status_command(const command_line&);
int check_command(const command_line&);
int bench_command(const command_line&);
int version_command(const command_line&);

// `check` with its inputs and outputs as arguments.
int check_config(const load_request&, std::ostream& out, std::ostream& err);

}  // namespace penstock
