#include "tests/support/model_services.hpp"

#include <libdeflate.h>
#include <lz4.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "engine/base/digest.hpp"
#include "tests/support/log_group_builder.hpp"

namespace tests {
namespace {

constexpr std::int64_t first_cursor = 1'447'329'401'102'130'904;

std::string percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out += static_cast<char>(std::strtol(std::string(text.substr(i + 1, 2)).c_str(), nullptr, 16));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::vector<std::string> split(std::string_view text, char by) {
  std::vector<std::string> out;
  for (;;) {
    const auto at = text.find(by);
    out.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + 1);
  }
}

struct parsed_target {
  std::vector<std::string> path;  // without the empty part before the first slash
  std::map<std::string, std::string> query;
};
parsed_target parse_target(std::string_view target) {
  parsed_target out;
  const auto question = target.find('?');
  out.path = split(target.substr(1, question == std::string_view::npos ? question : question - 1), '/');
  for (auto& p : out.path) p = percent_decode(p);
  if (question == std::string_view::npos) return out;
  for (const auto& pair : split(target.substr(question + 1), '&')) {
    const auto equals = pair.find('=');
    if (equals != std::string::npos) out.query[pair.substr(0, equals)] = percent_decode(pair.substr(equals + 1));
  }
  return out;
}

model_answer sls_error(int status, const std::string& code) {
  return {.status = status,
          .headers = {{"x-log-requestid", "0123456789ABCDEF01234567"}},
          .body = R"({"errorCode":")" + code + R"(","errorMessage":"said the model"})"};
}
model_answer ingestion_error(int status, const std::string& code) {
  return {.status = status,
          .headers = {{"x-ms-error-code", code}},
          .body = R"({"error":{"code":")" + code + R"(","message":"said the model"}})"};
}

std::string unzip(std::string_view zipped) {
  if (zipped.size() < 18) return {};
  std::uint32_t size = 0;
  for (unsigned i = 0; i < 4; ++i) {
    const auto byte = static_cast<unsigned char>(zipped[zipped.size() - 4 + i]);
    size |= static_cast<std::uint32_t>(byte) << (8 * i);
  }
  std::string out(size, '\0');
  libdeflate_decompressor* d = libdeflate_alloc_decompressor();
  const auto result = libdeflate_gzip_decompress(d, zipped.data(), zipped.size(), out.data(), out.size(), nullptr);
  libdeflate_free_decompressor(d);
  return result == LIBDEFLATE_SUCCESS ? out : std::string();
}

// The `value` columns of a body; nullopt when it is not what Logs Ingestion takes.
std::optional<std::vector<std::string>> values_of(const std::string& raw) {
  simdjson::dom::parser parser;
  simdjson::dom::array rows;
  if (parser.parse(raw).get(rows) != simdjson::SUCCESS) return std::nullopt;
  std::vector<std::string> out;
  for (const auto row : rows) {
    std::string_view text;
    if (row["value"].get(text) != simdjson::SUCCESS) return std::nullopt;
    out.emplace_back(text);
  }
  return out;
}

}  // namespace

operation operation_of(const seen_request& r) {
  const auto target = parse_target(r.target);
  if (target.path.front() == "dataCollectionRules") return operation::upload;
  if (target.path.back() == "token") return operation::token;
  if (target.path.size() == 3 && target.path[2] == "shards") return operation::list_shards;
  if (target.path.size() != 4) return operation::unknown;
  const auto type = target.query.find("type");
  if (type == target.query.end()) return operation::unknown;
  return type->second == "log" ? operation::pull_logs : operation::get_cursor;
}

std::string model_shard::cursor_of(std::size_t group) {
  return engine::to_base64(std::to_string(first_cursor + static_cast<std::int64_t>(group)));
}

std::optional<std::size_t> model_shard::group_at(std::string_view cursor) {
  const auto digits = engine::from_base64(cursor);
  if (!digits) return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits->data(), digits->data() + digits->size(), value);
  if (error != std::errc() || value < first_cursor) return std::nullopt;
  return static_cast<std::size_t>(value - first_cursor);
}

// --- the services --------------------------------------------------------------------------------------------------

model_cloud::model_cloud(support::simulation& sim, std::uint64_t seed) : sim_(sim), random_(seed * 2 + 1) {}

void model_cloud::append(model_shard& shard, std::vector<std::string> texts) {
  model_group group;
  group.appended_at = sim_.now();
  group.received_s = std::chrono::duration_cast<std::chrono::seconds>(sim_.wall().time_since_epoch()).count();
  log_group_builder builder;
  for (const auto& text : texts) builder.log({{"event", text}}, static_cast<std::uint32_t>(group.received_s));
  builder.topic("ActionTrail").tag("__receive_time__", std::to_string(group.received_s));
  group.encoded = builder.bytes();
  group.texts = std::move(texts);
  shard.groups.push_back(std::move(group));
}

std::size_t model_cloud::requests(operation op) const {
  const auto found = requests_.find(op);
  return found == requests_.end() ? 0 : found->second;
}

in_flight* model_cloud::rule_counter(const seen_request& r) {
  const auto found = rules.find(parse_target(r.target).path[1]);
  return found == rules.end() ? nullptr : &found->second.requests;
}

model_cloud::journey model_cloud::draw(operation op) {
  journey out;
  const auto way = [this] {
    return engine::duration(std::uniform_int_distribution<std::int64_t>(1, way_max.count())(random_));
  };
  out.there = way();
  out.back = way();
  out.arrives_when_killed = draw_share() < 0.5;
  const mishap_rates& rates = op == operation::upload ? upload_rates : op == operation::token ? token_rates : sls_rates;
  double left = draw_share();
  const auto hit = [&left](double rate) { return (left -= rate) < 0; };
  if (hit(rates.refused_connection)) {
    out.what = mishap::refused_connection;
  } else if (hit(rates.lost_request)) {
    out.what = mishap::lost_request;
  } else if (hit(rates.lost_answer)) {
    out.what = mishap::lost_answer;
  } else if (hit(rates.swallowed)) {
    out.what = mishap::swallowed;
  } else if (hit(rates.cut_body)) {
    out.what = mishap::cut_body;
  } else if (hit(rates.server_error)) {
    out.status = 500;
  } else if (hit(rates.throttled)) {
    out.status = 429;
  } else if (op == operation::upload && hit(rates.unauthorized)) {
    out.status = 401;
  } else if (op == operation::pull_logs && hit(rates.garbled_block)) {
    out.garbled = true;
  }
  return out;
}

model_answer model_cloud::handle(operation op, const seen_request& r, const journey& way) {
  if (script) {
    if (auto scripted = script(op, r)) {
      if (op == operation::upload) {
        const auto rule = rules.find(parse_target(r.target).path[1]);
        if (rule != rules.end()) {
          rule->second.uploads.push_back({.at = sim_.now(),
                                          .rows = 0,
                                          .raw_bytes = 0,
                                          .status = scripted->never ? 0 : scripted->status,
                                          .token = r.header("authorization")});
        }
      }
      return *std::move(scripted);
    }
  }
  switch (op) {
    case operation::token:
      if (way.status) return {.status = *way.status, .headers = {}, .body = R"({"error":"temporarily_unavailable"})"};
      return make_token();
    case operation::upload:
      return accept_rows(r, way);
    default:
      return sls(op, r, way);
  }
}

model_answer model_cloud::make_token() {
  ++tokens_made_;
  return {.status = 200,
          .headers = {{"content-type", "application/json"}},
          .body = R"({"token_type":"Bearer","expires_in":3599,"access_token":"token-)" + std::to_string(tokens_made_) +
                  R"("})"};
}

model_answer model_cloud::accept_rows(const seen_request& r, const journey& way) {
  const auto rule = rules.find(parse_target(r.target).path[1]);
  if (rule == rules.end()) return ingestion_error(404, "NotFound");
  upload_seen seen{.at = sim_.now(), .rows = 0, .raw_bytes = 0, .status = 0, .token = r.header("authorization")};
  auto answer = judge(rule->second, r, way, seen);
  seen.status = answer.status;
  rule->second.uploads.push_back(std::move(seen));
  return answer;
}

model_answer model_cloud::judge(model_rule& rule, const seen_request& r, const journey& way, upload_seen& seen) {
  if (way.status == 429) return {.status = 429, .headers = {{"retry-after", "2"}}, .body = {}};
  if (way.status) return {.status = *way.status, .headers = {}, .body = {}};
  const auto number =
      std::string_view(seen.token).substr(std::min<std::size_t>(seen.token.size(), 13));  // "Bearer token-"
  const auto token = std::strtoull(std::string(number).c_str(), nullptr, 10);
  if (token <= revoked_up_to_ || token > tokens_made_) return ingestion_error(401, "Unauthorized");
  if (parse_target(r.target).path[3] != rule.stream) return ingestion_error(400, "InvalidStream");
  if (r.body.size() > rule.wire_bytes_max) return ingestion_error(413, "ContentLengthLimitExceeded");
  const std::string raw = r.header("content-encoding") == "gzip" ? unzip(r.body) : r.body;
  seen.raw_bytes = raw.size();
  if (raw.size() > rule.raw_bytes_max) return ingestion_error(413, "ContentLengthLimitExceeded");
  auto values = values_of(raw);
  if (!values) return ingestion_error(400, "InvalidJson");
  seen.rows = values->size();
  if (rule.refuses && std::ranges::any_of(*values, rule.refuses)) return ingestion_error(400, "InvalidRecord");
  for (auto& text : *values) {
    ++rule.times_accepted[text];
    rule.rows.push_back({.text = std::move(text), .at = sim_.now()});
  }
  return {.status = 204, .headers = {{"x-ms-request-id", "00000000-0000-0000-0000-000000000001"}}, .body = {}};
}

model_answer model_cloud::sls(operation op, const seen_request& r, const journey& way) {
  if (way.status == 429) return sls_error(403, "ReadQuotaExceed");
  if (way.status) return sls_error(*way.status, "InternalServerError");
  const auto project = projects.find(r.origin.host.substr(0, r.origin.host.find('.')));
  if (project == projects.end()) return sls_error(404, "ProjectNotExist");
  const auto key = "LOG " + project->second.access_key_id + ":";
  if (!r.header("authorization").starts_with(key)) return sls_error(401, "Unauthorized");
  const auto target = parse_target(r.target);
  const auto logstore = project->second.logstores.find(target.path[1]);
  if (logstore == project->second.logstores.end()) return sls_error(404, "LogStoreNotExist");
  if (op == operation::list_shards) return list_shards(logstore->second);
  if (op == operation::unknown) return sls_error(400, "ParameterInvalid");
  const auto shard = logstore->second.find(std::strtoll(target.path[3].c_str(), nullptr, 10));
  if (shard == logstore->second.end()) return sls_error(400, "ShardNotExist");
  if (op == operation::get_cursor) return get_cursor(shard->second, target.query.at("from"));
  return pull_logs(shard->second, target.query, way.garbled);
}

model_answer model_cloud::list_shards(const model_logstore& logstore) const {
  std::string body = "[";
  for (const auto& [id, shard] : logstore) {
    if (body.size() > 1) body += ',';
    body += R"({"shardID":)" + std::to_string(id) + R"(,"status":")" + (shard.readonly ? "readonly" : "readwrite") +
            R"(","inclusiveBeginKey":"00","exclusiveEndKey":"ff","createTime":1453949705})";
  }
  return {.status = 200, .headers = {}, .body = body + "]"};
}

model_answer model_cloud::get_cursor(const model_shard& shard, const std::string& from) const {
  std::size_t group = shard.groups.size();
  if (from == "begin") {
    group = shard.kept_from;
  } else if (from != "end") {
    const auto since = std::strtoll(from.c_str(), nullptr, 10);
    const auto found = std::ranges::find_if(shard.groups, [&](const auto& g) { return g.received_s >= since; });
    group = static_cast<std::size_t>(found - shard.groups.begin());
  }
  return {.status = 200, .headers = {}, .body = R"({"cursor":")" + model_shard::cursor_of(group) + R"("})"};
}

model_answer model_cloud::pull_logs(model_shard& shard, const std::map<std::string, std::string>& query, bool garbled) {
  const auto from = model_shard::group_at(query.at("cursor"));
  if (!from || *from < shard.kept_from || *from > shard.groups.size()) return sls_error(400, "InvalidCursor");
  std::size_t end = shard.groups.size();
  if (const auto stop = query.find("end_cursor"); stop != query.end()) {
    end = std::min(end, model_shard::group_at(stop->second).value_or(end));
  }
  const auto count = static_cast<std::size_t>(std::strtoull(query.at("count").c_str(), nullptr, 10));
  std::string plain;
  std::uint64_t claim_bytes = 0;
  std::size_t at = *from;
  for (; at < end && at - *from < count; ++at) {
    auto& group = shard.groups[at];
    if (!plain.empty() && plain.size() + group.encoded.size() > reply_plain_bytes_max) break;
    plain += bytes_field(1, group.encoded);
    if (group.garbled > 0) {
      --group.garbled;
      garbled = group.garbled_claim_bytes == 0;
      claim_bytes = group.garbled_claim_bytes;
    }
  }
  shard.pulls.push_back(
      {.at = sim_.now(), .from = *from, .count_asked = count, .groups = at - *from, .bytes = 0, .garbled = false});
  shard.served_to = std::max(shard.served_to, at);
  model_answer out{.status = 200,
                   .headers = {{"x-log-bodyrawsize", std::to_string(claim_bytes == 0 ? plain.size() : claim_bytes)},
                               {"x-log-count", std::to_string(at - *from)},
                               {"x-log-cursor", model_shard::cursor_of(at)},
                               {"x-log-end-of-cursor", at == shard.groups.size() ? "1" : "0"}},
                   .body = {}};
  if (plain.empty()) return out;
  out.headers.emplace_back("x-log-compresstype", "lz4");
  const int size = static_cast<int>(plain.size());
  std::string packed(static_cast<std::size_t>(LZ4_compressBound(size)), '\0');
  const int used = LZ4_compress_default(plain.data(), packed.data(), size, static_cast<int>(packed.size()));
  packed.resize(static_cast<std::size_t>(used));
  if (garbled) packed.resize(packed.size() / 2);
  out.body = std::move(packed);
  shard.pulls.back().bytes = out.body.size();
  shard.pulls.back().garbled = garbled || claim_bytes != 0;
  return out;
}

}  // namespace tests
