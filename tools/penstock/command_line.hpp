// The arguments of `penstock` as a plain value. What they mean is decided by the subcommands.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <string>

#include "engine/base/units.hpp"

namespace penstock {

inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;        // wrong arguments or configuration
inline constexpr int exit_undelivered = 3;  // done, with undelivered events in dead letters

enum class subcommand : std::uint8_t { run, check, status, bench, version };

struct command_line {
  subcommand command = subcommand::version;
  std::string config;  // --config; empty only for status, bench and version
  bool once = false;
  engine::duration once_probe_interval = std::chrono::seconds(5);
  std::string summary;  // a file; empty: none
  bool dry_run = false;
  bool json = false;
  unsigned seconds = 20;        // of bench
  std::string admin_port_file;  // empty: none
  std::map<std::string, std::string>
      tuning;  // flags that were given, by name without dashes ("memory-limit"), unchecked
};

// The program ends here: help was asked for (0) or the arguments are wrong (2).
struct command_line_end {
  int exit_code = exit_usage;
  std::string text;  // for stdout when exit_code is 0, else for stderr; ends with a line feed
};

std::expected<command_line, command_line_end> parse_command_line(int argc, const char* const* argv);

}  // namespace penstock
