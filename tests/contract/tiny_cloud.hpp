// One logstore with one shard and one data collection rule, in memory: what a whole data path needs to run once.
#pragma once

#include <lz4.h>

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "stages/config.hpp"
#include "stages/sls/cursor.hpp"
#include "tests/support/log_group_builder.hpp"
#include "tests/support/memory_exchange.hpp"

namespace tests {

inline constexpr std::int64_t first_cursor = 1'447'329'603'824'494'420;

inline std::string lz4_of(const std::string& plain) {
  std::string out(static_cast<std::size_t>(LZ4_compressBound(static_cast<int>(plain.size()))), '\0');
  const int size =
      LZ4_compress_default(plain.data(), out.data(), static_cast<int>(plain.size()), static_cast<int>(out.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

// The shard holds `blocks`, one PullLogs reply each; every upload is accepted and kept.
class tiny_cloud {
 public:
  explicit tiny_cloud(std::vector<std::string> blocks)
      : blocks_(std::move(blocks)), exchange_([this](const seen_request& r) { return answer(r); }) {}

  [[nodiscard]] engine::http_exchange& exchange() { return exchange_; }
  [[nodiscard]] const std::vector<std::string>& uploads() const { return uploads_; }

 private:
  static std::string cursor(std::size_t block) {
    return stages::sls::encode_cursor(first_cursor + static_cast<std::int64_t>(block));
  }

  scripted answer(const seen_request& r) {
    if (r.target.find("/oauth2/v2.0/token") != std::string::npos) {
      return json(200, R"({"token_type":"Bearer","expires_in":3599,"access_token":"eyJ.token.sig"})");
    }
    if (r.target.starts_with("/dataCollectionRules/")) {
      uploads_.push_back(r.body);
      return scripted_answer{.status = 204, .headers = {}, .body = {}};
    }
    if (r.target.starts_with("/logstores/trail/shards/0?type=cursor")) {
      const bool end = r.target.find("from=end") != std::string::npos;
      return json(200, R"({"cursor":")" + cursor(end ? blocks_.size() : 0) + "\"}");
    }
    if (r.target.starts_with("/logstores/trail/shards/0?")) return pull(r.target);
    if (r.target.starts_with("/logstores/trail/shards")) {
      return json(
          200,
          R"([{"shardID":0,"status":"readwrite","inclusiveBeginKey":"00","exclusiveEndKey":"ff","createTime":1}])");
    }
    return json(404, R"({"errorCode":"NotExist","errorMessage":"no such thing"})");
  }
  scripted pull(const std::string& target) {
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      const std::string encoded = cursor(i).substr(0, cursor(i).find('='));
      if (target.find("cursor=" + encoded) == std::string::npos) continue;
      return scripted_answer{.status = 200,
                             .headers = {{"x-log-bodyrawsize", std::to_string(blocks_[i].size())},
                                         {"x-log-count", "1"},
                                         {"x-log-cursor", cursor(i + 1)},
                                         {"x-log-compresstype", "lz4"}},
                             .body = lz4_of(blocks_[i])};
    }
    return scripted_answer{.status = 200,
                           .headers = {{"x-log-bodyrawsize", "0"},
                                       {"x-log-count", "0"},
                                       {"x-log-cursor", cursor(blocks_.size())},
                                       {"x-log-compresstype", "lz4"}},
                           .body = {}};
  }

  const std::vector<std::string> blocks_;
  std::vector<std::string> uploads_;
  memory_exchange exchange_;
};

// Keeps what it is told, and says so at once.
class memory_store final : public engine::store {
 public:
  engine::task<std::expected<engine::saved_position, engine::store_failure>> load(engine::route_id id) override {
    co_return positions_[id];
  }
  engine::task<engine::store_result> commit(engine::route_id id, std::string cursor) override {
    positions_[id].committed = std::move(cursor);
    co_return engine::store_result{};
  }
  engine::task<engine::store_result> note_pulled(engine::route_id id, std::string cursor) override {
    positions_[id].pulled = std::move(cursor);
    co_return engine::store_result{};
  }
  engine::task<engine::store_result> bury(std::vector<engine::dead_letter> letters) override {
    for (auto& letter : letters) letters_.push_back(std::move(letter));
    co_return engine::store_result{};
  }
  [[nodiscard]] const std::map<engine::route_id, engine::saved_position>& positions() const { return positions_; }
  [[nodiscard]] const std::vector<engine::dead_letter>& letters() const { return letters_; }

 private:
  std::map<engine::route_id, engine::saved_position> positions_;
  std::vector<engine::dead_letter> letters_;
};

inline stages::config tiny_config() {
  stages::config out;
  stages::source_options source;
  source.account = "prod-cn";
  source.endpoint.host = "cn-hangzhou.log.aliyuncs.com";
  source.region = "cn-hangzhou";
  source.credentials = {
      .access_key_id = "LTAIexample", .access_key_secret = engine::secret("a key"), .security_token = {}};
  source.project = "audit";
  source.logstores = {"trail"};
  source.to = "sentinel-main";
  out.sources.push_back(std::move(source));
  stages::destination_options destination;
  destination.name = "sentinel-main";
  destination.format = stages::row_format::typed;
  destination.endpoint.host = "x.ingest.monitor.azure.com";
  destination.rule = "dcr-0123456789abcdef0123456789abcdef";
  destination.stream = "Custom-AliCloudActionTrailLogs";
  destination.credentials = {
      .tenant = "contoso.example", .client_id = "app", .client_secret = engine::secret("a secret")};
  out.destinations.push_back(std::move(destination));
  return out;
}

}  // namespace tests
