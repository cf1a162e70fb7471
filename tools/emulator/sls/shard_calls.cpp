// Operations on shards: list, split and merge, cursors, pulling and putting logs.
#include <algorithm>

#include "cursor.hpp"
#include "log_group.hpp"
#include "service.hpp"

namespace emulator::sls {

namespace {

constexpr std::size_t put_bytes_max = 10U << 20U;
constexpr std::size_t key_bytes_max = 128;
constexpr std::size_t value_bytes_max = 1U << 20U;
constexpr std::int64_t put_past_max_s = 7 * 86'400;
constexpr std::int64_t put_future_max_s = 15 * 60;

std::string shard_json(const shard_info& s) {
  return R"({"shardID":)" + std::to_string(s.id) + R"(,"status":")" + (s.readonly ? "readonly" : "readwrite") +
         R"(","inclusiveBeginKey":")" + hex32(s.begin) + R"(","exclusiveEndKey":")" + hex32(s.end) +
         R"(","createTime":)" + std::to_string(s.create_time_s) + R"(,"serverIp":null})";
}

response shard_list(const std::vector<shard_info>& shards) {
  std::string list;
  for (const auto& s : shards) list += (list.empty() ? "" : ",") + shard_json(s);
  return json_answer("[" + list + "]");
}

// The index of the group a cursor stands before, 0 .. size.
outcome<std::uint64_t> index_of(std::string_view cursor, const shard& s) {
  const auto number = cursor_number(cursor);
  const auto size = static_cast<std::int64_t>(s.size());
  if (!number || *number < s.base() || *number - s.base() > size) {
    return refuse(400, "InvalidCursor", "Invalid cursor " + std::string(cursor));
  }
  return static_cast<std::uint64_t>(*number - s.base());
}

std::int64_t number_at(const shard& s, std::uint64_t index) { return s.base() + static_cast<std::int64_t>(index); }

outcome<void> check_put_headers(const request& r) {
  const auto type = r.header("content-type");
  if (type.empty()) return refuse(400, "MissingContentType", "content-type does not exist in the header");
  if (!type.starts_with("application/x-protobuf")) {
    return refuse(415, "InvalidContentType", "content type is not supported: " + std::string(type));
  }
  if (!r.has_header("content-length") && !r.has_header("transfer-encoding")) {
    return refuse(411, "MissingContentLength", "content-length does not exist in the header");
  }
  if (!r.has_header("x-log-bodyrawsize")) {
    return refuse(400, "MissingBodyRawSize", "x-log-bodyrawsize does not exist in the header");
  }
  return {};
}

outcome<std::string> put_body(const request& r) {
  if (auto fits = check_put_headers(r); !fits) return std::unexpected(fits.error());
  const auto how = coding_named(r.header("x-log-compresstype"));
  if (!how) return refuse(400, "InvalidCompressType", "compress type is not supported");
  const auto raw_size = whole_number(r.header("x-log-bodyrawsize"));
  if (!raw_size || *raw_size < 0) return refuse(400, "InvalidBodyRawSize", "x-log-bodyrawsize is not a size");
  const auto size = *how == coding::none ? r.body.size() : static_cast<std::size_t>(*raw_size);
  if (size > put_bytes_max || r.body.size() > put_bytes_max) {
    return refuse(413, "PostBodyTooLarge", "body size must be little than " + std::to_string(put_bytes_max));
  }
  if (*how == coding::none) return r.body;
  auto plain = decompress(*how, r.body, size);
  if (!plain) return refuse(400, "PostBodyUncompressError", "failed to decompress the post body");
  return *std::move(plain);
}

outcome<new_group> checked_group(std::string bytes, std::int64_t now_s, bool time_check) {
  const auto group = read_log_group(bytes);
  if (!group) return refuse(400, "PostBodyInvalid", "protobuf content cannot be parsed: " + group.error());
  if (group->logs.empty()) return refuse(400, "PostBodyInvalid", "the log group holds no logs");
  new_group stored;
  stored.receive_s = now_s;
  stored.log_time_min = group->logs.front().time_s;
  stored.log_time_max = stored.log_time_min;
  for (const auto& log : group->logs) {
    stored.log_time_min = std::min(stored.log_time_min, log.time_s);
    stored.log_time_max = std::max(stored.log_time_max, log.time_s);
    for (const auto& [key, value] : log.contents) {
      if (key.empty() || key.size() > key_bytes_max) return refuse(400, "InvalidKey", "a key must have 1 to 128 bytes");
      if (value.size() > value_bytes_max) return refuse(400, "PostBodyInvalid", "a value is larger than 1 MB");
    }
  }
  const bool in_time = stored.log_time_min >= now_s - put_past_max_s && stored.log_time_max <= now_s + put_future_max_s;
  if (time_check && !in_time) return refuse(400, "PostBodyInvalid", "log time is not in the allowed range");
  stored.bytes = std::move(bytes);
  return stored;
}

}  // namespace

outcome<response> service::list_shards(const call& c) { return shard_list(c.holder->shards()); }

outcome<response> service::on_shard(call& c) {
  const auto id = whole_number(c.path[3]);
  c.piece = id ? c.holder->find(*id) : nullptr;
  if (c.piece == nullptr) return refuse(400, "ShardNotExist", "shard " + c.path[3] + " does not exist");
  c.shard_id = *id;
  if (c.r.method == "POST") return reshape(c);
  const auto type = c.r.query_value("type");
  const bool pull = type == "log" || type == "logs";
  if (c.r.method == "HEAD" && pull) return pull_logs(c);
  if (c.r.method != "GET") return refuse(405, "InvalidMethod", "method is not allowed here: " + c.r.method);
  if (type == "cursor") return get_cursor(c);
  if (type == "cursor_time") return get_cursor_time(c);
  if (pull) return pull_logs(c);
  return refuse(400, "ParameterInvalid", "type must be cursor, cursor_time or log");
}

outcome<response> service::reshape(const call& c) {
  const auto action = c.r.query_value("action");
  outcome<std::vector<shard_info>> done;
  if (action == "split") {
    std::size_t count = 2;
    if (c.r.has_query("shardCount")) {
      const auto asked = whole_number(c.r.query_value("shardCount"));
      count = asked && *asked > 0 ? static_cast<std::size_t>(*asked) : 0;
    }
    done = c.holder->split(c.shard_id, c.r.query_value("key"), count, c.now_s());
  } else if (action == "merge") {
    done = c.holder->merge(c.shard_id, c.now_s());
  } else {
    return refuse(400, "ParameterInvalid", "action must be split or merge");
  }
  if (!done) return std::unexpected(done.error());
  return shard_list(*done);
}

outcome<response> service::get_cursor(const call& c) {
  const auto from = c.r.query_value("from");
  std::uint64_t index = 0;
  if (from == "end") {
    index = c.piece->size();
  } else if (from != "begin") {
    const auto seconds = whole_number(from);
    if (!seconds || *seconds < 0) return refuse(400, "ParameterInvalid", "from must be begin, end or a Unix time");
    index = c.piece->first_received_at(*seconds);
  }
  return json_answer(R"({"cursor":")" + cursor_text(number_at(*c.piece, index)) + "\"}");
}

outcome<response> service::get_cursor_time(const call& c) {
  const auto index = index_of(c.r.query_value("cursor"), *c.piece);
  if (!index) return std::unexpected(index.error());
  const auto at = c.piece->receive_time(*index).value_or(c.now_s());
  return json_answer(R"({"cursor_time":)" + std::to_string(at) + "}");
}

outcome<response> service::pull_logs(const call& c) const {
  const auto& r = c.r;
  const auto count = whole_number(r.query_value("count"));
  if (!count || *count < 0 || *count > 1000) return refuse(400, "ParameterInvalid", "count must be 0 to 1000");
  if (!r.query_value("query").empty() || !r.query_value("processor").empty()) {
    return refuse(400, "ParameterInvalid", "query and processor are not supported here");
  }
  const auto first = index_of(r.query_value("cursor"), *c.piece);
  if (!first) return std::unexpected(first.error());
  std::uint64_t last = c.piece->size();
  if (!r.query_value("end_cursor").empty()) {
    const auto end = cursor_number(r.query_value("end_cursor"));
    if (!end) return refuse(400, "InvalidCursor", "Invalid end_cursor " + std::string(r.query_value("end_cursor")));
    last = std::min(last, static_cast<std::uint64_t>(std::max<std::int64_t>(*end - c.piece->base(), 0)));
  }
  auto data = c.piece->pull(*first, last, static_cast<std::uint64_t>(*count),
                            accepted_coding(r.header("accept-encoding")), c.now_s());
  response answer;
  const bool wrong_size = c.spoiled != nullptr && c.spoiled->kind == fault_kind::wrong_size;
  if (data.body) {
    answer.set("content-type", "application/x-protobuf");
    if (data.how != coding::none) answer.set("x-log-compresstype", std::string(name_of(data.how)));
  }
  answer.set("x-log-bodyrawsize", std::to_string(data.raw_size + (wrong_size ? 1 + c.spoiled->draw % 1000 : 0)));
  answer.set("x-log-count", std::to_string(data.next - data.first));
  answer.set("x-log-cursor", cursor_text(number_at(*c.piece, data.next)));
  answer.set("x-log-read-last-cursor", std::to_string(number_at(*c.piece, data.next) - 1));
  answer.set("x-log-cursor-time", std::to_string(data.time_s));
  answer.set("x-log-end-of-cursor", data.at_end ? "1" : "0");
  answer.body = std::move(data.body);
  const bool whole =
      c.spoiled == nullptr || c.spoiled->kind == fault_kind::slow || c.spoiled->kind == fault_kind::stall;
  if (whole && r.method == "GET" && data.next > data.first) {
    on_served_({c.owner.id, c.owner.project, c.logstore_name, c.shard_id}, data.first, data.next);
  }
  return answer;
}

outcome<response> service::put_logs(const call& c) const {
  auto body = put_body(c.r);
  if (!body) return std::unexpected(body.error());
  auto group = checked_group(*std::move(body), c.now_s(), options_.put_time_check);
  if (!group) return std::unexpected(group.error());
  if (c.holder->settings().append_meta) {
    std::string tag;
    append_field(tag, '\x0a', "__receive_time__");
    append_field(tag, '\x12', std::to_string(c.now_s()));
    append_field(group->bytes, '\x32', tag);
  }
  std::vector<new_group> one;
  one.push_back(*std::move(group));
  bool taken = false;
  if (c.path.size() == 4 && c.path[3] == "route") {
    const auto key = hash_key_of(c.r.query_value("key"));
    if (!key) return refuse(400, "ParameterInvalid", "key must be hex digits, 32 at most");
    taken = c.holder->append(std::move(one), *key);
  } else {
    taken = c.holder->append(std::move(one));
  }
  if (!taken) return refuse(400, "LogStoreWithoutShard", "the logstore has no writable shard");
  return response{};
}

}  // namespace emulator::sls
