#include "fault_plan.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <mutex>
#include <vector>

#include "json_value.hpp"
#include "seeded_random.hpp"

namespace emulator {

struct fault_plan::state {
  mutable std::mutex mutex;
  seeded_random random;
  std::vector<fault> faults;

  explicit state(std::uint64_t seed) : random(seed_for(seed, "faults")) {}
  std::optional<fault> hit(const fault_target& target, bool before);
};

namespace {

constexpr std::array<std::pair<std::string_view, fault_kind>, 12> kinds = {{
    {"status", fault_kind::status},
    {"reset_before", fault_kind::reset_before},
    {"reset_after", fault_kind::reset_after},
    {"lost_answer", fault_kind::lost_answer},
    {"slow", fault_kind::slow},
    {"stall", fault_kind::stall},
    {"truncate", fault_kind::truncate},
    {"wrong_size", fault_kind::wrong_size},
    {"garbage", fault_kind::garbage},
    {"drop_row", fault_kind::drop_row},
    {"alter_byte", fault_kind::alter_byte},
    {"double_row", fault_kind::double_row},
}};
constexpr std::array<std::string_view, 5> roles = {"sls", "entra", "ingest", "sts", "metadata"};
constexpr std::array<std::string_view, 8> operations = {"list_shards", "get_cursor", "pull_logs", "heartbeat",
                                                        "checkpoint",  "token",      "upload",    "assume_role"};

template <std::size_t N>
bool one_of(const std::array<std::string_view, N>& allowed, std::string_view name) {
  return std::ranges::find(allowed, name) != allowed.end();
}

using kind = json_value::kind;

// An empty text: read. Otherwise what is wrong with the value.
std::string read_match(const json_value& match, fault& into) {
  if (!match.is(kind::object)) return "match: must be an object";
  for (std::size_t i = 0; i < match.names.size(); ++i) {
    const auto& key = match.names[i];
    const auto& value = match.items[i];
    if (!value.is(kind::string)) return "match." + key + ": must be a string";
    if (key == "account") {
      into.account = value.text;
    } else if (key == "logstore") {
      into.logstore = value.text;
    } else if (key == "rule") {
      into.rule = value.text;
    } else {
      return "match." + key + ": unknown key (account, logstore, rule)";
    }
  }
  return "";
}

std::string read_text(std::string_view key, const json_value& value, fault& into) {
  if (!value.is(kind::string)) return std::string(key) + ": must be a string";
  const auto& text = value.text;
  if (key == "role") {
    if (!one_of(roles, text)) return "role: unknown: " + text;
    into.role = text;
  } else if (key == "op") {
    if (!one_of(operations, text)) return "op: unknown: " + text;
    into.op = text;
  } else if (key == "code") {
    into.code = text;
  } else {
    const auto found = std::ranges::find(kinds, text, [](const auto& named) { return named.first; });
    if (found == kinds.end()) return "kind: unknown: " + text;
    into.kind = found->second;
  }
  return "";
}

std::string read_number(std::string_view key, const json_value& value, fault& into) {
  const auto whole = value.integer();
  const auto number = value.number().value_or(-1);
  if (key == "status") {
    if (!whole || *whole < 200 || *whole > 599) return "status: must be 200 to 599";
    into.status = static_cast<int>(*whole);
  } else if (key == "retry_after") {
    if (!whole || *whole < 0 || *whole > 86'400) return "retry_after: must be 0 to 86400 whole seconds";
    into.retry_after_s = static_cast<int>(*whole);
  } else if (key == "seconds") {
    if (!(number >= 0 && number <= 3600)) return "seconds: must be 0 to 3600";
    into.seconds = number;
  } else if (key == "rate") {
    if (!(number >= 0 && number <= 1)) return "rate: must be 0 to 1";
    into.rate = number;
  } else {
    if (!whole || *whole < 0) return "count: must be a whole number";
    into.count = static_cast<std::uint64_t>(*whole);
  }
  return "";
}

std::string read_fault(const json_value& entry, fault& into) {
  constexpr std::array<std::string_view, 4> texts = {"role", "op", "kind", "code"};
  constexpr std::array<std::string_view, 5> numbers = {"status", "retry_after", "seconds", "rate", "count"};
  if (!entry.is(kind::object)) return " must be an object";
  if (entry.find("kind") == nullptr) return "kind: missing";
  for (std::size_t i = 0; i < entry.names.size(); ++i) {
    const auto& key = entry.names[i];
    const auto& value = entry.items[i];
    std::string problem = key + ": unknown key";
    if (key == "match") {
      problem = read_match(value, into);
    } else if (one_of(texts, key)) {
      problem = read_text(key, value, into);
    } else if (one_of(numbers, key)) {
      problem = read_number(key, value, into);
    }
    if (!problem.empty()) return problem;
  }
  return "";
}

bool fits(std::string_view wanted, std::string_view given) { return wanted.empty() || wanted == given; }

bool fits(const fault& f, const fault_target& t) {
  return fits(f.role, t.role) && fits(f.op, t.op) && fits(f.account, t.account) && fits(f.logstore, t.logstore) &&
         fits(f.rule, t.rule);
}

}  // namespace

fault_plan::fault_plan(std::uint64_t seed) : state_(std::make_unique<state>(seed)) {}
fault_plan::~fault_plan() = default;

std::expected<std::size_t, std::string> fault_plan::replace(std::string_view text) {
  const auto list = parse_json(text);
  if (!list) return std::unexpected("faults: not JSON");
  if (!list->is(kind::array)) return std::unexpected("faults: must be a list");
  std::vector<fault> faults;
  for (const auto& entry : list->items) {
    fault one;
    if (auto problem = read_fault(entry, one); !problem.empty()) {
      return std::unexpected("faults[" + std::to_string(faults.size()) + "]." + problem);
    }
    faults.push_back(std::move(one));
  }
  const std::lock_guard lock(state_->mutex);
  state_->faults = std::move(faults);
  return state_->faults.size();
}

std::size_t fault_plan::active() const {
  const std::lock_guard lock(state_->mutex);
  return static_cast<std::size_t>(
      std::ranges::count_if(state_->faults, [](const fault& f) { return f.count.value_or(1) > 0 && f.rate > 0; }));
}

std::optional<fault> fault_plan::state::hit(const fault_target& target, bool before) {
  const std::lock_guard lock(mutex);
  for (auto& f : faults) {
    if ((f.kind == fault_kind::reset_before) != before || !fits(f, target)) continue;
    if (f.count && *f.count == 0) continue;
    if (f.rate < 1 && random.unit() >= f.rate) continue;
    if (f.count) --*f.count;
    f.draw = random.next();
    return f;
  }
  return std::nullopt;
}

bool fault_plan::resets_before(const fault_target& target) { return state_->hit(target, true).has_value(); }

std::optional<fault> fault_plan::match(const fault_target& target) { return state_->hit(target, false); }

void spoil_answer(const fault& f, response& answer) {
  const auto time = std::chrono::milliseconds(static_cast<std::int64_t>(std::lround(f.seconds * 1000)));
  switch (f.kind) {
    case fault_kind::reset_after:
    case fault_kind::lost_answer:
      answer.how = delivery::close_without_answer;
      break;
    case fault_kind::slow:
      answer.drip = time;
      break;
    case fault_kind::stall:
      answer.hold = time;
      break;
    case fault_kind::truncate:
      if (answer.body) answer.text(answer.body->substr(0, answer.body->size() * 2 / 3));
      break;
    case fault_kind::garbage:
      if (answer.body) {
        std::string noise(answer.body->size(), '\0');
        seeded_random random(f.draw);
        std::ranges::generate(noise, [&] { return static_cast<char>(random.next()); });
        answer.text(std::move(noise));
      }
      break;
    case fault_kind::status:
    case fault_kind::reset_before:
    case fault_kind::wrong_size:
    case fault_kind::drop_row:
    case fault_kind::alter_byte:
    case fault_kind::double_row:
      break;
  }
}

}  // namespace emulator
