// The two clouds in memory, in virtual time: Simple Log Service, Entra ID and Logs Ingestion as far as the data path
// talks to them, behind the HttpExchange port.
//
// Each request takes a seeded time there and back. What goes wrong is drawn per request from `rates`, or decided by the
// test with `script` (an answer instead of the service's own) and `held` (the answer waits that long on its way back).
// The cloud outlives its exchanges: a process that is killed leaves it as it is, the next one meets it again.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/flow/ports.hpp"
#include "engine/flow/signal.hpp"
#include "tests/support/memory_exchange.hpp"
#include "tests/support/simulated_executor.hpp"

namespace tests {

enum class operation : std::uint8_t { list_shards, get_cursor, pull_logs, token, upload, unknown };
operation operation_of(const seen_request&);

struct model_answer {
  int status = 200;
  engine::http_headers headers{};
  std::string body{};
  bool never = false;  // the request is swallowed: the caller's time runs out
};

// Shares of requests that meet a mishap. A kind that makes no sense for an operation is not drawn for it.
struct mishap_rates {
  double refused_connection = 0;
  double lost_request = 0;   // reset before the service saw it
  double lost_answer = 0;    // the service did it, its answer is lost
  double swallowed = 0;      // no answer until the caller's time is out
  double cut_body = 0;       // reset in the middle of the answer's body
  double server_error = 0;   // 500
  double throttled = 0;      // 429 (SLS: 403 with its quota code)
  double unauthorized = 0;   // 401, uploads only
  double garbled_block = 0;  // a pull that does not decode, whatever was asked for
};

// How many requests of a kind were under way at once.
struct in_flight {
  std::size_t now = 0;
  std::size_t most = 0;
};

// --- SLS -----------------------------------------------------------------------------------------------------------

struct model_group {
  std::vector<std::string> texts;
  std::string encoded;  // the LogGroup message
  std::int64_t received_s = 0;
  engine::time_point appended_at;
  unsigned garbled = 0;                   // so many replies that hold it do not decode
  std::uint64_t garbled_claim_bytes = 0;  // because they claim so many plain bytes; 0: because they are cut short
};

struct pull_seen {
  engine::time_point at;
  std::size_t from = 0;
  std::size_t count_asked = 0;
  std::size_t groups = 0;
  std::size_t bytes = 0;  // of the body
  bool garbled = false;
};

struct model_shard {
  std::vector<model_group> groups;
  std::size_t kept_from = 0;  // what lies before has expired
  bool readonly = false;
  std::size_t served_to = 0;  // one past the last group that was ever in a reply
  std::vector<pull_seen> pulls;

  [[nodiscard]] static std::string cursor_of(std::size_t group);
  // nullopt: no cursor of this shard.
  [[nodiscard]] static std::optional<std::size_t> group_at(std::string_view cursor);
};

using model_logstore = std::map<std::int64_t, model_shard>;
struct model_project {
  std::string access_key_id;
  std::map<std::string, model_logstore> logstores;
};

// --- Logs Ingestion ------------------------------------------------------------------------------------------------

struct accepted_row {
  std::string text;  // of the column `value`
  engine::time_point at;
};
struct upload_seen {
  engine::time_point at;
  std::size_t rows = 0;
  std::size_t raw_bytes = 0;
  int status = 0;
  std::string token;
};

struct model_rule {
  std::string stream;
  std::size_t wire_bytes_max = 1'048'576;
  std::size_t raw_bytes_max = std::size_t{64} << 20;
  std::function<bool(const std::string& text)> refuses{};  // 400 for a body with such a row
  std::vector<accepted_row> rows{};
  std::unordered_map<std::string, unsigned> times_accepted{};
  std::vector<upload_seen> uploads{};  // when they reached the service
  in_flight requests{};
};

// --- both ----------------------------------------------------------------------------------------------------------

class model_cloud {
 public:
  model_cloud(support::simulation&, std::uint64_t seed);

  std::map<std::string, model_project> projects;  // by the first label of the host
  std::map<std::string, model_rule> rules;
  mishap_rates sls_rates, upload_rates, token_rates;
  std::function<std::optional<model_answer>(operation, const seen_request&)> script;
  std::function<engine::duration(operation, const seen_request&)> held;
  engine::duration way_max = std::chrono::milliseconds(40);  // there, and back again
  std::size_t reply_plain_bytes_max = std::size_t{10} << 20;

  void append(model_shard&, std::vector<std::string> texts);
  // Tokens given out so far are refused from now on.
  void revoke_tokens() { revoked_up_to_ = tokens_made_; }
  [[nodiscard]] std::size_t tokens_made() const { return tokens_made_; }
  [[nodiscard]] in_flight& under_way(operation op) { return under_way_[op]; }
  [[nodiscard]] std::size_t requests(operation op) const;
  [[nodiscard]] support::simulation& time() { return sim_; }

 private:
  friend class model_exchange;
  enum class mishap : std::uint8_t { none, refused_connection, lost_request, lost_answer, swallowed, cut_body };
  struct journey {
    mishap what = mishap::none;
    engine::duration there{}, back{};
    std::optional<int> status;  // the service answers this and does nothing
    bool garbled = false;
    bool arrives_when_killed = false;
  };
  journey draw(operation);
  double draw_share() { return std::uniform_real_distribution<double>(0, 1)(random_); }
  model_answer handle(operation, const seen_request&, const journey&);
  model_answer list_shards(const model_logstore&) const;
  model_answer get_cursor(const model_shard&, const std::string& from) const;
  model_answer pull_logs(model_shard&, const std::map<std::string, std::string>& query, bool garbled);
  model_answer sls(operation, const seen_request&, const journey&);
  model_answer make_token();
  model_answer accept_rows(const seen_request&, const journey&);
  model_answer judge(model_rule&, const seen_request&, const journey&, upload_seen&);
  in_flight* rule_counter(const seen_request&);

  support::simulation& sim_;
  std::mt19937_64 random_;
  std::map<operation, in_flight> under_way_;
  std::map<operation, std::size_t> requests_;
  std::size_t tokens_made_ = 0;
  std::size_t revoked_up_to_ = 0;
};

// One process's way to the clouds.
class model_exchange final : public engine::http_exchange {
 public:
  using result = std::expected<engine::http_response, engine::http_failure>;
  explicit model_exchange(model_cloud& cloud) : cloud_(cloud) {}

  engine::task<result> exchange(engine::http_request, engine::exchange_options) override;
  void close() override;
  // The process is gone: requests on their way arrive or not, as the seed has it.
  void kill();

 private:
  engine::task<result> travel(operation, seen_request, engine::exchange_options&);
  engine::task<bool> sleep(engine::duration);
  static result deliver(model_answer, bool cut, engine::exchange_options&);

  model_cloud& cloud_;
  engine::signal ended_;
  bool closed_ = false;
  bool killed_ = false;
};

}  // namespace tests
