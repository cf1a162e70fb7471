#include "stages/telemetry.hpp"

namespace stages {

std::string_view name_of(stage_name s) {
  constexpr std::array<std::string_view, stage_count> names{"fetch",     "decompress", "decode",   "parse",
                                                            "transform", "batch",      "compress", "upload"};
  return names[static_cast<std::size_t>(s)];
}

telemetry::telemetry(engine::metric_registry& r)
    : events_in(r.counter("penstock_events_pulled_total", "Events read from logstores.")),
      events_delivered(r.counter("penstock_events_accepted_total", "Events the sinks accepted.")),
      duplicates_possible(r.counter("penstock_duplicates_possible_total",
                                    "Events read again after a restart that may have been delivered before it.")),
      dead_letters_total(r.counter("penstock_dead_letter_records_total", "Records written to the dead-letter files.")),
      cut_fields(r.counter("penstock_cut_fields_total", "Over-long fields replaced by a mark.")),
      bytes_in(r.counter("penstock_pulled_bytes_total", "Bytes of PullLogs bodies as received.")),
      bytes_raw(r.counter("penstock_rows_bytes_total", "Bytes of rows before compression.")),
      bytes_wire(r.counter("penstock_uploaded_bytes_total", "Bytes of accepted request bodies as sent.")),
      duplicate_keys(
          r.counter("penstock_duplicate_keys_total", "Top-level keys that occurred twice in an event; the last won.")),
      rebuilt_events(r.counter("penstock_rebuilt_events_total", "Events put together from event.x contents.")),
      bad_event_times(r.counter("penstock_bad_event_times_total", "Events whose eventTime was missing or unreadable.")),
      bad_booleans(r.counter("penstock_bad_booleans_total", "Events whose isGlobal was neither true nor false.")),
      repaired_events(
          r.counter("penstock_repaired_events_total", "Events with a lone surrogate or a number beyond a double.")),
      replies_undecodable(r.counter("penstock_replies_undecodable_total", "Pull replies that did not decode.")),
      replies_refused(r.counter("penstock_replies_refused_total", "Pull replies larger than predicted, pulled again.")),
      rewinds(r.counter("penstock_rewinds_total", "Times a route went back to its committed position.")),
      cursor_gaps(
          r.counter("penstock_cursor_gaps_total", "Times a position was no longer kept by SLS: events may be lost.")),
      commits(r.counter("penstock_commits_total", "Positions committed.")),
      budget_bytes(r.gauge("penstock_memory_budget_used_bytes", "Bytes leased from the memory budget.")),
      budget_waiting(r.gauge("penstock_memory_budget_waiting", "Requests waiting for the memory budget.")),
      lag_seconds_max(r.gauge("penstock_lag_seconds_max", "Largest lag of any logstore.")),
      registry_(r) {
  for (std::size_t i = 0; i < stage_count; ++i) {
    const engine::metric_labels label{{"stage", std::string(name_of(static_cast<stage_name>(i)))}};
    stages_[i].events = &r.counter("penstock_stage_events_total", "Events that passed the stage.", label);
    stages_[i].busy_s = &r.counter("penstock_stage_busy_seconds_total", "Time the stage worked.", label);
    stages_[i].wait_s = &r.counter("penstock_stage_wait_seconds_total", "Time blocks waited for the stage.", label);
  }
}

account_meter& telemetry::account(const std::string& name) {
  const std::lock_guard lock(mutex_);
  auto [at, fresh] = accounts_.try_emplace(name);
  if (fresh) {
    const engine::metric_labels label{{"account", name}};
    at->second.events_in =
        &registry_.counter("penstock_account_events_pulled_total", "Events read, by account.", label);
    at->second.bytes_in = &registry_.counter("penstock_account_pulled_bytes_total", "Bytes pulled, by account.", label);
    at->second.throttled =
        &registry_.counter("penstock_account_throttled_total", "Pulls refused by a quota of SLS.", label);
  }
  return at->second;
}

destination_meter& telemetry::destination(const std::string& name) {
  const std::lock_guard lock(mutex_);
  auto [at, fresh] = destinations_.try_emplace(name);
  if (fresh) {
    auto& m = at->second;
    const engine::metric_labels label{{"destination", name}};
    m.events_delivered = &registry_.counter("penstock_destination_events_accepted_total", "Events accepted.", label);
    m.bytes_wire =
        &registry_.counter("penstock_destination_uploaded_bytes_total", "Body bytes accepted, as sent.", label);
    m.bytes_raw =
        &registry_.counter("penstock_destination_rows_bytes_total", "Row bytes accepted, before compression.", label);
    m.requests = &registry_.counter("penstock_destination_requests_total", "Upload requests, all answers.", label);
    m.throttled =
        &registry_.counter("penstock_destination_throttled_total", "Answers 429, and 503 with Retry-After.", label);
    m.splits =
        &registry_.counter("penstock_destination_splits_total", "Bodies cut in two after a 413 or a 400.", label);
    m.bodies_waiting =
        &registry_.gauge("penstock_destination_bodies_waiting", "Closed bodies not yet on the wire.", label);
    m.in_flight = &registry_.gauge("penstock_destination_in_flight", "Uploads under way.", label);
    m.parked = &registry_.gauge("penstock_destination_parked", "1 while the destination is parked.", label);
  }
  return at->second;
}

engine::counter& telemetry::dead_letters(std::string_view reason) {
  return registry_.counter("penstock_dead_letters_total", "Dead letters by reason.", {{"reason", std::string(reason)}});
}

engine::counter& telemetry::failures(std::string_view service, std::string_view fault) {
  return registry_.counter("penstock_request_failures_total", "Failed requests by service and class of failure.",
                           {{"service", std::string(service)}, {"fault", std::string(fault)}});
}

}  // namespace stages
