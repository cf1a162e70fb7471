// penstock status: the routes of a running process by its admin listener; without one, the saved positions.
#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <optional>

#include "engine/host/io_context.hpp"
#include "engine/host/state_store.hpp"
#include "engine/host/steady_clock.hpp"
#include "engine/net/http_pool.hpp"
#include "tools/penstock/commands.hpp"
#include "tools/penstock/json_writer.hpp"
#include "tools/penstock/load_config.hpp"
#include "tools/penstock/status_page.hpp"

namespace penstock {
namespace {

int show_saved(const std::string& state_path, bool json) {
  const auto saved = engine::state_store::list(state_path);
  if (!saved) {
    std::cerr << "penstock: no process answers, and the saved state cannot be read: " << saved.error().message << '\n';
    return exit_failed;
  }
  if (json) {
    json_writer out;
    out.begin_object().member("running", false).key("routes").begin_array();
    for (const auto& s : *saved) {
      out.begin_object()
          .member("account", s.route.account)
          .member("project", s.route.project)
          .member("logstore", s.route.logstore);
      out.member("shard", s.route.shard)
          .member("destination", s.route.destination)
          .member("committed", s.position.committed);
      out.member("state", "stopped").end_object();
    }
    out.end_array().end_object();
    std::cout << out.text() << '\n';
    return exit_done;
  }
  std::cout << "no process is running; saved positions:\n";
  for (const auto& s : *saved) {
    std::cout << fmt::format("{}  {}/{}  shard {}  to {}  {}\n", s.route.account, s.route.project, s.route.logstore,
                             s.route.shard, s.route.destination, s.position.committed);
  }
  return exit_done;
}

}  // namespace

int status_command(const command_line& line) {
  stages::listen_address admin{.host = "127.0.0.1", .port = 9464};
  std::optional<std::string> state_path;
  if (const auto given = line.tuning.find("admin-listen"); line.config.empty() && given != line.tuning.end()) {
    const auto parsed = stages::parse_listen_address(given->second);
    if (!parsed) {
      std::cerr << "--admin-listen: " << parsed.error() << '\n';
      return exit_usage;
    }
    admin = *parsed;
  }
  if (!line.config.empty()) {
    const auto loaded = load_config(request_of_process(line.config, line.tuning));
    for (const auto& error : loaded.errors) std::cerr << error << '\n';
    if (!loaded.config) return exit_usage;
    admin = loaded.config->tuning.admin_listen;
    state_path = loaded.config->state_path;
  }
  if (!line.admin_port_file.empty()) {
    std::ifstream file(line.admin_port_file);
    if (!(file >> admin.port)) {
      std::cerr << "penstock: " << line.admin_port_file << ": holds no port\n";
      return exit_failed;
    }
  }
  if (!admin.host.empty() && admin.port != 0) {
    if (const auto page = fetch_status_page(admin.host, admin.port)) {
      std::cout << (line.json ? *page : status_table(*page));
      return exit_done;
    }
  }
  if (state_path) return show_saved(*state_path, line.json);
  std::cerr << fmt::format(
      "penstock: nothing answers on {}:{} (name the configuration with --config to see saved positions)\n", admin.host,
      admin.port);
  return exit_failed;
}

}  // namespace penstock
