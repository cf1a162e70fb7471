#include "tools/penstock/load_tuning.hpp"

namespace penstock {
namespace {

// Every layer is checked, also one that a stronger layer overrides. Returns the origin of what holds.
std::string apply(const stages::tuning_setting& setting, const load_request& request, engine::config_reader& reader,
                  std::optional<engine::config_map>& section, stages::tuning_options& options) {
  std::string origin = "default";
  if (section) {
    if (const auto value = section->find(setting.key())) {
      const auto text = reader.text(*value);
      const auto set = text ? setting.set(options, *text) : std::expected<void, std::string>();
      if (!set) reader.error(*value, set.error());
      origin = "file";
    }
  }
  // An empty variable is how many launchers spell "not set".
  if (const auto text = request.environment(setting.variable()); text && !text->empty()) {
    if (const auto set = setting.set(options, *text); !set) reader.error(0, setting.variable(), set.error());
    origin = "environment";
  }
  if (const auto flag = request.flags.find(setting.name); flag != request.flags.end()) {
    if (const auto set = setting.set(options, flag->second); !set) reader.error(0, "--" + setting.name, set.error());
    origin = "flag";
  }
  return origin;
}

// What single ranges cannot say.
void settle_connections(stages::tuning_options& options, bool connections_chosen, engine::config_reader& reader) {
  if (options.memory_limit_bytes < stages::few_connections_below_bytes && !connections_chosen) {
    options.connections_max = stages::few_connections;
  }
  const std::size_t sensible_max = options.memory_limit_bytes / 2 / stages::connection_bytes;
  if (options.connections_max > sensible_max) {
    reader.warning(0, "connections-max",
                   "at 160KiB each, connections could take over half of memory-limit (at most " +
                       std::to_string(sensible_max) + ")");
  }
}

}  // namespace

loaded_tuning read_tuning(const load_request& request, engine::config_reader& reader,
                          const std::optional<engine::config_value>& section) {
  loaded_tuning out{stages::default_tuning(request.cores), {}};
  std::optional<engine::config_map> map;
  if (section) map.emplace(reader, *section);
  bool connections_chosen = false;
  for (const stages::tuning_setting& setting : stages::tuning_settings()) {
    std::string origin = apply(setting, request, reader, map, out.options);
    if (setting.name == "connections-max") connections_chosen = origin != "default";
    out.values.push_back({setting.name, "", std::move(origin)});
  }
  if (map) map->finish();
  settle_connections(out.options, connections_chosen, reader);
  for (std::size_t i = 0; i < out.values.size(); ++i) {
    out.values[i].value = stages::tuning_settings()[i].show(out.options);
  }
  return out;
}

}  // namespace penstock
