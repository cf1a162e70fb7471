#include "tools/penstock/live_view.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <set>

namespace penstock {
namespace {

constexpr std::size_t log_lines_max = 50;
constexpr double busy_enough = 0.8;  // of all workers: then the CPU is what limits

std::string human_rate(double v) {
  if (v >= 1e6) return fmt::format("{:.2f}M", v / 1e6);
  if (v >= 1e3) return fmt::format("{:.1f}k", v / 1e3);
  return fmt::format("{:.0f}", v);
}

bool network(std::string_view stage) { return stage == "fetch" || stage == "upload"; }

bool is_cpu_stage(std::size_t i) {
  const auto s = static_cast<stages::stage_name>(i);
  return s != stages::stage_name::fetch && s != stages::stage_name::upload;
}

// Terminal cells are counted as bytes: names are ASCII by the configuration's own rules; log lines are cut by code
// points.
std::string fitted(std::string_view text, std::size_t width) {
  std::string out(text.substr(0, width));
  while (!out.empty() && out.size() < text.size() && (static_cast<unsigned char>(text[out.size()]) & 0xc0) == 0x80)
    out.pop_back();
  return out;
}

// What the data path waits for, if it waits.
bottleneck slowest_of(const run_rates::look& now, const stages::path_status& status) {
  double cpu_busy = 0;
  std::size_t busiest = 1;
  for (std::size_t i = 0; i < now.stages.size(); ++i) {
    if (!is_cpu_stage(i)) continue;
    cpu_busy += now.stages[i].utilisation;
    if (now.stages[i].utilisation > now.stages[busiest].utilisation) busiest = i;
  }
  const auto& to = status.destinations;
  if (cpu_busy >= busy_enough) return {now.stages[busiest].name, "the CPU workers are busy"};
  if (std::ranges::any_of(to, [](const auto& d) { return d.waiting > 0; }))
    return {"upload", "bodies wait for the destination"};
  const bool behind = std::ranges::any_of(status.logstores, [](const auto& l) { return l.lag_s > 0; });
  if (behind && now.events_in_per_s > 0) return {"fetch", "the workers wait for SLS"};
  if (std::ranges::any_of(to, [](const auto& d) { return d.parked; })) return {"upload", "a destination is parked"};
  return {"none", "the data path keeps up"};
}

}  // namespace

run_rates::look run_rates::update(engine::time_point now, const stages::path_status& status, stages::telemetry& t,
                                  const process_usage& usage) {
  totals total{.events_in = t.events_in.value(),
               .events_out = t.events_delivered.value(),
               .wire = t.bytes_wire.value(),
               .cpu_s = usage.cpu_s,
               .accounts = {},
               .stage_events = {},
               .stage_busy = {},
               .stage_wait = {}};
  for (const auto& l : status.logstores) total.accounts[l.account] = t.account(l.account).events_in->value();
  for (std::size_t i = 0; i < stages::stage_count; ++i) {
    auto& meter = t.stage(static_cast<stages::stage_name>(i));
    total.stage_events.push_back(meter.events->value());
    total.stage_busy.push_back(meter.busy_s->value());
    total.stage_wait.push_back(meter.wait_s->value());
  }
  look out;
  if (!last_.stage_events.empty()) {
    out.seconds = std::max(1e-3, std::chrono::duration<double>(now - last_at_).count());
    const double s = out.seconds;
    out.events_in_per_s = (total.events_in - last_.events_in) / s;
    out.events_out_per_s = (total.events_out - last_.events_out) / s;
    out.bytes_wire_per_s = (total.wire - last_.wire) / s;
    out.cpu_cores = (total.cpu_s - last_.cpu_s) / s;
    for (const auto& [name, events] : total.accounts)
      out.account_events_per_s[name] = (events - last_.accounts[name]) / s;
    for (std::size_t i = 0; i < stages::stage_count; ++i) {
      const double busy = (total.stage_busy[i] - last_.stage_busy[i]) / s;
      out.stages.push_back({.name = std::string(stages::name_of(static_cast<stages::stage_name>(i))),
                            .events_per_s = (total.stage_events[i] - last_.stage_events[i]) / s,
                            .utilisation = is_cpu_stage(i) ? busy / workers_ : busy,
                            .wait = (total.stage_wait[i] - last_.stage_wait[i]) / s});
    }
    out.slowest = slowest_of(out, status);
  }
  last_ = std::move(total);
  last_at_ = now;
  return out;
}

void log_tail::add(std::string_view line) {
  while (!line.empty() && line.back() == '\n') line.remove_suffix(1);
  const std::lock_guard lock(mutex_);
  lines_.emplace_back(line);
  if (lines_.size() > log_lines_max) lines_.pop_front();
}

std::deque<std::string> log_tail::lines() const {
  const std::lock_guard lock(mutex_);
  return lines_;
}

screen_size screen_of(int fd) {
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return {};
  return {.columns = size.ws_col, .rows = size.ws_row};
}

namespace {

void add_accounts(std::vector<std::string>& lines, const run_rates::look& now, const stages::path_status& status,
                  screen_size size) {
  struct account_line {
    std::size_t logstores = 0, parked = 0, in_flight = 0;
    std::set<std::string> destinations;
    double lag_s = 0;
    std::string reason;
  };
  std::map<std::string, account_line> accounts;
  for (const auto& l : status.logstores) {
    auto& a = accounts[l.account];
    ++a.logstores;
    a.lag_s = std::max(a.lag_s, l.lag_s);
    a.in_flight += l.in_flight;
    a.destinations.insert(l.destination);
    if (l.state == "parked" || l.state == "failed") {
      ++a.parked;
      a.reason = l.reason;
    }
  }
  lines.push_back(fmt::format("{:<20} {:>10} {:>9} {:>9} {:>9} {:>7} {:<11} {}", "ACCOUNT", "EVENTS/S", "LAG",
                              "IN FLIGHT", "LOGSTORES", "PARKED", "DESTINATION", "REASON"));
  const std::size_t fixed = lines.size() + status.destinations.size() + 4;
  const std::size_t room = size.rows > fixed + 4 ? size.rows - fixed - 4 : 1;
  std::size_t shown = 0;
  for (const auto& [name, a] : accounts) {
    if (++shown > room) {
      lines.push_back(fmt::format("... and {} more accounts", accounts.size() - room));
      break;
    }
    const auto rate = now.account_events_per_s.find(name);
    std::string state = "ok";
    for (const auto& d : status.destinations) {
      if (a.destinations.contains(d.name) && (d.parked || d.throttled)) state = d.parked ? "parked" : "throttled";
    }
    lines.push_back(fmt::format("{:<20} {:>10} {:>8.1f}s {:>9} {:>9} {:>7} {:<11} {}", fitted(name, 20),
                                human_rate(rate == now.account_events_per_s.end() ? 0 : rate->second), a.lag_s,
                                a.in_flight, a.logstores, a.parked, state, a.reason));
  }
}

}  // namespace

std::string draw_screen(const run_rates::look& now, const stages::path_status& status, stages::telemetry& t,
                        const process_usage& usage, const std::deque<std::string>& log, double running_s,
                        screen_size size) {
  std::vector<std::string> lines;
  lines.push_back(fmt::format(
      "penstock {}  {:.0f} s   in {} events/s   out {} events/s   {:.1f} MB/s up   cpu {:.2f} cores   rss {:.0f} MiB",
      status.draining ? "draining" : "running", running_s, human_rate(now.events_in_per_s),
      human_rate(now.events_out_per_s), now.bytes_wire_per_s / 1e6, now.cpu_cores,
      static_cast<double>(usage.peak_rss_bytes) / (1024.0 * 1024.0)));
  lines.push_back(fmt::format(
      "pulled {:.0f}   delivered {:.0f}   dead letters {:.0f}   possible duplicates {:.0f}   memory {:.0f} MiB leased, "
      "{} waiting",
      t.events_in.value(), t.events_delivered.value(), t.dead_letters_total.value(), t.duplicates_possible.value(),
      static_cast<double>(status.memory_used_bytes) / (1024.0 * 1024.0), status.memory_waiting));
  lines.push_back(fmt::format("slowest: {} ({})", now.slowest.stage, now.slowest.why));
  std::string load = "load:";
  for (const auto& s : now.stages)
    load += network(s.name) ? fmt::format("  {} {:.1f} at once", s.name, s.utilisation)
                            : fmt::format("  {} {:.0f}%", s.name, s.utilisation * 100);
  lines.push_back(load);
  lines.emplace_back();

  add_accounts(lines, now, status, size);
  lines.emplace_back();
  lines.push_back(
      fmt::format("{:<20} {:<10} {:>9} {:>9}  {}", "DESTINATION", "STATE", "IN FLIGHT", "WAITING", "REASON"));
  for (const auto& d : status.destinations) {
    lines.push_back(fmt::format("{:<20} {:<10} {:>9} {:>9}  {}", fitted(d.name, 20),
                                d.parked      ? "parked"
                                : d.throttled ? "throttled"
                                              : "ok",
                                d.in_flight, d.waiting, d.reason));
  }
  lines.emplace_back();
  const std::size_t left = size.rows > lines.size() + 1 ? size.rows - lines.size() - 1 : 0;
  for (std::size_t i = log.size() > left ? log.size() - left : 0; i < log.size(); ++i) lines.push_back(log[i]);

  std::string out = "\x1b[H";
  for (std::size_t i = 0; i < lines.size() && i + 1 < size.rows; ++i)
    out += fitted(lines[i], size.columns) + "\x1b[K\n";
  return out + "\x1b[J";
}

}  // namespace penstock
