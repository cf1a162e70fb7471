#include "stages/data_path.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "stages/azure/cloud.hpp"
#include "stages/compress.hpp"

namespace stages {
namespace {

constexpr auto probe_interval = std::chrono::seconds(60);
constexpr unsigned once_probes_max = 3;
constexpr auto shard_list_interval = std::chrono::seconds(30);  // splits and merges are found within this
constexpr auto silent_max = std::chrono::seconds(30);  // a destination without an answer for so long is "silent"
constexpr std::size_t spare_encoders = 2;

engine::duration probe_every(const run_options& o) {
  return o.once ? o.once_probe_interval : engine::duration(probe_interval);
}

encoder_limits limits_of(const tuning_options& t, std::size_t wire) {
  return {.wire_bytes_max = wire, .raw_bytes_max = t.batch_raw_bytes_max};
}

// An eighth of the memory for encoders, but one for each worker at least, or no worker could go on.
std::size_t encoder_count(const tuning_options& t, unsigned workers) {
  const std::size_t each = encoder_bytes(t.compression, limits_of(t, t.batch_bytes_max));
  return std::max<std::size_t>(workers + spare_encoders, t.memory_limit_bytes / 8 / each);
}

// What the process holds whatever the load: encoders, and each worker's plain block with its rows.
std::size_t fixed_bytes(const tuning_options& t, unsigned workers, std::size_t plain_aim) {
  const std::size_t each = encoder_bytes(t.compression, limits_of(t, t.batch_bytes_max));
  // Connections up front: charged one by one they could keep a block at the head of the line waiting for idle ones to
  // go.
  const std::size_t connections = std::min(t.connections_max * connection_bytes, t.memory_limit_bytes / 3);
  return (workers + spare_encoders) * each + workers * plain_aim * 3 + connections;
}

std::size_t plain_bytes_aim(const tuning_options& t) {
  return std::clamp<std::size_t>(t.memory_limit_bytes / 64, 512 * engine::kib, 2 * engine::mib);
}

std::size_t account_count(const config& c) {
  std::vector<std::string> names;
  for (const auto& s : c.sources) names.push_back(s.account);
  std::sort(names.begin(), names.end());
  return static_cast<std::size_t>(std::unique(names.begin(), names.end()) - names.begin());
}

http::base_url as_base_url(const endpoint_address& e) {
  return {.tls = e.scheme != "http", .host = e.host, .port = e.port, .path = {}};
}

transform_options transform_of(const tuning_options& t) {
  transform_options out;
  out.order = t.order;
  out.row_bytes_max = t.batch_raw_bytes_max - 2;
  return out;
}

batch_options batch_of(const tuning_options& t) {
  batch_options out;
  out.wire_bytes_max = t.batch_bytes_max;
  out.raw_bytes_max = t.batch_raw_bytes_max;
  out.linger = t.linger;
  return out;
}

}  // namespace

struct data_path::destination_parts {
  std::unique_ptr<azure::entra_token> tokens;
  std::unique_ptr<azure::logs_ingestion> client;
  std::unique_ptr<sink> to;
  std::unique_ptr<upload> up;
  row_format format = row_format::value;
};

struct data_path::logstore_watch {
  const source_options* source = nullptr;
  std::string logstore;
  std::uint32_t account_id = 0;
  std::uint32_t logstore_id = 0;
  destination_parts* to = nullptr;
  std::unique_ptr<sls::credentials> credentials;
  std::unique_ptr<sls::client> client;
  std::map<std::int64_t, std::unique_ptr<route>> routes;  // guarded by data_path::mutex_
  std::string state = "starting";                         // of the listing; guarded by data_path::mutex_
  std::string reason;
  unsigned probes_failed = 0;  // only watch()
  unsigned failures = 0;
  bool listed = false;
};

data_path::data_path(const config& c, const run_options& options, const path_ports& ports, telemetry& counts)
    : config_(c),
      options_(options),
      ports_(ports),
      counts_(counts),
      buffers_(c.tuning.memory_limit_bytes / 8),
      memory_(
          c.tuning.memory_limit_bytes - std::min(c.tuning.memory_limit_bytes / 5 * 3,
                                                 fixed_bytes(c.tuning, ports.cpu.workers(), plain_bytes_aim(c.tuning))),
          account_count(c), c.destinations.size()),
      fetch_permits_(c.tuning.fetch_concurrency, std::max(1U, c.tuning.fetch_concurrency / 4)),
      converters_(transform_of(c.tuning), buffers_, ports.clock, counts),
      open_(
          [this] {
            return make_encoder(config_.tuning.compression, limits_of(config_.tuning, config_.tuning.batch_bytes_max),
                                buffers_);
          },
          encoder_count(c.tuning, ports.cpu.workers()), batch_of(c.tuning)),
      cutter_(c.tuning.batch_raw_bytes_max,
              make_encoder(c.tuning.compression, limits_of(c.tuning, service_wire_bytes_max), buffers_)),
      around_{.ports = ports,
              .counts = counts,
              .memory = memory_,
              .open = open_,
              .converters = converters_,
              .hand_over = [this](std::uint32_t id, outgoing out) { destinations_[id]->up->hand_over(std::move(out)); },
              .fail = [this](std::string why) { fail(std::move(why)); },
              .lanes_changed = [this] { lanes_.notify(); },
              .spawn = [this](engine::task<> t) { commits_.spawn(std::move(t)); },
              .parked = [this](const engine::route_id& id, const sls::failure& f) { note_parked(id, f); },
              .resumed =
                  [this](const engine::route_id& id) {
                    ports_.log.info("source answers again",
                                    {{"account", id.account}, {"project", id.project}, {"logstore", id.logstore}});
                    const std::lock_guard lock(mutex_);
                    std::erase_if(parked_told_, [&id](const auto& told) { return told.first == id.account; });
                  },
              .poll_interval = c.tuning.poll_interval,
              .probe_interval = probe_every(options),
              .probes_max = options.once ? once_probes_max : 0,
              .queue_blocks_max = c.tuning.queue_blocks_max,
              .once = options.once,
              .linger_none = false},
      pulls_(ports.where, [this] { fail("an internal error stopped a route"); }),
      commits_(ports.where, [this] { fail("an internal error stopped a commit"); }),
      sends_(ports.where, [this] { fail("an internal error stopped an upload"); }),
      batches_(ports.where, [this] { fail("an internal error stopped the closing of batches"); }),
      helpers_(ports.where, [this] { fail("an internal error stopped a helper"); }) {
  build_destinations(config_);
  build_sources(config_);
  memory_.on_pressure([this] { lanes_.notify(); });
}

// What is still open or closed ends here, while the routes it belongs to exist.
data_path::~data_path() {
  around_.spawn = [](engine::task<>) {};
  for (auto& d : destinations_) d->up->abort();
  open_.clear();
}

// --- assembly ------------------------------------------------------------------------------------------------------

void data_path::build_destinations(const config& c) {
  for (std::uint32_t id = 0; id < c.destinations.size(); ++id) {
    const auto& d = c.destinations[id];
    auto parts = std::make_unique<destination_parts>();
    parts->format = d.format;
    if (d.type == destination_type::null || options_.dry_run) {
      parts->to = make_null_sink();
    } else {
      azure::entra_options entra{.authority = as_base_url(d.authority),
                                 .audience = std::string(azure::cloud_of(d.endpoint.host).audience),
                                 .tenant = d.credentials.tenant,
                                 .client_id = d.credentials.client_id,
                                 .client_secret = d.credentials.client_secret,
                                 .ca_file = d.tls.ca_file};
      parts->tokens = std::make_unique<azure::entra_token>(std::move(entra), ports_.uploads, ports_.clock, ports_.rng);
      azure::ingestion_options ingestion{
          .endpoint = as_base_url(d.endpoint), .rule = d.rule, .stream = d.stream, .ca_file = d.tls.ca_file};
      parts->client =
          std::make_unique<azure::logs_ingestion>(std::move(ingestion), ports_.uploads, ports_.clock, ports_.rng);
      parts->to = make_sentinel_sink(*parts->client, *parts->tokens);
    }
    upload_options up{.name = d.name,
                      .id = id,
                      .concurrency = c.tuning.upload_concurrency,
                      .places = c.tuning.upload_concurrency + ports_.cpu.workers() + 2,
                      .probe_interval = probe_every(options_),
                      .backoff = {},
                      .body_ended = [this] {
                        progress_.notify();
                        if (memory_.waiting() > 0) lanes_.notify();
                      }};
    parts->up = std::make_unique<upload>(up, ports_, *parts->to, open_, converters_, cutter_, counts_,
                                         [this](std::string why) { fail(std::move(why)); });
    destinations_.push_back(std::move(parts));
  }
}

void data_path::build_sources(const config& c) {
  std::map<std::string, std::uint32_t> accounts;
  std::map<std::string, destination_parts*> by_name;
  for (std::size_t i = 0; i < c.destinations.size(); ++i) by_name[c.destinations[i].name] = destinations_[i].get();
  for (const auto& source : c.sources) {
    const auto account =
        accounts.try_emplace(source.account, static_cast<std::uint32_t>(accounts.size() + 1)).first->second;
    for (const auto& name : source.logstores) {
      auto watch = std::make_unique<logstore_watch>();
      watch->source = &source;
      watch->logstore = name;
      watch->account_id = account;
      watch->logstore_id = static_cast<std::uint32_t>(logstores_.size() + 1);
      watch->to = by_name.at(source.to);
      watch->credentials =
          std::make_unique<sls::fixed_credentials>(sls::access_key{.id = source.credentials.access_key_id,
                                                                   .key = source.credentials.access_key_secret,
                                                                   .token = source.credentials.security_token});
      sls::client_options client{.endpoint = as_base_url(source.endpoint),
                                 .region = source.region,
                                 .project = source.project,
                                 .ca_file = source.tls.ca_file};
      watch->client = std::make_unique<sls::client>(std::move(client), ports_.pulls, ports_.clock, *watch->credentials);
      logstores_.push_back(std::move(watch));
    }
  }
}

engine::route_id data_path::route_of(const logstore_watch& w, std::int64_t shard) const {
  return {.account = w.source->account,
          .project = w.source->project,
          .logstore = w.logstore,
          .shard = shard,
          .destination = w.to->up->name()};
}

// `start: end` is about the moment we first saw the logstore. A shard that came later (a split, or while we were not
// running) holds events that nobody has read: those begin at their beginning.
engine::task<start_position> data_path::start_for(logstore_watch& w, const std::vector<sls::shard>& shards) {
  if (!std::holds_alternative<start_end>(w.source->start)) co_return w.source->start;
  bool seen_before = w.listed;
  for (const auto& s : shards) {
    if (seen_before) break;
    auto saved = co_await ports_.store.load(route_of(w, s.id));
    seen_before = saved && !saved->committed.empty();
  }
  if (seen_before) co_return start_begin{};
  co_return w.source->start;
}

void data_path::start_route(logstore_watch& w, const sls::shard& shard, const start_position& start) {
  engine::route_id id = route_of(w, shard.id);
  engine::budget_holder holder{.flow = {.account = w.account_id, .logstore = w.logstore_id},
                               .destination = w.to->up->id()};
  auto& account = counts_.account(w.source->account);
  fetch_limits limits{.groups_max = config_.tuning.pull_groups_max,
                      .block_plain_bytes_aim = plain_bytes_aim(config_.tuning)};
  auto source =
      std::make_unique<fetch>(limits, ports_.clock, *w.client, memory_, fetch_permits_, buffers_, counts_, account);
  auto made = std::make_unique<route>(around_, std::move(id), holder, w.to->format, *w.to->up, std::move(source),
                                      account, start, shard.status == sls::shard_status::read_only);
  route* started = made.get();
  {
    const std::lock_guard lock(mutex_);
    w.routes.emplace(shard.id, std::move(made));
  }
  pulls_.spawn(started->pull());
  pulls_.spawn(started->convert());
}

// --- running -------------------------------------------------------------------------------------------------------

engine::task<> data_path::run() {
  for (auto& d : destinations_) {
    for (unsigned i = 0; i < config_.tuning.upload_concurrency; ++i) sends_.spawn(d->up->send());
  }
  batches_.spawn(close_batches());
  helpers_.spawn(watch_destinations());
  helpers_.spawn(enforce_drain_deadline());
  for (auto& w : logstores_) pulls_.spawn(watch(*w));
  // An exception that nobody expected stops everything (fail), and is thrown on once all has ended.
  std::exception_ptr first;
  try {
    co_await pulls_.join();
  } catch (...) {
    first = std::current_exception();
  }
  co_await finish(first);
  if (first) std::rethrow_exception(first);
}

engine::task<> data_path::watch(logstore_watch& w) {
  while (!stopping()) {
    const bool again = co_await list_once(w);
    if (!again || options_.once) break;
    const auto until = ports_.clock.now() + shard_list_interval;
    co_await stop_.sleep_until(ports_.clock, until);
  }
}

// Lists the shards and starts routes for new ones; tries until that worked. False: given up.
engine::task<bool> data_path::list_once(logstore_watch& w) {
  while (!stopping()) {
    auto permit = co_await fetch_permits_.acquire({.account = w.account_id, .logstore = w.logstore_id});
    if (!permit) co_return false;
    auto shards = co_await w.client->list_shards(w.logstore);
    permit->give_back();
    if (shards) {
      if (std::exchange(w.probes_failed, 0U) != 0) {
        around_.resumed({.account = w.source->account,
                         .project = w.source->project,
                         .logstore = w.logstore,
                         .shard = 0,
                         .destination = {}});
      }
      w.failures = 0;
      std::vector<sls::shard> fresh;
      {
        const std::lock_guard lock(mutex_);
        w.state = "running";
        w.reason.clear();
        for (const auto& s : *shards) {
          const auto known = w.routes.find(s.id);
          if (known == w.routes.end())
            fresh.push_back(s);
          else if (s.status == sls::shard_status::read_only)
            known->second->set_readonly();
        }
      }
      const start_position start = co_await start_for(w, *shards);
      for (const auto& s : fresh) start_route(w, s, start);
      w.listed = true;
      co_return true;
    }
    const sls::failure& f = shards.error();
    if (f.code == sls::errc::cancelled) co_return false;
    counts_.failures("sls", engine::name_of(sls::fault_of(f))).add();
    const auto kind = sls::fault_of(f);
    engine::duration wait =
        engine::next_delay({.first = std::chrono::milliseconds(500), .max = std::chrono::seconds(30)},
                           std::min(w.failures, 10U), f.retry_after, ports_.rng.next());
    ++w.failures;
    if (kind == engine::fault::unauthorized || kind == engine::fault::refused) {
      if (++w.probes_failed == 1) {
        note_parked({.account = w.source->account,
                     .project = w.source->project,
                     .logstore = w.logstore,
                     .shard = 0,
                     .destination = {}},
                    f);
      }
      const bool give_up = options_.once && w.probes_failed > once_probes_max;
      {
        const std::lock_guard lock(mutex_);
        w.state = give_up ? "failed" : "parked";
        w.reason = reason_of(f);
      }
      if (give_up) co_return false;
      wait = around_.probe_interval;
    } else {
      ports_.log.warn("shards not listed, trying again", {{"account", w.source->account},
                                                          {"project", w.source->project},
                                                          {"logstore", w.logstore},
                                                          {"error", sls::name_of(f.code)},
                                                          {"detail", f.message}});
    }
    const auto until = ports_.clock.now() + wait;
    co_await stop_.sleep_until(ports_.clock, until);
  }
  co_return false;
}

void data_path::hand_over(std::vector<closed_body> closed) {
  for (auto& body : closed) destinations_[body.destination]->up->hand_over(std::move(body.out));
}

engine::task<> data_path::close_batches() {
  for (;;) {
    const auto seen = lanes_.version();
    if (lanes_.closed()) break;
    const auto now = ports_.clock.now();
    const auto due = open_.next_deadline();
    // Somebody waits for memory and nothing that is closed or on the wire will free any: the oldest batch must.
    bool pressed = memory_.waiting() > 0 && due.has_value();
    if (pressed) {
      for (const auto& d : destinations_) {
        const auto state = d->up->now();
        if (state.waiting + state.in_flight > 0) pressed = false;
      }
    }
    if (pressed || (due && *due <= now)) {
      std::vector<closed_body> closed;
      co_await ports_.cpu.enter({}, engine::mib);
      if (pressed) open_.close_oldest(closed);
      open_.close_due(ports_.clock.now(), false, closed);
      co_await ports_.cpu.leave();
      hand_over(std::move(closed));
      continue;
    }
    if (due) {
      co_await lanes_.wait_until(seen, ports_.clock, *due);
    } else {
      co_await lanes_.wait(seen);
    }
  }
}

// Destinations that answered nothing for long may together keep a quarter of the memory, when others wait for it.
engine::task<> data_path::watch_destinations() {
  for (;;) {
    const auto until = ports_.clock.now() + std::chrono::seconds(1);
    const bool go = co_await ended_.sleep_until(ports_.clock, until);
    if (!go) break;
    counts_.budget_bytes.set(static_cast<double>(memory_.in_use()));
    counts_.budget_waiting.set(static_cast<double>(memory_.waiting()));
    double lag = 0;
    for (const auto& l : status().logstores) lag = std::max(lag, l.lag_s);
    counts_.lag_seconds_max.set(lag);
    lanes_.notify();  // pressure is looked at once a second even when nothing else happens
    if (memory_.waiting() == 0 || destinations_.size() < 2) continue;
    std::size_t held = 0;
    std::vector<upload*> silent;
    for (const auto& d : destinations_) {
      const auto state = d->up->now();
      const auto bytes = memory_.held_by_destination(d->up->id());
      if (state.silent < silent_max) continue;
      held += bytes;
      silent.push_back(d->up.get());
    }
    if (held <= memory_.bytes_max() / 4 || silent.size() == destinations_.size()) continue;
    for (upload* u : silent) {
      if (!u->gate().park("no answer for 30 s while others wait for memory", false, gate::reopens::by_any_answer))
        continue;
      counts_.destination(u->name()).parked->set(1);
      ports_.log.error("destination set aside: silent while others wait for memory", {{"destination", u->name()}});
      u->shed();
    }
  }
}

// --- ending --------------------------------------------------------------------------------------------------------

void data_path::drain() {
  if (stopping_.exchange(true)) return;
  around_.linger_none.store(true);
  stop_.close();
  ports_.pulls.close();
  fetch_permits_.close();
  memory_.close();
  for (auto& d : destinations_) d->up->gate().close();
  const std::lock_guard lock(mutex_);
  for (auto& w : logstores_) {
    for (auto& [id, r] : w->routes) r->stop();
  }
}

void data_path::abort() {
  if (ended_.closed()) return;
  {
    const std::lock_guard lock(mutex_);
    if (!outcome_.failed && !outcome_.drain_aborted) {
      outcome_.drain_aborted = true;
      outcome_.why = "stopped before everything that was read was accepted";
    }
  }
  drain();
  ports_.uploads.close();
  for (auto& d : destinations_) d->up->abort();
  const std::lock_guard lock(mutex_);
  for (auto& w : logstores_) {
    for (auto& [id, r] : w->routes) r->abort();
  }
}

engine::task<> data_path::enforce_drain_deadline() {
  const auto seen = stop_.version();
  co_await stop_.wait(seen);
  const auto until = ports_.clock.now() + config_.tuning.drain_timeout;
  const bool late = co_await ended_.sleep_until(ports_.clock, until);
  if (!late || !work_left()) co_return;
  {
    const std::lock_guard lock(mutex_);
    outcome_.drain_aborted = true;
    outcome_.why = "not all rows were accepted within the drain timeout";
  }
  ports_.log.error("drain timeout: what is not accepted stays uncommitted and is read again at the next start");
  abort();
}

bool data_path::work_left() const {
  if (open_.open_count() > 0 || commits_.running() > 0 || pulls_.running() > 0) return true;
  return std::ranges::any_of(destinations_, [](const auto& d) { return !d->up->now().idle(); });
}

// A parked destination delays nothing: once the others have nothing left, its probe is cut off.
engine::task<> data_path::cut_off_probes() {
  for (auto& d : destinations_) d->up->drop_probes();
  for (;;) {
    const auto seen = progress_.version();
    const bool busy = std::ranges::any_of(
        destinations_, [](const auto& d) { return !d->up->gate().now().parked && !d->up->now().idle(); });
    if (!busy) break;
    co_await progress_.wait(seen);
  }
  ports_.uploads.close();
}

// The routes have ended; what they left behind goes its way, in this order.
engine::task<> data_path::finish(std::exception_ptr& first) {
  drain();
  lanes_.close();
  co_await join_or_keep(batches_, first);  // a batch it has in hand is handed over before the queues end
  std::vector<closed_body> closed;
  co_await ports_.cpu.enter({}, engine::mib);
  open_.close_due(ports_.clock.now(), true, closed);
  co_await ports_.cpu.leave();
  hand_over(std::move(closed));
  for (auto& d : destinations_) d->up->finish();
  co_await cut_off_probes();
  co_await join_or_keep(sends_, first);
  co_await join_or_keep(commits_, first);
  ended_.close();
  co_await join_or_keep(helpers_, first);
}

engine::task<> data_path::join_or_keep(engine::scope& children, std::exception_ptr& first) {
  try {
    co_await children.join();
  } catch (...) {
    if (!first) first = std::current_exception();
  }
}

void data_path::fail(std::string why) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = !outcome_.failed;
    outcome_.failed = true;
    if (first) outcome_.why = why;
  }
  if (first) ports_.log.error("stopping: " + why);
  abort();
}

// One line for an account whose routes all fail for the same reason; one for each logstore or project that is not
// there.
void data_path::note_parked(const engine::route_id& id, const sls::failure& f) {
  std::string what(sls::name_of(f.code));
  if (sls::fault_of(f) != engine::fault::unauthorized) what += " " + id.project + "/" + id.logstore;
  {
    const std::lock_guard lock(mutex_);
    if (!parked_told_.emplace(id.account, what).second) return;
  }
  ports_.log.error("source parked: nothing is pulled until it answers again",
                   {{"account", id.account},
                    {"project", id.project},
                    {"logstore", id.logstore},
                    {"reason", reason_of(f)},
                    {"request_id", f.request_id},
                    {"probe_s", std::chrono::duration<double>(around_.probe_interval).count()}});
}

data_path::outcome data_path::result() const {
  const std::lock_guard lock(mutex_);
  outcome out = outcome_;
  for (const auto& w : logstores_) {
    const auto failed = [&](const std::string& why) {
      if (!out.failed) out.why = w->source->account + "/" + w->source->project + "/" + w->logstore + ": " + why;
      out.failed = true;
    };
    if (w->state == "failed") failed(w->reason);
    for (const auto& [id, r] : w->routes) {
      const auto s = r->status();
      if (s.state == route_state::failed) failed(s.reason);
    }
  }
  return out;
}

path_status data_path::status() const {
  path_status out;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& w : logstores_) {
      logstore_status l{.account = w->source->account,
                        .project = w->source->project,
                        .logstore = w->logstore,
                        .destination = w->to->up->name(),
                        .state = w->state,
                        .reason = w->reason,
                        .shards = w->routes.size(),
                        .in_flight = 0,
                        .lag_s = 0};
      std::size_t done = 0;
      for (const auto& [id, r] : w->routes) {
        const auto s = r->status();
        l.lag_s = std::max(l.lag_s, s.lag_s);
        l.in_flight += s.in_flight;
        if (s.state == route_state::done) ++done;
        if (s.state == route_state::parked || s.state == route_state::failed) {
          l.state = name_of(s.state);
          l.reason = s.reason;
        }
      }
      if (!w->routes.empty() && done == w->routes.size() && options_.once) l.state = "done";
      const auto gate = w->to->up->gate().now();
      if (gate.parked && l.state == "running") {
        l.state = "parked";
        l.reason = gate.reason;
      }
      out.logstores.push_back(std::move(l));
    }
  }
  for (const auto& d : destinations_) {
    const auto gate = d->up->gate().now();
    const auto state = d->up->now();
    out.destinations.push_back({.name = d->up->name(),
                                .parked = gate.parked,
                                .throttled = state.throttled,
                                .reason = gate.reason,
                                .waiting = state.waiting,
                                .in_flight = state.in_flight});
  }
  out.memory_used_bytes = memory_.in_use();
  out.memory_waiting = memory_.waiting();
  out.draining = stopping();
  return out;
}

}  // namespace stages
