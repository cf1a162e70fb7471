// GetLogs in both forms: a window of log time over the stored groups, filtered, sorted and paged.
#include <algorithm>

#include "../json_value.hpp"
#include "coding.hpp"
#include "log_group.hpp"
#include "log_query.hpp"
#include "service.hpp"

namespace emulator::sls {

namespace {

struct window {
  std::int64_t from = 0;
  std::int64_t to = 0;
  std::int64_t line = 100;
  std::int64_t offset = 0;
  bool reverse = false;
  std::string query;
  std::string topic;
};

outcome<window> read_query(const request& r) {
  window w;
  const auto from = whole_number(r.query_value("from"));
  const auto to = whole_number(r.query_value("to"));
  if (!from || !to) return refuse(400, "InvalidTimeRange", "from and to must be Unix seconds");
  w.from = *from;
  w.to = *to;
  if (r.has_query("line")) w.line = whole_number(r.query_value("line")).value_or(-1);
  if (r.has_query("offset")) w.offset = whole_number(r.query_value("offset")).value_or(-1);
  w.reverse = r.query_value("reverse") == "true" || r.query_value("reverse") == "True";
  w.query = r.query_value("query");
  w.topic = r.query_value("topic");
  return w;
}

outcome<window> read_body(const request& r) {
  const auto body = parse_json(r.body);
  if (!body) return refuse(400, "ParameterInvalid", "the body must be JSON");
  const auto number = [&](std::string_view name, std::int64_t usual) {
    const auto* member = body->find(name);
    return member == nullptr ? usual : member->integer().value_or(-1);
  };
  const auto text = [&](std::string_view name) {
    const auto* member = body->find(name);
    return member != nullptr && member->is(json_value::kind::string) ? member->text : std::string();
  };
  window w;
  w.from = number("from", -1);
  w.to = number("to", -1);
  w.line = number("line", 100);
  w.offset = number("offset", 0);
  const auto* reverse = body->find("reverse");
  w.reverse = reverse != nullptr && reverse->is(json_value::kind::boolean) && reverse->truth;
  w.query = text("query");
  w.topic = text("topic");
  return w;
}

outcome<void> check(const window& w) {
  if (w.from < 0 || w.to <= w.from) return refuse(400, "InvalidTimeRange", "to must be greater than from");
  if (w.line < 0 || w.line > 100) return refuse(400, "InvalidLine", "line must be 0 to 100");
  if (w.offset < 0) return refuse(400, "InvalidOffset", "offset must not be negative");
  return {};
}

struct found_log {
  std::pair<std::int64_t, std::size_t> order;  // log time, then as received
  std::vector<std::pair<std::string, std::string>> fields;
};

std::vector<std::pair<std::string, std::string>> flattened(const log_group& group, const log_entry& log) {
  std::vector<std::pair<std::string, std::string>> fields;
  fields.emplace_back("__time__", std::to_string(log.time_s));
  fields.emplace_back("__source__", group.source);
  fields.emplace_back("__topic__", group.topic);
  if (log.time_ns) fields.emplace_back("__time_ns_part__", std::to_string(*log.time_ns));
  for (const auto& [key, value] : group.tags) fields.emplace_back("__tag__:" + std::string(key), value);
  for (const auto& [key, value] : log.contents) fields.emplace_back(key, value);
  return fields;
}

struct result_rows {
  std::string rows;  // JSON objects, comma separated
  std::int64_t count = 0;
  std::int64_t processed = 0;
};

result_rows search(const logstore& holder, const window& w, const log_query& query) {
  std::vector<found_log> found;
  result_rows result;
  for (const auto& info : holder.shards()) {
    const auto* piece = holder.find(info.id);
    for (const auto& [first, last] : piece->ranges_with_times(w.from, w.to)) {
      for (const auto& bytes : piece->read(first, last)) {
        const auto group = read_log_group(bytes);
        if (!group || (!w.topic.empty() && group->topic != w.topic)) continue;
        for (const auto& log : group->logs) {
          if (log.time_s < w.from || log.time_s >= w.to) continue;
          ++result.processed;
          auto fields = flattened(*group, log);
          if (query.matches(fields)) found.push_back({{log.time_s, found.size()}, std::move(fields)});
        }
      }
    }
  }
  std::ranges::sort(found, {}, &found_log::order);
  if (w.reverse) std::ranges::reverse(found);
  for (auto i = static_cast<std::size_t>(w.offset); i < found.size() && result.count < w.line; ++i, ++result.count) {
    std::string row;
    for (const auto& [key, value] : found[i].fields) {
      row += (row.empty() ? "" : ",") + json_quoted(key) + ":" + json_quoted(value);
    }
    result.rows += (result.count == 0 ? "{" : ",{") + row + "}";
  }
  return result;
}

}  // namespace

outcome<response> service::get_logs(const call& c) {
  const bool second_form = c.r.method == "POST";
  if (!second_form && c.r.query_value("type") != "log") {
    return refuse(400, "ParameterInvalid", "type must be log");
  }
  const auto w = second_form ? read_body(c.r) : read_query(c.r);
  if (!w) return std::unexpected(w.error());
  if (auto fits = check(*w); !fits) return std::unexpected(fits.error());
  if (!c.holder->indexed()) return refuse(400, "IndexConfigNotExist", "logstore without index config");
  const auto query = log_query::parse(w->query);
  if (!query) return std::unexpected(query.error());
  const auto result = search(*c.holder, *w, *query);
  const auto count = std::to_string(result.count);
  const auto processed = std::to_string(result.processed);
  if (!second_form) {
    auto answer = json_answer("[" + result.rows + "]");
    answer.set("x-log-progress", "Complete");
    answer.set("x-log-count", count);
    answer.set("x-log-processed-rows", processed);
    answer.set("x-log-elapsed-millisecond", "0");
    answer.set("x-log-has-sql", "false");
    return answer;
  }
  const std::string plain =
      R"({"meta":{"progress":"Complete","count":)" + count + R"(,"processedRows":)" + processed +
      R"(,"processedBytes":0,"elapsedMillisecond":0,"hasSQL":false,"aggQuery":"","whereQuery":)" +
      json_quoted(w->query) +
      R"(,"keys":[],"terms":[],"mode":0,"limited":0,"isAccurate":true,"telementryType":"None"},)" + R"("data":[)" +
      result.rows + "]}";
  const auto how = accepted_coding(c.r.header("accept-encoding"));
  auto answer = json_answer(compress(how, plain));
  if (how != coding::none) answer.set("x-log-compresstype", std::string(name_of(how)));
  answer.set("x-log-bodyrawsize", std::to_string(plain.size()));
  return answer;
}

}  // namespace emulator::sls
