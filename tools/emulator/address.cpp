#include "address.hpp"

#include <algorithm>

namespace emulator {

namespace {

bool is_sts(const request& r) {
  if (r.path != "/" || r.method != "POST") return false;
  return r.has_query("Action") || r.header("content-type").starts_with("application/x-www-form-urlencoded");
}

// Host without its port.
std::string_view host_name(const request& r) {
  const auto host = r.header("host");
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

// A host that names no project: an IP literal, localhost, a name without dots.
bool is_bare(std::string_view host) {
  const bool digits = std::ranges::all_of(host, [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
  return host.starts_with('[') || host.find('.') == host.npos || (digits && std::ranges::count(host, '.') == 3);
}

std::string project_of(const request& r, const account_book& book) {
  const auto host = host_name(r);
  if (!is_bare(host)) return std::string(host.substr(0, host.find('.')));
  return book.accounts().size() == 1 && r.path != "/" ? book.accounts().front().project : std::string();
}

std::string_view group_operation(const request& r, bool named) {
  if (!named) return r.method == "POST" ? "create_consumer_group" : "list_consumer_groups";
  if (r.method == "PUT") return "update_consumer_group";
  if (r.method == "DELETE") return "delete_consumer_group";
  if (r.method == "GET") return "get_checkpoint";
  return r.query_value("type") == "heartbeat" ? "heartbeat" : "checkpoint";
}

std::string_view shard_operation(const request& r, std::string_view shard) {
  if (shard == "lb" || shard == "route") return "put_logs";
  if (r.method == "POST") return r.query_value("action") == "merge" ? "merge_shards" : "split_shard";
  const auto type = r.query_value("type");
  if (type == "cursor") return "get_cursor";
  return type == "cursor_time" ? "get_cursor_time" : "pull_logs";
}

std::string_view sls_operation(const request& r, const std::vector<std::string>& path, bool has_project) {
  if (path.empty()) return r.method == "POST" ? "create_project" : has_project ? "get_project" : "list_projects";
  if (path[0] != "logstores") return "unknown";
  if (path.size() == 1) return r.method == "POST" ? "create_logstore" : "list_logstores";
  if (path.size() == 2) {
    if (r.method == "POST") return "put_logs";
    return r.has_query("type") ? "get_logs" : "get_logstore";
  }
  if (path[2] == "shards") return path.size() == 3 ? "list_shards" : shard_operation(r, path[3]);
  if (path[2] == "consumergroups") return group_operation(r, path.size() > 3);
  if (path[2] == "logs") return "get_logs";
  return path[2] == "index" ? "index" : "unknown";
}

void address_sls(const request& r, const account_book& book, addressed& to) {
  to.role = "sls";
  to.project = project_of(r, book);
  const auto path = path_segments(r.path);
  if (path.size() > 1 && path[0] == "logstores") to.logstore = path[1];
  to.op = sls_operation(r, path, book.find_project(to.project) != nullptr);
  if (const auto* owner = book.find_project(to.project)) to.account = owner->id;
}

}  // namespace

addressed address(const request& r, const account_book& book) {
  addressed to;
  const std::string_view path = r.path;
  if (path.starts_with("/emulator/")) {
    to.service = addressed::to::control;
  } else if (path.starts_with("/latest/")) {
    to.service = addressed::to::ecs_metadata;
    to.role = "metadata";
    to.op = "token";
  } else if (path.starts_with("/metadata/")) {
    to.service = addressed::to::azure_metadata;
    to.role = "metadata";
    to.op = "token";
  } else if (path.starts_with("/dataCollectionRules/")) {
    to.service = addressed::to::ingestion;
    to.role = "ingest";
    to.op = "upload";
    const auto parts = path_segments(path);
    if (parts.size() > 1) to.rule = parts[1];
  } else if (path.find("/oauth2/v2.0/") != path.npos || path.find("/.well-known/") != path.npos) {
    to.service = addressed::to::entra;
    to.role = "entra";
    to.op = "token";
  } else if (is_sts(r)) {
    to.service = addressed::to::sts;
    to.role = "sts";
    to.op = "assume_role";
  } else {
    address_sls(r, book, to);
  }
  return to;
}

}  // namespace emulator
