#include "tests/flow/world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace tests {
namespace {

constexpr std::uint64_t steps_max = 20'000'000;  // of one call of run(): what spins is a failure
constexpr auto slice = std::chrono::milliseconds(100);

engine::task<> run_path(process* p) {
  co_await p->path.run();
  p->ended = true;
}

stages::path_ports ports_of(world& w, process& p) {
  return {.where = w.sim.get_executor(),
          .clock = w.sim,
          .rng = w.sim,
          .cpu = p.cpu,
          .pulls = p.pulls,
          .uploads = p.uploads,
          .store = p.store,
          .log = *p.log,
          .metrics = p.metrics};
}

}  // namespace

std::uint64_t seed_count(std::uint64_t usual) {
  const char* times = std::getenv("PENSTOCK_FLOW_SEEDS");
  return times == nullptr ? usual : usual * std::max<std::uint64_t>(1, std::strtoull(times, nullptr, 10));
}

process::process(world& w, const stages::run_options& options)
    : pulls(w.cloud),
      uploads(w.cloud),
      store(w.sim, w.kept),
      cpu(w.sim, w.cpu_workers, w.cpu_bytes_per_second),
      log(engine::make_null_logger()),
      counts(metrics),
      path(w.config, options, ports_of(w, *this), counts) {
  store.on_commit = [&w](const engine::route_id& id, const std::string& cursor) { w.check_commit(id, cursor); };
}

std::string world::account_name(unsigned account) { return "account-" + std::to_string(account); }
std::string world::project_name(unsigned account) { return "project-" + std::to_string(account); }
std::string world::logstore_name(unsigned logstore) { return "logstore-" + std::to_string(logstore); }
std::string world::rule_name(unsigned destination) { return "dcr-" + std::to_string(destination); }
unsigned world::destination_of(unsigned account, unsigned logstore) const {
  return (account * shape_.logstores + logstore) % shape_.destinations;
}

world::world(std::uint64_t seed, world_shape shape) : sim(seed), cloud(sim, seed), shape_(shape), texts_(seed + 7) {
  for (unsigned d = 0; d < shape.destinations; ++d) {
    cloud.rules[rule_name(d)].stream = "Custom-Events";
    stages::destination_options to;
    to.name = "sink-" + std::to_string(d);
    to.endpoint.host = "ingest-" + std::to_string(d) + ".test";
    to.rule = rule_name(d);
    to.stream = "Custom-Events";
    to.authority.host = "login.test";
    to.credentials = {.tenant = "tenant", .client_id = "client", .client_secret = engine::secret("secret")};
    config.destinations.push_back(std::move(to));
  }
  for (unsigned a = 0; a < shape.accounts; ++a) {
    auto& project = cloud.projects[project_name(a)];
    project.access_key_id = "key-" + std::to_string(a);
    for (unsigned l = 0; l < shape.logstores; ++l) {
      for (unsigned s = 0; s < shape.shards; ++s) project.logstores[logstore_name(l)][s] = {};
      stages::source_options from;
      from.account = account_name(a);
      from.endpoint.host = "sls.test";
      from.credentials.access_key_id = project.access_key_id;
      from.credentials.access_key_secret = engine::secret("secret");
      from.project = project_name(a);
      from.logstores = {logstore_name(l)};
      from.to = config.destinations[destination_of(a, l)].name;
      config.sources.push_back(std::move(from));
    }
  }
}

world::~world() {
  if (process_ && !process_->ended) kill();
  EXPECT_TRUE(broken_promises_.empty()) << broken_promises_.size() << " positions were committed too early, the first: "
                                        << broken_promises_.front();
}

model_shard& world::shard(unsigned account, unsigned logstore, std::int64_t shard) {
  return cloud.projects.at(project_name(account)).logstores.at(logstore_name(logstore))[shard];
}

std::string world::make_event(std::size_t bytes) {
  constexpr std::string_view letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
  while (padding_.size() < engine::mib) {
    auto bits = texts_();
    for (unsigned i = 0; i < 10; ++i, bits >>= 6) padding_ += letters[bits & 63];
  }
  const auto number = ++last_event_;
  std::string text = R"({"eventId":"event-)" + std::to_string(number) + R"(","eventName":"Name)" +
                     std::to_string(number % 7) + R"(","eventTime":"2026-01-01T00:00:00Z","serial":)" +
                     std::to_string(9'007'199'254'740'993 + number) + R"(,"requestParameterJson":"{\"a\":\")";
  if (text.size() + 5 < bytes) {
    const std::size_t wanted = std::min(bytes - text.size() - 5, padding_.size());
    text.append(padding_, texts_() % (padding_.size() - wanted + 1), wanted);
  }
  return text + R"(\"}"})";
}

void world::fill(model_shard& to, std::size_t groups, std::size_t events_per_group, std::size_t bytes) {
  for (std::size_t g = 0; g < groups; ++g) {
    std::vector<std::string> texts;
    for (std::size_t e = 0; e < events_per_group; ++e) texts.push_back(make_event(bytes));
    cloud.append(to, std::move(texts));
  }
}

void world::for_each_shard(const std::function<void(const place&, model_shard&)>& visit) {
  for (unsigned a = 0; a < shape_.accounts; ++a) {
    for (unsigned l = 0; l < shape_.logstores; ++l) {
      for (auto& [id, s] : cloud.projects.at(project_name(a)).logstores[logstore_name(l)]) visit({a, l, id}, s);
    }
  }
}

void world::fill_all(std::size_t groups, std::size_t events_per_group, std::size_t bytes) {
  for_each_shard([&](const place&, model_shard& s) {
    if (!s.readonly) fill(s, groups, events_per_group, bytes);
  });
}

// --- processes -----------------------------------------------------------------------------------------------------

process& world::start(stages::run_options options) {
  process_ = std::make_unique<process>(*this, options);
  sim.spawn(run_path(process_.get()));
  return *process_;
}

bool world::run_until(const std::function<bool()>& what, engine::duration longest) {
  const auto end = sim.now() + longest;
  while (!what()) {
    if (sim.now() >= end) return false;
    const auto before = sim.now();
    if (!sim.run(before + slice, steps_max)) {
      ADD_FAILURE() << "the steps ran out: something spins";
      return false;
    }
    if (sim.now() == before) return what();  // nothing is left that could happen
  }
  return true;
}

bool world::run_to_end(engine::duration longest) {
  const bool ended = run_until([this] { return process_->ended; }, longest);
  sim.check();
  return ended;
}

void world::run_for(engine::duration length) {
  EXPECT_TRUE(sim.run(sim.now() + length, steps_max)) << "the steps ran out: something spins";
  sim.check();
}

void world::kill() {
  process_->store.kill();
  process_->pulls.kill();
  process_->uploads.kill();
  process_->path.abort();
  if (!run_to_end(std::chrono::minutes(10))) {
    ADD_FAILURE() << "an aborted process does not end";
    static_cast<void>(process_.release());  // its coroutines still point into it
    return;
  }
  process_.reset();
}

void world::drain() {
  process_->path.drain();
  EXPECT_TRUE(run_to_end()) << "a draining process does not end";
}

// --- the ledger ----------------------------------------------------------------------------------------------------

engine::route_id world::route_of(const place& p) const {
  return {.account = account_name(p.account),
          .project = project_name(p.account),
          .logstore = logstore_name(p.logstore),
          .shard = p.shard,
          .destination = config.destinations[destination_of(p.account, p.logstore)].name};
}

bool world::buried(const std::string& text) {
  for (; letters_seen_ < kept.letters.size(); ++letters_seen_) buried_.insert(kept.letters[letters_seen_].original);
  return buried_.contains(text);
}

// A reply that never decodes is kept as it came; pulled group by group, it is one group.
bool world::buried_with_its_reply(const engine::route_id& id, std::size_t group) const {
  return std::ranges::any_of(kept.letters, [&](const engine::dead_letter& l) {
    return l.reason == "undecodable_reply" && l.route == id && l.cursor == model_shard::cursor_of(group);
  });
}

void world::check_commit(const engine::route_id& id, const std::string& cursor) {
  const auto& source = cloud.projects.at(id.project).logstores.at(id.logstore).at(id.shard);
  const auto to = std::ranges::find(config.destinations, id.destination, &stages::destination_options::name);
  const auto& accepted = cloud.rules.at(to->rule).times_accepted;
  const auto end = model_shard::group_at(cursor);
  if (!end || *end > source.groups.size()) {
    broken_promises_.push_back("a position that is no cursor: " + cursor);
    return;
  }
  auto& from = checked_to_[id];
  for (std::size_t g = std::max(from, source.kept_from); g < *end; ++g) {
    for (const auto& text : source.groups[g].texts) {
      if (accepted.contains(text) || buried(text) || buried_with_its_reply(id, g)) continue;
      broken_promises_.push_back(id.logstore + " group " + std::to_string(g) + ": " + text.substr(0, 60));
    }
  }
  from = std::max(from, *end);
}

world::totals world::count() {
  totals out;
  std::map<std::string, std::set<std::string>> expected;  // by rule
  for_each_shard([&](const place& p, model_shard& s) {
    const auto rule = rule_name(destination_of(p.account, p.logstore));
    for (std::size_t g = 0; g < s.groups.size(); ++g) {
      for (const auto& text : s.groups[g].texts) {
        ++out.events;
        expected[rule].insert(text);
        if (cloud.rules.at(rule).times_accepted.contains(text)) {
          ++out.delivered;
        } else if (buried(text) || buried_with_its_reply(route_of(p), g)) {
          ++out.buried;
        } else {
          ++out.missing;
        }
      }
    }
  });
  for (const auto& [name, rule] : cloud.rules) {
    for (const auto& [text, times] : rule.times_accepted) {
      if (!expected[name].contains(text)) {
        out.unknown_rows += times;
      } else {
        out.extra_rows += times - 1;
      }
    }
  }
  return out;
}

void world::expect_exactly_once() {
  const auto all = count();
  EXPECT_EQ(all.delivered, all.events);
  EXPECT_EQ(all.missing, 0U);
  EXPECT_EQ(all.extra_rows, 0U);
  EXPECT_EQ(all.unknown_rows, 0U);
}

void world::expect_at_least_once() {
  const auto all = count();
  EXPECT_EQ(all.delivered + all.buried, all.events);
  EXPECT_EQ(all.missing, 0U);
  EXPECT_EQ(all.unknown_rows, 0U);
}

std::size_t world::rows_accepted() const {
  std::size_t out = 0;
  for (const auto& [name, rule] : cloud.rules) out += rule.rows.size();
  return out;
}

std::size_t world::committed_groups(unsigned account, unsigned logstore, std::int64_t shard) const {
  const auto found = kept.positions.find(route_of({account, logstore, shard}));
  if (found == kept.positions.end() || found->second.committed.empty()) return 0;
  return model_shard::group_at(found->second.committed).value_or(0);
}

}  // namespace tests
