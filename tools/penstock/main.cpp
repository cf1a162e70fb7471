#include <exception>
#include <iostream>

#include "tools/penstock/commands.hpp"

namespace {

int dispatch(const penstock::command_line& line) {
  switch (line.command) {
    case penstock::subcommand::run:
      return penstock::run_command(line);
    case penstock::subcommand::check:
      return penstock::check_command(line);
    case penstock::subcommand::status:
      return penstock::status_command(line);
    case penstock::subcommand::bench:
      return penstock::bench_command(line);
    case penstock::subcommand::version:
      return penstock::version_command(line);
  }
  return penstock::exit_usage;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto line = penstock::parse_command_line(argc, argv);
    if (line) return dispatch(*line);
    (line.error().exit_code == penstock::exit_done ? std::cout : std::cerr) << line.error().text;
    return line.error().exit_code;
  } catch (const std::exception& e) {
    std::cerr << "penstock: " << e.what() << '\n';
    return penstock::exit_failed;
  }
}
