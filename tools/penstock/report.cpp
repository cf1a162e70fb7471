#include "tools/penstock/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tools/penstock/command_line.hpp"
#include "tools/penstock/json_writer.hpp"

namespace penstock {
namespace {

std::uint64_t whole(const engine::counter& c) { return static_cast<std::uint64_t>(c.value()); }

// Dead letters of events that were delivered all the same: the originals of cut fields.
std::uint64_t undelivered(stages::telemetry& t) {
  return whole(t.dead_letters_total) - whole(t.dead_letters("cut_field"));
}

void write_logstore(json_writer& out, const stages::logstore_status& l) {
  out.member("account", l.account)
      .member("project", l.project)
      .member("logstore", l.logstore)
      .member("destination", l.destination);
  out.member("state", l.state).member("reason", l.reason);
}

}  // namespace

std::string summary_json(const stages::path_status& status, const stages::data_path::outcome& outcome,
                         stages::telemetry& t, const process_usage& usage) {
  json_writer out;
  const double events = std::max(1.0, t.events_in.value());
  out.begin_object();
  out.member("events_in", whole(t.events_in)).member("events_delivered", whole(t.events_delivered));
  out.member("duplicates_dropped", 0);  // delivered keys are not remembered yet: nothing is ever dropped as a duplicate
  out.member("duplicates_possible", whole(t.duplicates_possible));
  out.member("dead_letters", whole(t.dead_letters_total)).member("dead_letters_undelivered", undelivered(t));
  out.member("cut_fields", whole(t.cut_fields));
  out.member("bytes_in", whole(t.bytes_in))
      .member("bytes_raw", whole(t.bytes_raw))
      .member("bytes_wire", whole(t.bytes_wire));
  out.member("cpu_seconds", usage.cpu_s).member("cpu_us_per_event", usage.cpu_s * 1e6 / events);
  out.member("peak_rss_bytes", usage.peak_rss_bytes);
  out.key("latency_ms").begin_object();
  out.member("p50", t.latency.quantile_ms(0.5)).member("p99", t.latency.quantile_ms(0.99)).end_object();
  out.member("failed", outcome.failed).member("drain_aborted", outcome.drain_aborted).member("reason", outcome.why);
  out.key("routes").begin_array();
  for (const auto& l : status.logstores) {
    out.begin_object();
    write_logstore(out, l);
    out.end_object();
  }
  out.end_array();
  out.key("stages").begin_array();
  for (std::size_t i = 0; i < stages::stage_count; ++i) {
    const auto name = static_cast<stages::stage_name>(i);
    auto& meter = t.stage(name);
    out.begin_object().member("name", stages::name_of(name)).member("events", whole(*meter.events));
    out.member("busy_s", meter.busy_s->value()).member("wait_s", meter.wait_s->value()).end_object();
  }
  out.end_array().end_object();
  return out.text() + "\n";
}

std::string status_json(const stages::path_status& status) {
  json_writer out;
  out.begin_object().member("draining", status.draining).member("memory_used_bytes", status.memory_used_bytes);
  out.key("routes").begin_array();
  for (const auto& l : status.logstores) {
    out.begin_object();
    write_logstore(out, l);
    out.member("shards", l.shards).member("in_flight", l.in_flight).member("lag_s", l.lag_s).end_object();
  }
  out.end_array().key("destinations").begin_array();
  for (const auto& d : status.destinations) {
    out.begin_object()
        .member("name", d.name)
        .member("parked", d.parked)
        .member("throttled", d.throttled)
        .member("reason", d.reason);
    out.member("bodies_waiting", d.waiting).member("in_flight", d.in_flight).end_object();
  }
  out.end_array().end_object();
  return out.text() + "\n";
}

std::string status_text(const stages::path_status& status) {
  std::array<std::size_t, 5> width{7, 7, 8, 11, 7};
  for (const auto& l : status.logstores) {
    width[0] = std::max(width[0], l.account.size());
    width[1] = std::max(width[1], l.project.size());
    width[2] = std::max(width[2], l.logstore.size());
    width[3] = std::max(width[3], l.destination.size());
    width[4] = std::max(width[4], l.state.size());
  }
  std::string out = fmt::format("{:<{}}  {:<{}}  {:<{}}  {:<{}}  {:<{}}  {:>6}  {:>8}  {}\n", "ACCOUNT", width[0],
                                "PROJECT", width[1], "LOGSTORE", width[2], "DESTINATION", width[3], "STATE", width[4],
                                "SHARDS", "LAG", "REASON");
  for (const auto& l : status.logstores) {
    out += fmt::format("{:<{}}  {:<{}}  {:<{}}  {:<{}}  {:<{}}  {:>6}  {:>7.1f}s  {}\n", l.account, width[0], l.project,
                       width[1], l.logstore, width[2], l.destination, width[3], l.state, width[4], l.shards, l.lag_s,
                       l.reason);
  }
  return out;
}

int exit_code_of(const stages::data_path::outcome& outcome, stages::telemetry& t) {
  if (outcome.failed || outcome.drain_aborted) return exit_failed;
  return undelivered(t) > 0 ? exit_undelivered : exit_done;
}

}  // namespace penstock
