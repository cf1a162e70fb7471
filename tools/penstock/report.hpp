// What a run tells: the summary (--summary), the status page, and the exit code they lead to.
#pragma once

#include <string>

#include "stages/data_path.hpp"
#include "stages/telemetry.hpp"
#include "tools/penstock/process_usage.hpp"

namespace penstock {

// The names of the contract: events_in, events_delivered, duplicates_dropped, ... routes, stages.
std::string summary_json(const stages::path_status&, const stages::data_path::outcome&, stages::telemetry&,
                         const process_usage&);
// Routes with account, project, logstore, shards, lag, state, destination; and the destinations.
std::string status_json(const stages::path_status&);
// One line per logstore, aligned.
std::string status_text(const stages::path_status&);

// 1 failed or drain aborted; 3 done with undelivered events in dead letters; 0 done.
int exit_code_of(const stages::data_path::outcome&, stages::telemetry&);

}  // namespace penstock
