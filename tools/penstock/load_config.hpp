// From a configuration file, the environment and flags to stages::config, with everything wrong listed at once.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/host/secret_source.hpp"
#include "stages/config.hpp"

namespace penstock {

struct load_request {
  std::string file;                          // as written: problems name it so, relative paths start beside it
  std::map<std::string, std::string> flags;  // tuning flags given, by name without dashes
  engine::environment_lookup environment;    // for ${env:NAME} and PENSTOCK_...
  unsigned cores = 1;                        // default of cpu-threads
};
// This process's environment and machine.
load_request request_of_process(std::string file, std::map<std::string, std::string> flags);

struct tuning_value {
  std::string name;    // "memory-limit"
  std::string value;   // "256MiB"
  std::string origin;  // "flag", "environment", "file" or "default"
};

struct loaded_config {
  std::optional<stages::config> config;  // present exactly when there are no errors
  std::vector<tuning_value> tuning;      // every setting, in the order of --help
  std::vector<std::string> errors;       // finished lines, sorted by line of the file
  std::vector<std::string> warnings;
};

// Reads the file and whatever it refers to; changes nothing. A reload calls it again.
loaded_config load_config(const load_request&);
// The same for a text in place of the file's contents.
loaded_config load_config_text(std::string_view yaml, const load_request&);

}  // namespace penstock
