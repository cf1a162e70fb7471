#include "service.hpp"

#include <algorithm>
#include <charconv>

#include "../digests.hpp"
#include "../json_value.hpp"
#include "signature.hpp"

namespace emulator::sls {

namespace {

response error_answer(const sls_error& error) {
  auto answer = json_answer(R"({"errorCode":)" + json_quoted(error.code) + R"(,"errorMessage":)" +
                            json_quoted(error.message) + "}");
  answer.status = error.status;
  return answer;
}

// The usual error code of a status, for faults that name none.
std::string usual_code(int status) {
  switch (status) {
    case 400:
      return "ParameterInvalid";
    case 401:
      return "Unauthorized";
    case 403:
      return "ReadQuotaExceed";
    case 404:
      return "LogStoreNotExist";
    case 503:
      return "ServerBusy";
    default:
      return "InternalServerError";
  }
}

response fault_answer(const fault& f) {
  auto answer = error_answer({f.status, f.code.empty() ? usual_code(f.status) : f.code, "fault asked for"});
  if (f.retry_after_s) answer.set("retry-after", std::to_string(*f.retry_after_s));
  return answer;
}

std::string project_json(const account& owner) {
  return R"({"projectName":)" + json_quoted(owner.project) + R"(,"status":"Normal","owner":)" + json_quoted(owner.id) +
         R"(,"description":"","region":)" + json_quoted(owner.region) +
         R"(,"createTime":"2026-01-01 00:00:00","lastModifyTime":"2026-01-01 00:00:00"})";
}

struct page {
  std::size_t offset = 0;
  std::size_t size = 0;
};

outcome<page> page_of(const request& r, std::size_t usual_size) {
  page asked{0, usual_size};
  if (r.has_query("offset") && !r.query_value("offset").empty()) {
    const auto offset = whole_number(r.query_value("offset"));
    if (!offset || *offset < 0) return refuse(400, "ParameterInvalid", "offset is invalid");
    asked.offset = static_cast<std::size_t>(*offset);
  }
  if (r.has_query("size") && !r.query_value("size").empty()) {
    const auto size = whole_number(r.query_value("size"));
    if (!size || *size < 0 || *size > 500) return refuse(400, "ParameterInvalid", "size must be 0 to 500");
    asked.size = static_cast<std::size_t>(*size);
  }
  return asked;
}

// {"count":n,"total":m,"NAME":[...]}
response page_answer(std::string_view name, const std::vector<std::string>& all, const page& asked) {
  std::string list;
  std::size_t count = 0;
  for (std::size_t i = asked.offset; i < all.size() && count < asked.size; ++i, ++count) {
    if (count > 0) list += ',';
    list += all[i];
  }
  return json_answer(R"({"count":)" + std::to_string(count) + R"(,"total":)" + std::to_string(all.size()) + ",\"" +
                     std::string(name) + "\":[" + list + "]}");
}

bool logstore_name_valid(std::string_view name) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; };
  return name.size() >= 2 && name.size() <= 63 && std::ranges::all_of(name, fits);
}

// Reads one whole number member of a body, if it is there.
bool read_member(const json_value& body, std::string_view name, std::int64_t low, std::int64_t high,
                 std::int64_t& into) {
  const auto* member = body.find(name);
  if (member == nullptr) return true;
  const auto value = member->integer();
  if (!value || *value < low || *value > high) return false;
  into = *value;
  return true;
}

bool truth_member(const json_value& body, std::string_view name) {
  const auto* member = body.find(name);
  return member != nullptr && member->is(json_value::kind::boolean) && member->truth;
}

std::string_view text_of(bool truth) { return truth ? "true" : "false"; }

}  // namespace

response json_answer(std::string text) {
  response answer;
  answer.set("content-type", "application/json");
  answer.text(std::move(text));
  return answer;
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

service::service(store& logstores, const account_book& book, fault_plan& faults, service_options options,
                 on_served served)
    : store_(logstores), book_(book), faults_(faults), options_(std::move(options)), on_served_(std::move(served)) {}

response service::handle(const request& r, const addressed& to) {
  const auto now = options_.now();
  const auto hit = faults_.match(to.target());
  if (hit && hit->kind == fault_kind::status) return finish(fault_answer(*hit), now);
  response answer;
  if (!hit || hit->kind != fault_kind::reset_after) {
    auto result = this->answer(r, to, hit ? &*hit : nullptr);
    answer = result ? *std::move(result) : error_answer(result.error());
  }
  if (hit) spoil_answer(*hit, answer);
  return finish(std::move(answer), now);
}

response service::finish(response answer, std::chrono::system_clock::time_point now) {
  const auto number = request_number_.fetch_add(1, std::memory_order_relaxed);
  std::string bytes(12, '\0');
  for (std::size_t i = 0; i < 8; ++i) bytes[11 - i] = static_cast<char>(number >> (8 * i));
  const auto seconds = static_cast<std::uint64_t>(std::chrono::system_clock::to_time_t(now));
  for (std::size_t i = 0; i < 4; ++i) bytes[3 - i] = static_cast<char>(seconds >> (8 * i));
  answer.set("server", "AliyunSLS");
  answer.set("date", http_date_text(now));
  answer.set("access-control-allow-origin", "*");
  answer.set("x-log-time", std::to_string(seconds));
  answer.set("x-log-requestid", hex_upper(bytes));
  return answer;
}

outcome<response> service::answer(const request& r, const addressed& to, const fault* hit) {
  const auto now = options_.now();
  if (auto fits = check_common_headers(r); !fits) return std::unexpected(fits.error());
  const auto by = check_signature(r, [&](std::string_view id) { return book_.find_key(id); }, now);
  if (!by) return std::unexpected(by.error());
  const auto is_region = [&](const emulator::account& a) { return a.region == to.project; };
  if (to.op == "list_projects" && (to.project.empty() || std::ranges::any_of(book_.accounts(), is_region))) {
    return list_projects(r, by->account);
  }
  const auto* owner = book_.find_project(to.project);
  if (owner == nullptr) {
    return refuse(404, "ProjectNotExist", "The Project does not exist : " + to.project);
  }
  if (!by->region.empty() && by->region != owner->region) {
    return refuse(401, "SignatureNotMatch", "the project is not in region " + by->region);
  }
  if (owner->id != by->account) return refuse(401, "Unauthorized", "The project does not belong to you.");
  call c{r, *owner};
  c.path = path_segments(r.path);
  c.now = now;
  c.spoiled = hit;
  if (c.path.empty()) {
    if (r.method == "GET") return get_project(c);
    return refuse(400, "ProjectAlreadyExist", "Project " + owner->project + " already exist");
  }
  if (c.path[0] != "logstores") return refuse(400, "NotSupported", "no such resource: " + r.path);
  if (c.path.size() == 1) {
    if (r.method == "GET") return list_logstores(c);
    if (r.method == "POST") return create_logstore(c);
    return refuse(405, "InvalidMethod", "method is not allowed here: " + r.method);
  }
  c.logstore_name = c.path[1];
  c.holder = store_.find(owner->project, c.logstore_name);
  if (c.holder == nullptr) {
    return refuse(404, "LogStoreNotExist", "Logstore " + c.logstore_name + " does not exist");
  }
  return on_logstore(c);
}

outcome<response> service::on_logstore(call& c) {
  const auto& method = c.r.method;
  const auto wrong_method = [&] { return refuse(405, "InvalidMethod", "method is not allowed here: " + method); };
  if (c.path.size() == 2) {
    if (method == "POST") return put_logs(c);
    if (method != "GET") return wrong_method();
    return c.r.has_query("type") ? get_logs(c) : get_logstore(c);
  }
  const auto& part = c.path[2];
  if (part == "shards" && c.path.size() == 3) return method == "GET" ? list_shards(c) : wrong_method();
  if (part == "shards" && c.path.size() == 4) {
    if (c.path[3] == "lb" || c.path[3] == "route") return method == "POST" ? put_logs(c) : wrong_method();
    return on_shard(c);
  }
  if (part == "consumergroups" && c.path.size() <= 4) return on_groups(c);
  if (part == "index" && c.path.size() == 3) return index(c);
  if (part == "logs" && c.path.size() == 3) return method == "POST" ? get_logs(c) : wrong_method();
  return refuse(400, "NotSupported", "no such resource: " + c.r.path);
}

outcome<response> service::list_projects(const request& r, const std::string& account) const {
  const auto asked = page_of(r, 100);
  if (!asked) return std::unexpected(asked.error());
  std::vector<std::string> all;
  for (const auto& owner : book_.accounts()) {
    const bool wanted = owner.project.find(r.query_value("projectName")) != std::string::npos;
    if (owner.id == account && wanted) all.push_back(project_json(owner));
  }
  return page_answer("projects", all, *asked);
}

outcome<response> service::get_project(const call& c) { return json_answer(project_json(c.owner)); }

outcome<response> service::list_logstores(const call& c) const {
  const auto asked = page_of(c.r, 200);
  if (!asked) return std::unexpected(asked.error());
  std::vector<std::string> all;
  if (c.r.query_value("telemetryType") != "Metrics") {
    for (const auto& name : store_.names(c.owner.project)) {
      if (name.find(c.r.query_value("logstoreName")) != std::string::npos) all.push_back(json_quoted(name));
    }
  }
  return page_answer("logstores", all, *asked);
}

outcome<response> service::create_logstore(const call& c) {
  const auto body = parse_json(c.r.body);
  const auto* name = body ? body->find("logstoreName") : nullptr;
  if (name == nullptr || !name->is(json_value::kind::string)) {
    return refuse(400, "PostBodyInvalid", "the body must be JSON with a logstoreName");
  }
  if (!logstore_name_valid(name->text)) {
    return refuse(400, "LogStoreInfoInvalid", "logstore name " + name->text + " is invalid");
  }
  std::int64_t ttl = 30;
  std::int64_t shards = 2;
  std::int64_t split_max = 64;
  if (!read_member(*body, "ttl", 1, 3650, ttl) || !read_member(*body, "shardCount", 1, 100, shards) ||
      !read_member(*body, "maxSplitShard", 0, 256, split_max)) {
    return refuse(400, "LogStoreInfoInvalid", "ttl, shardCount or maxSplitShard is out of range");
  }
  logstore_settings settings;
  settings.ttl_days = static_cast<int>(ttl);
  settings.shard_count = static_cast<std::size_t>(shards);
  settings.max_split_shard = static_cast<int>(split_max);
  settings.append_meta = truth_member(*body, "appendMeta");
  settings.auto_split = truth_member(*body, "autoSplit");
  settings.enable_tracking = truth_member(*body, "enable_tracking");
  if (store_.create(c.owner, name->text, settings, c.now_s()) == nullptr) {
    return refuse(400, "LogStoreAlreadyExist", "logstore " + name->text + " already exists");
  }
  return response{};
}

outcome<response> service::get_logstore(const call& c) {
  const auto& s = c.holder->settings();
  const auto created = std::to_string(c.holder->create_time_s());
  const auto shards = c.holder->shards();
  const auto writable = std::ranges::count(shards, false, &shard_info::readonly);
  return json_answer(R"({"logstoreName":)" + json_quoted(c.logstore_name) + R"(,"ttl":)" + std::to_string(s.ttl_days) +
                     R"(,"shardCount":)" + std::to_string(writable) + R"(,"enable_tracking":)" +
                     std::string(text_of(s.enable_tracking)) + R"(,"autoSplit":)" + std::string(text_of(s.auto_split)) +
                     R"(,"maxSplitShard":)" + std::to_string(s.max_split_shard) + R"(,"appendMeta":)" +
                     std::string(text_of(s.append_meta)) + R"(,"createTime":)" + created + R"(,"lastModifyTime":)" +
                     created + R"(,"telemetryType":"None","mode":"standard"})");
}

outcome<response> service::index(const call& c) {
  if (c.r.method == "POST" || c.r.method == "PUT") {
    if (!parse_json(c.r.body)) return refuse(400, "IndexInfoInvalid", "the body must be JSON");
    if (c.r.method == "POST" && c.holder->indexed())
      return refuse(400, "IndexAlreadyExist", "log store index is already created");
    c.holder->set_indexed();
    return response{};
  }
  if (c.r.method != "GET") return refuse(405, "InvalidMethod", "method is not allowed here: " + c.r.method);
  if (!c.holder->indexed()) return refuse(404, "IndexConfigNotExist", "index config doesn't exist");
  return json_answer(R"({"index_mode":"v2","line":{"caseSensitive":false,"chn":false,"token":[","," "]},"keys":{}})");
}

}  // namespace emulator::sls
