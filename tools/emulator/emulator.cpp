#include "emulator.hpp"

#include <filesystem>
#include <optional>
#include <stdexcept>
#include <thread>

#include "alibaba_identity.hpp"
#include "azure/roles.hpp"
#include "cloud.hpp"
#include "cloud_files.hpp"
#include "control.hpp"
#include "event_source.hpp"
#include "fault_plan.hpp"
#include "fill.hpp"
#include "http_server.hpp"
#include "renamed_file.hpp"
#include "sls/service.hpp"
#include "sls/store.hpp"
#include "tls_files.hpp"

namespace emulator {

namespace {

std::int64_t unix_now_s() { return std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()); }

sls::store_options store_options_of(const emulator_options& o) {
  sls::store_options options;
  options.seed = o.seed;
  options.shards_each = o.shards;
  options.limits.chunk_bytes_max = o.reply_bytes;
  return options;
}

azure_options azure_options_of(const azure_book& book, bool tls) {
  azure_options options;
  options.tenant = book.tenant;
  options.client_id = book.client_id;
  options.client_secret = book.client_secret;
  for (const auto& rule : book.rules) options.rules.push_back({rule.rule, rule.stream});
  options.scheme = tls ? "https" : "http";
  return options;
}

sls::service_options service_options_of(const emulator_options& o) {
  sls::service_options options;
  options.put_time_check = o.put_time_check;
  return options;
}

std::string host_in_url(const std::string& address) {
  if (address == "0.0.0.0") return "127.0.0.1";
  if (address == "::") return "[::1]";
  return address.find(':') == std::string::npos ? address : "[" + address + "]";
}

}  // namespace

// In the order of construction: the server, which calls into all the others, comes last and goes first.
struct test_cloud::state {
  explicit state(const emulator_options& o)
      : options(o),
        book(o.seed, o.accounts, o.logstores),
        azure(make_azure_book(o.seed, o.rules)),
        faults(o.seed),
        judge([this](const shard_key& of, std::uint64_t first, std::uint64_t last) {
          return logstores.read(of, first, last);
        }),
        logstores(book, store_options_of(o), unix_now_s(),
                  [this](const shard_key& of, std::uint64_t count) { judge.stored(of, count); }),
        events(o.corpus.empty() ? make_generator(o.seed, o.first_time_s) : make_corpus(o.corpus, o.seed)),
        sls_role(
            logstores, book, faults, service_options_of(o),
            [this](const shard_key& of, std::uint64_t first, std::uint64_t next) { judge.served(of, first, next); }),
        azure_role(azure_options_of(azure, !o.tls_dir.empty()), judge, faults),
        identity(book, faults),
        control_role(logstores, faults, judge) {}

  void set_faults() {
    if (options.faults.empty()) return;
    if (const auto done = faults.replace(options.faults); !done) throw std::runtime_error(done.error());
  }

  std::vector<fill_target> targets() const {
    std::vector<fill_target> all;
    for (const auto& a : book.accounts()) {
      for (const auto& name : a.logstores) all.push_back({a.id, logstores.find(a.project, name)});
    }
    return all;
  }

  fill_options filling() const {
    fill_options f;
    f.seed = options.seed;
    f.events = options.events;
    f.duplicate_rate = options.duplicate_rate;
    return f;
  }

  // What SDKs connect to when their endpoint is localhost.
  std::vector<std::string> project_hosts() const {
    std::vector<std::string> hosts;
    for (const auto& a : book.accounts()) hosts.push_back(a.project + ".localhost");
    return hosts;
  }

  void listen() {
    http_server_options how;
    how.address = options.address;
    how.port = options.port;
    how.threads = options.threads;
    if (!options.tls_dir.empty()) {
      write_tls_files(options.tls_dir, project_hosts());
      how.certificate_file = options.tls_dir + "/cert.pem";
      how.key_file = options.tls_dir + "/key.pem";
      ca_file = std::filesystem::absolute(options.tls_dir + "/ca.pem").lexically_normal().string();
    }
    cloud_roles roles;
    roles.control = [this](const request& r) { return control_role.handle(r); };
    roles.ecs_metadata = [this](const request& r) { return identity.handle(r); };
    roles.azure = [this](const request& r) { return azure_role.handle(r); };
    roles.sts = [this](const request& r) { return identity.handle(r); };
    roles.sls = [this](const request& r, const addressed& to) { return sls_role.handle(r, to); };
    server.emplace(how, make_handlers(std::move(roles), book, faults, judge));
    url = (ca_file.empty() ? "http://" : "https://") + host_in_url(options.address) + ":" +
          std::to_string(server->port());
  }

  void write_files() const {
    const cloud_facts facts{url, ca_file, book, azure};
    if (!options.port_file.empty()) write_renamed(options.port_file, std::to_string(server->port()) + "\n");
    if (!options.write_config.empty()) write_renamed(options.write_config, config_yaml(facts, options));
    if (!options.ready_file.empty()) write_renamed(options.ready_file, ready_json(facts));
  }

  const emulator_options options;
  account_book book;
  const azure_book azure;
  fault_plan faults;
  ledger judge;
  sls::store logstores;
  const std::unique_ptr<event_source> events;
  sls::service sls_role;
  azure_roles azure_role;
  alibaba_identity identity;
  control control_role;
  std::string url;
  std::string ca_file;
  std::optional<http_server> server;
  std::optional<event_feeder> feeder;
};

test_cloud::test_cloud(const emulator_options& options) : state_(std::make_unique<state>(options)) {
  state_->set_faults();
  const auto targets = state_->targets();
  if (options.event_rate <= 0) {
    fill(targets, *state_->events, state_->filling(), std::max(1U, std::thread::hardware_concurrency()));
  }
  state_->listen();
  state_->write_files();
  if (options.event_rate > 0) state_->feeder.emplace(targets, *state_->events, state_->filling(), options.event_rate);
}

test_cloud::~test_cloud() = default;

const std::string& test_cloud::url() const { return state_->url; }
const account_book& test_cloud::accounts() const { return state_->book; }
const azure_book& test_cloud::azure() const { return state_->azure; }
ledger& test_cloud::judge() { return state_->judge; }

}  // namespace emulator
