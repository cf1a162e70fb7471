#include "ledger.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <tuple>
#include <utility>

#include "comparison.hpp"
#include "http_message.hpp"
#include "served_ranges.hpp"

namespace emulator {

namespace {

// Groups read from a shard at once: enough to be quick, a few MB of text.
constexpr std::uint64_t groups_at_once_max = 64;
// A boundary counts as committable when what is below it was accepted this long before the last request.
constexpr comparison::milliseconds commit_delay_ms = 500;

using rule_key = std::pair<std::string, std::string>;  // rule, stream

struct rule_counts {
  std::uint64_t requests = 0;
  std::uint64_t wire_bytes = 0;
  std::uint64_t raw_bytes = 0;
  std::map<int, std::uint64_t> responses;
};

struct accepted_body {
  rule_key rule;
  std::shared_ptr<const std::string> wire;
  bool gzip = false;
  comparison::milliseconds at = 0;
};

struct shard_records {
  std::uint64_t groups = 0;
  served_ranges served;
};

// What the recording calls keep, and what a comparison takes a copy of.
struct records {
  std::map<shard_key, shard_records> shards;
  std::map<rule_key, rule_counts> rules;
  std::map<std::string, std::map<std::string, std::map<int, std::uint64_t>, std::less<>>, std::less<>> requests;
  std::optional<comparison::milliseconds> last_request;
};

// The logs of a shard as numbers of events; those of group g end at group_ends[g].
struct compared_shard {
  std::uint32_t logstore = 0;
  std::vector<std::uint32_t> events;
  std::vector<std::size_t> group_ends;

  [[nodiscard]] std::size_t begin_of(std::uint64_t group) const {
    return group == 0 ? 0 : group_ends[static_cast<std::size_t>(group) - 1];
  }
};

std::string numbers(const std::map<int, std::uint64_t>& by_status) {
  std::string out = "{";
  for (const auto& [status, count] : by_status) {
    if (out.size() > 1) out += ',';
    out += '"' + std::to_string(status) + "\":" + std::to_string(count);
  }
  return out += '}';
}

std::string member(std::string_view name, std::uint64_t value) {
  return '"' + std::string(name) + "\":" + std::to_string(value);
}

std::string member(std::string_view name, std::string_view value) {
  return '"' + std::string(name) + "\":" + json_quoted(value);
}

}  // namespace

struct ledger::state {
  state(group_reader read, clock now) : read_groups(std::move(read)), now(std::move(now)), rows(read_groups) {}

  comparison::milliseconds time() const {
    return static_cast<comparison::milliseconds>(
        std::chrono::duration_cast<std::chrono::milliseconds>(now() - started).count());
  }

  // Brings the comparison up to what was recorded when it was called; returns that.
  records catch_up();
  void read_shard(const shard_key&, compared_shard&, std::uint64_t groups);
  std::uint64_t pulled_uncommitted(const shard_key&, const records&) const;

  const group_reader read_groups;
  const clock now;
  const std::chrono::steady_clock::time_point started = now();

  // Recording calls take only the first; report() holds the second all the time and the first for moments.
  std::mutex inbox_mutex;
  records inbox;
  std::vector<accepted_body> bodies;

  std::mutex comparison_mutex;
  comparison rows;
  std::map<shard_key, compared_shard> shards;
  std::map<std::tuple<std::string, std::string, std::string>, std::uint32_t> logstores;
  std::map<rule_key, std::uint64_t> rows_of_rule;
};

void ledger::state::read_shard(const shard_key& key, compared_shard& shard, std::uint64_t groups) {
  while (shard.group_ends.size() < groups) {
    const std::uint64_t first = shard.group_ends.size();
    const auto slice = read_groups(key, first, std::min(groups, first + groups_at_once_max));
    if (slice.empty()) return;
    for (const std::string& bytes : slice) {
      const std::uint64_t group = shard.group_ends.size();
      if (const auto logs = read_log_group(bytes)) {
        for (std::size_t i = 0; i < logs->size(); ++i) {
          shard.events.push_back(rows.add_log(shard.logstore, (*logs)[i], {key, group, i}));
        }
      } else {
        shard.events.push_back(rows.add_unreadable(shard.logstore, bytes));
      }
      shard.group_ends.push_back(shard.events.size());
    }
  }
}

records ledger::state::catch_up() {
  std::vector<accepted_body> fresh;
  records seen;
  {
    const std::lock_guard lock(inbox_mutex);
    fresh.swap(bodies);
    seen = inbox;
  }
  for (const auto& [key, recorded] : seen.shards) {
    const auto logstore =
        logstores.try_emplace({key.account, key.project, key.logstore}, static_cast<std::uint32_t>(logstores.size()))
            .first;
    compared_shard& shard = shards[key];
    shard.logstore = logstore->second;
    read_shard(key, shard, recorded.groups);
  }
  for (accepted_body& body : fresh) {
    rows_of_rule[body.rule] += rows.add_body(*body.wire, body.gzip, body.at).value_or(0);
    body.wire.reset();
  }
  return seen;
}

std::uint64_t ledger::state::pulled_uncommitted(const shard_key& key, const records& seen) const {
  const served_ranges& served = seen.shards.at(key).served;
  const compared_shard& shard = shards.at(key);
  if (served.ranges().empty()) return 0;

  const auto committable = [&](std::uint32_t event) {
    const auto at = rows.accepted_at(event);
    return at != comparison::never && seen.last_request && std::uint64_t{at} + commit_delay_ms <= *seen.last_request;
  };
  const std::uint64_t known = shard.group_ends.size();
  const std::uint64_t start = served.ranges().begin()->first;
  std::uint64_t open = std::max(start, known);  // the first served group with an event that is not committable
  for (const auto& [first, next] : served.ranges()) {
    const auto end = std::min(next, known);
    if (first >= end || open < first) break;
    const auto from = shard.events.begin() + static_cast<std::ptrdiff_t>(shard.begin_of(first));
    const auto to = shard.events.begin() + static_cast<std::ptrdiff_t>(shard.begin_of(end));
    const auto blocking = std::find_if_not(from, to, committable);
    if (blocking == to) continue;
    const auto log = static_cast<std::size_t>(blocking - shard.events.begin());
    const auto group = std::ranges::upper_bound(shard.group_ends, log) - shard.group_ends.begin();
    open = static_cast<std::uint64_t>(group);
    break;
  }
  const std::uint64_t boundary = served.last_boundary(open, start);

  std::uint64_t count = 0;
  for (const auto& [first, next] : served.ranges()) {
    const auto from = std::max(first, boundary);
    const auto end = std::min(next, known);
    if (from < end) count += shard.begin_of(end) - shard.begin_of(from);
  }
  return count;
}

ledger::ledger(group_reader read, clock now) : state_(std::make_unique<state>(std::move(read), std::move(now))) {}
ledger::~ledger() = default;

void ledger::stored(const shard_key& key, std::uint64_t count) {
  const std::lock_guard lock(state_->inbox_mutex);
  auto& groups = state_->inbox.shards[key].groups;
  groups = std::max(groups, count);
}

void ledger::served(const shard_key& key, std::uint64_t first, std::uint64_t next) {
  const std::lock_guard lock(state_->inbox_mutex);
  state_->inbox.shards[key].served.add(first, next);
}

void ledger::request_seen(std::string_view role, std::string_view operation, int status) {
  const auto at = state_->time();
  const std::lock_guard lock(state_->inbox_mutex);
  ++state_->inbox.requests[std::string(role)][std::string(operation)][status];
  auto& last = state_->inbox.last_request;
  last = std::max(last.value_or(0), at);
}

void ledger::accepted(std::string_view rule, std::string_view stream, std::shared_ptr<const std::string> wire,
                      bool gzip) {
  accepted_body body{{std::string(rule), std::string(stream)}, std::move(wire), gzip, state_->time()};
  const std::lock_guard lock(state_->inbox_mutex);
  state_->bodies.push_back(std::move(body));
}

void ledger::answered(std::string_view rule, std::string_view stream, int status, std::uint64_t wire_bytes,
                      std::uint64_t raw_bytes) {
  constexpr int accepted_status = 204;
  const std::lock_guard lock(state_->inbox_mutex);
  rule_counts& counts = state_->inbox.rules[{std::string(rule), std::string(stream)}];
  ++counts.requests;
  ++counts.responses[status];
  if (status != accepted_status) return;
  counts.wire_bytes += wire_bytes;
  counts.raw_bytes += raw_bytes;
}

event_counts ledger::totals() {
  const std::lock_guard lock(state_->comparison_mutex);
  const records seen = state_->catch_up();
  event_counts counts = state_->rows.totals();
  for (const auto& [key, shard] : state_->shards) counts.pulled_uncommitted += state_->pulled_uncommitted(key, seen);
  return counts;
}

std::string ledger::report() {
  const std::lock_guard lock(state_->comparison_mutex);
  const records seen = state_->catch_up();
  event_counts counts = state_->rows.totals();
  std::vector<std::uint64_t> uncommitted(state_->logstores.size());
  for (const auto& [key, shard] : state_->shards) {
    const auto pulled = state_->pulled_uncommitted(key, seen);
    uncommitted[shard.logstore] += pulled;
    counts.pulled_uncommitted += pulled;
  }

  std::string out = R"({"events":{)" + member("stored", counts.stored) + ',' +
                    member("delivered_unique", counts.delivered_unique) + ',' +
                    member("duplicates", counts.duplicates) + ',' + member("missing", counts.missing) + ',' +
                    member("altered", counts.altered) + ',' + member("unknown", counts.unknown) + ',' +
                    member("pulled_uncommitted", counts.pulled_uncommitted) + R"(},"logstores":[)";
  const auto separate = [&](char after) {
    if (out.back() != after) out += ',';
  };
  for (const auto& [key, number] : state_->logstores) {
    const auto& [account, project, logstore] = key;
    const auto of = state_->rows.in_logstore(number);
    separate('[');
    out += '{' + member("account", account) + ',' + member("project", project) + ',' + member("logstore", logstore) +
           ',' + member("stored", of.stored) + ',' + member("delivered_unique", of.delivered_unique) + ',' +
           member("missing", of.stored - of.delivered_unique) + ',' +
           member("pulled_uncommitted", uncommitted[number]) + '}';
  }
  out += R"(],"rules":[)";
  for (const auto& [key, rule] : seen.rules) {
    separate('[');
    out += '{' + member("rule", key.first) + ',' + member("stream", key.second) + ',' +
           member("rows", state_->rows_of_rule[key]) + ',' + member("requests", rule.requests) + ',' +
           member("wire_bytes", rule.wire_bytes) + ',' + member("raw_bytes", rule.raw_bytes) + R"(,"responses":)" +
           numbers(rule.responses) + '}';
  }
  out += R"(],"requests":{)";
  for (const auto& [role, operations] : seen.requests) {
    separate('{');
    out += json_quoted(role) + ":{";
    for (const auto& [operation, statuses] : operations) {
      separate('{');
      out += json_quoted(operation) + ':' + numbers(statuses);
    }
    out += '}';
  }
  return out += "}}";
}

}  // namespace emulator
