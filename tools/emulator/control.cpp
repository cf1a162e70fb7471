#include "control.hpp"

#include <chrono>

#include "json_value.hpp"
#include "sls/cursor.hpp"
#include "sls/log_group.hpp"
#include "sls/service.hpp"

namespace emulator {

namespace {

using kind = json_value::kind;

response refused(int status, const std::string& text) {
  auto answer = sls::json_answer(R"({"error":)" + json_quoted(text) + "}");
  answer.status = status;
  return answer;
}

std::string text_member(const json_value& body, std::string_view name) {
  const auto* member = body.find(name);
  return member != nullptr && member->is(kind::string) ? member->text : std::string();
}

sls::new_group group_of(const json_value& events, std::int64_t now_s) {
  sls::log_group_writer writer;
  for (const auto& event : events.items) writer.add_log(now_s, std::nullopt, "event", event.text);
  return {
      writer.finish("actiontrail_audit_event", "actiontrail_internal", {{"__receive_time__", std::to_string(now_s)}}),
      now_s, now_s, now_s};
}

bool all_strings(const json_value& list) {
  for (const auto& item : list.items) {
    if (!item.is(kind::string)) return false;
  }
  return list.is(kind::array);
}

}  // namespace

response control::handle(const request& r) {
  if (r.path == "/emulator/healthz" && r.method == "GET") return sls::json_answer(R"({"status":"ok"})");
  if (r.path == "/emulator/ledger" && r.method == "GET") return sls::json_answer(ledger_.report());
  if (r.path == "/emulator/faults") return faults(r);
  if (r.path == "/emulator/append" && r.method == "POST") return append(r);
  return refused(404, "no such control route: " + r.method + " " + r.path);
}

response control::faults(const request& r) {
  if (r.method == "POST") {
    if (const auto done = faults_.replace(r.body); !done) return refused(400, done.error());
  } else if (r.method != "GET") {
    return refused(405, "GET or POST");
  }
  return sls::json_answer(R"({"active":)" + std::to_string(faults_.active()) + "}");
}

response control::append(const request& r) {
  const auto body = parse_json(r.body);
  if (!body) return refused(400, "the body must be JSON");
  auto* holder = store_.find(text_member(*body, "project"), text_member(*body, "logstore"));
  if (holder == nullptr) return refused(404, "no such project and logstore");
  const auto now_s = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  const auto* events = body->find("events");
  const auto* raw = body->find("raw_base64");
  std::vector<sls::new_group> groups;
  std::size_t count = 0;
  if (events != nullptr && all_strings(*events)) {
    count = events->items.size();
    if (count > 0) groups.push_back(group_of(*events, now_s));
  } else if (raw != nullptr && raw->is(kind::string)) {
    // Appended as it stands, sound or not: this is how damaged groups get into a logstore.
    auto bytes = sls::unbase64(raw->text);
    if (!bytes) return refused(400, "raw_base64 is not base64");
    count = 1;
    if (const auto group = sls::read_log_group(*bytes)) count = group->logs.size();
    groups.push_back({*std::move(bytes), now_s, now_s, now_s});
  } else {
    return refused(400, "events (a list of strings) or raw_base64 must be given");
  }
  bool taken = groups.empty();
  if (const auto* shard = body->find("shard"); shard != nullptr && !taken) {
    auto* piece = shard->integer() ? holder->find(*shard->integer()) : nullptr;
    if (piece == nullptr) return refused(404, "no such shard");
    taken = piece->append(std::move(groups));
  } else if (!taken) {
    taken = holder->append(std::move(groups));
  }
  if (!taken) return refused(409, "the shard is readonly");
  return sls::json_answer(R"({"appended":)" + std::to_string(count) + "}");
}

}  // namespace emulator
