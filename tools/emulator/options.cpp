#include "options.hpp"

#include <CLI/CLI.hpp>
#include <charconv>
#include <fstream>
#include <sstream>

namespace emulator {

namespace {

// "127.0.0.1:0" or "[::1]:0" to its parts; the text is what is wrong, or empty.
std::string read_listen(const std::string& text, emulator_options& into) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return "--listen: must be ADDRESS:PORT";
  std::string address = text.substr(0, colon);
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  unsigned port = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, port);
  if (error != std::errc{} || stop != end || port > 65'535) return "--listen: the port must be 0 to 65535";
  into.address = address;
  into.port = static_cast<std::uint16_t>(port);
  return "";
}

std::string read_faults(emulator_options& into) {
  if (into.faults.empty() || into.faults.starts_with('[')) return "";
  std::ifstream file(into.faults, std::ios::binary);
  if (!file) return "--faults: cannot read " + into.faults;
  std::ostringstream text;
  text << file.rdbuf();
  into.faults = text.str();
  return "";
}

void declare(CLI::App& app, emulator_options& o, std::string& listen, std::string& time_check) {
  app.add_option("--listen", listen, "address and port of the one listener; port 0 lets the system choose");
  app.add_option("--port-file", o.port_file, "file the decimal port is written to once listening");
  app.add_option("--ready-file", o.ready_file, "JSON file naming url, accounts and rules, written last");
  app.add_option("--write-config", o.write_config, "penstock configuration for this cloud");
  app.add_option("--format", o.format, "row format in the written configuration")
      ->check(CLI::IsMember({"value", "typed"}));
  app.add_option("--tls-dir", o.tls_dir, "serve TLS; ca.pem cert.pem key.pem are made in this directory");
  app.add_option("--coordination", o.coordination, "coordination in the written configuration")
      ->check(CLI::IsMember({"none", "consumer_group"}));
  app.add_option("--consumer-group", o.consumer_group, "group name in the written configuration");
  app.add_option("--accounts", o.accounts, "Alibaba Cloud accounts, a project each")->check(CLI::Range(1, 10'000));
  app.add_option("--logstores", o.logstores, "logstores per account")->check(CLI::Range(1, 10'000));
  app.add_option("--shards", o.shards, "shards per logstore")->check(CLI::Range(1, 256));
  app.add_option("--rules", o.rules, "data collection rules; accounts are dealt to them in turn")
      ->check(CLI::Range(1, 10'000));
  app.add_option("--events", o.events, "distinct events in all, shared over the logstores, the rest to the first");
  app.add_option("--event-rate", o.event_rate, "append the events at this rate per second once ready (0: before)")
      ->check(CLI::Range(0.0, 1e7));
  app.add_option("--duplicate-rate", o.duplicate_rate, "share of events stored twice")->check(CLI::Range(0.0, 1.0));
  app.add_option("--corpus", o.corpus, "events from this file, one JSON object per line, instead of generated ones");
  app.add_option("--seed", o.seed, "equal seed and flags give equal accounts, keys and events");
  app.add_option("--faults", o.faults, "faults as a JSON list, or a file with one");
  app.add_option("--threads", o.threads, "threads serving requests")->check(CLI::Range(1, 64));
  app.add_option("--put-time-check", time_check, "PutLogs refuses times outside [-7 days, +15 minutes]")
      ->check(CLI::IsMember({"on", "off"}));
  app.add_option("--reply-bytes", o.reply_bytes, "largest pull reply before compression, single groups aside")
      ->check(CLI::Range(1024, 64 << 20));
  app.add_option("--first-time", o.first_time_s, "Unix time of the first generated event");
}

}  // namespace

std::expected<emulator_options, option_exit> parse_options(const std::vector<std::string>& arguments) {
  emulator_options o;
  std::string listen = "127.0.0.1:0";
  std::string time_check = "on";
  CLI::App app("The test cloud: SLS, STS, ECS metadata, Entra ID, IMDS and Logs Ingestion on one port.",
               "penstock-emulator");
  app.option_defaults()->always_capture_default();
  declare(app, o, listen, time_check);
  try {
    // CLI11 takes them last first.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& stop) {
    std::ostringstream out;
    std::ostringstream err;
    const bool help = app.exit(stop, out, err) == 0;
    return std::unexpected(help ? option_exit{0, out.str()} : option_exit{2, err.str()});
  }
  std::string problems;
  const auto note = [&](const std::string& problem) {
    if (!problem.empty()) problems += problem + "\n";
  };
  note(read_listen(listen, o));
  note(read_faults(o));
  o.put_time_check = time_check == "on";
  if (o.coordination == "consumer_group" && o.consumer_group.empty()) {
    note("--consumer-group: must be given with --coordination consumer_group");
  }
  if (!problems.empty()) return std::unexpected(option_exit{2, problems});
  return o;
}

}  // namespace emulator
