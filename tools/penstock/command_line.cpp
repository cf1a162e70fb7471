#include "tools/penstock/command_line.hpp"

#include <charconv>
#include <memory>

#include <CLI/CLI.hpp>

#include "stages/config.hpp"

namespace penstock {
namespace {

constexpr engine::duration probe_interval_min = std::chrono::milliseconds(10);
constexpr unsigned bench_seconds_max = 600;
constexpr engine::duration probe_interval_max = std::chrono::hours(1);

// Where the library puts what it reads; the subcommand's name says which of it counts.
struct raw_arguments {
  command_line line;
  std::map<std::string, std::string> tuning;  // by flag; empty text: not given
};

void add_tuning(CLI::App& app, raw_arguments& raw, bool admin_only) {
  const stages::tuning_options defaults = stages::default_tuning(1);
  for (const stages::tuning_setting& setting : stages::tuning_settings()) {
    if (admin_only && setting.name != "admin-listen") continue;
    const std::string shown = setting.name == "cpu-threads" ? "cores" : setting.show(defaults);
    app.add_option("--" + setting.name, raw.tuning[setting.name], setting.meaning)
        ->type_name(setting.allowed)
        ->default_str(shown)
        ->group(setting.group);
  }
}

// An empty path is a mistake (a variable that is not set, as a rule), not the absence of one.
std::string not_empty(const std::string& text) { return text.empty() ? "must not be empty" : ""; }

CLI::Option* add_config(CLI::App& app, raw_arguments& raw) {
  return app.add_option("--config", raw.line.config, "configuration file (YAML)")->type_name("FILE")->check(not_empty);
}

void add_admin_port_file(CLI::App& app, raw_arguments& raw, const std::string& meaning) {
  app.add_option("--admin-port-file", raw.line.admin_port_file, meaning)
      ->type_name("FILE")
      ->check(not_empty)
      ->group("Watching");
}

void add_run(CLI::App& root, raw_arguments& raw) {
  CLI::App& app = *root.add_subcommand("run", "move events until stopped");
  add_config(app, raw)->required();
  app.add_flag("--once", raw.line.once, "stop when every shard is delivered up to its end of now");
  app.add_option_function<std::string>(
         "--once-probe-interval",
         [&raw](const std::string& text) {
           const auto interval = engine::parse_duration(text);
           if (!interval) throw CLI::ValidationError("--once-probe-interval", interval.error() + " (10ms..1h)");
           if (*interval < probe_interval_min || *interval > probe_interval_max) {
             throw CLI::ValidationError("--once-probe-interval", "is out of range (10ms..1h)");
           }
           raw.line.once_probe_interval = *interval;
         },
         "with --once: time between the 3 probes of a parked route")
      ->type_name("10ms..1h")
      ->default_str("5s");
  app.add_option("--summary", raw.line.summary, "write a summary here at the end (JSON)")
      ->type_name("FILE")
      ->check(not_empty);
  app.add_flag("--dry-run", raw.line.dry_run, "everything but upload and commit");
  add_tuning(app, raw, false);
  add_admin_port_file(app, raw, "write the port of --admin-listen here");
}

void add_check(CLI::App& root, raw_arguments& raw) {
  CLI::App& app = *root.add_subcommand("check", "report everything wrong with a configuration");
  add_config(app, raw)->required();
  add_tuning(app, raw, false);
}

void add_status(CLI::App& root, raw_arguments& raw) {
  CLI::App& app = *root.add_subcommand("status", "list the routes of a running penstock");
  app.add_flag("--json", raw.line.json, "as JSON");
  add_config(app, raw)->description("take the address from this configuration file");
  add_tuning(app, raw, true);
  add_admin_port_file(app, raw, "take the port from this file");
}

void add_bench(CLI::App& root, raw_arguments& raw) {
  CLI::App& app = *root.add_subcommand("bench", "measure this machine: kernels, events/s of each stage");
  app.add_flag("--json", raw.line.json, "as JSON");
  app.add_option("--seconds", raw.line.seconds, "how long to measure")
      ->type_name("1..600")
      ->default_str("20")
      ->check([](const std::string& text) -> std::string {
        unsigned value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        const bool whole = error == std::errc{} && end == text.data() + text.size();
        return whole && value >= 1 && value <= bench_seconds_max ? "" : "is not a whole number of 1..600";
      });
}

std::string footer_of(std::string_view command) {
  if (command != "run" && command != "check") return "";
  return "Each flag from io-threads to admin-listen is also a key under `tuning:` (cpu_threads) and an environment\n"
         "variable (PENSTOCK_CPU_THREADS). Flag over environment over file over default.\n"
         "Sizes: B KiB MiB GiB. Durations: ms s m h.\n";
}

subcommand named(std::string_view name) {
  if (name == "run") return subcommand::run;
  if (name == "check") return subcommand::check;
  if (name == "status") return subcommand::status;
  if (name == "bench") return subcommand::bench;
  return subcommand::version;
}

// The subcommand the arguments speak of, for --help and hints; the program itself when there is none.
CLI::App& speaking(CLI::App& root) {
  const auto chosen = root.get_subcommands();
  return chosen.empty() ? root : *chosen.front();
}

command_line_end usage_error(CLI::App& root, const std::string& problem) {
  CLI::App& app = speaking(root);
  const std::string name = &app == &root ? "penstock" : "penstock " + app.get_name();
  return {exit_usage, name + ": " + problem + "\nSee '" + name + " --help'.\n"};
}

// The library would only say that a subcommand is required.
bool is_unknown_command(const CLI::App& root, std::string_view word) {
  if (word.starts_with('-')) return false;
  const auto commands = root.get_subcommands([&](const CLI::App* app) { return app->get_name() == word; });
  return commands.empty();
}

// Options as "--flag RANGE [default]".
class help_formatter final : public CLI::Formatter {
 public:
  help_formatter() { column_width(50); }
  std::string make_option_opts(const CLI::Option* option) const override {
    std::string out;
    if (!option->get_type_name().empty()) out += ' ' + option->get_type_name();
    if (!option->get_default_str().empty()) out += " [" + option->get_default_str() + ']';
    if (option->get_required()) out += " (required)";
    return out;
  }
};

}  // namespace

std::expected<command_line, command_line_end> parse_command_line(int argc, const char* const* argv) {
  raw_arguments raw;
  CLI::App root("Moves Alibaba Cloud ActionTrail events from SLS logstores into Microsoft Sentinel.", "penstock");
  root.require_subcommand(1);
  root.formatter(std::make_shared<help_formatter>());
  add_run(root, raw);
  add_check(root, raw);
  add_status(root, raw);
  add_bench(root, raw);
  root.add_subcommand("version", "print the version");
  root.footer(
      "See 'penstock COMMAND --help'. Exit: 0 done, 1 failed, 2 wrong arguments or configuration, 3 done with "
      "dead letters.");
  for (CLI::App* app : root.get_subcommands(nullptr)) app->footer(footer_of(app->get_name()));
  if (argc > 1 && is_unknown_command(root, argv[1])) {
    return std::unexpected(usage_error(root, "unknown command (run, check, status, bench or version)"));
  }
  try {
    root.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return std::unexpected(command_line_end{exit_done, root.help()});
  } catch (const CLI::ParseError& e) {
    return std::unexpected(usage_error(root, e.what()));
  }
  const CLI::App& chosen = speaking(root);
  raw.line.command = named(chosen.get_name());
  for (auto& [flag, text] : raw.tuning) {
    const CLI::Option* option = chosen.get_option_no_throw("--" + flag);
    if (option != nullptr && option->count() > 0) raw.line.tuning.emplace(flag, std::move(text));
  }
  return raw.line;
}

}  // namespace penstock
