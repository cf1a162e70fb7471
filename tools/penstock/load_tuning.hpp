// Tuning values from defaults, file, environment and flags, the later ones stronger.
#pragma once

#include <optional>
#include <vector>

#include "engine/host/config_reader.hpp"
#include "stages/config.hpp"
#include "tools/penstock/load_config.hpp"

namespace penstock {

struct loaded_tuning {
  stages::tuning_options options;
  std::vector<tuning_value> values;  // every setting with its origin, in the order of --help
};

// `section` is the map under `tuning:`. Problems go to the reader; those of flags and variables under their own names.
loaded_tuning read_tuning(const load_request&, engine::config_reader&,
                          const std::optional<engine::config_value>& section);

}  // namespace penstock
