// stage/upload/CORPUS over memory, stage/upload_tls/CORPUS over TLS on loopback: one body, one request, one receipt.
#include <memory>

#include "bench/network.hpp"
#include "bench/prepared.hpp"
#include "bench/real_clock.hpp"
#include "engine/host/steady_clock.hpp"
#include "engine/host/system_rng.hpp"
#include "stages/azure/logs_ingestion.hpp"
#include "stages/batch.hpp"
#include "stages/compress.hpp"

namespace bench {
namespace {

std::vector<stages::body> bodies_of(const corpus& in, engine::buffer_pool& pool) {
  const auto encoder = stages::make_encoder(stages::compression_level::fast, {}, pool);
  stages::batch batch({}, *encoder);
  std::vector<stages::body> out;
  for (const stages::rows& rows : rows_of(in, stages::row_format::typed)) {
    std::size_t row = 0;
    while (row < rows.refs.size()) {
      row += batch.add(rows, row, {}).rows;
      if (row < rows.refs.size()) out.push_back(batch.close());
    }
  }
  if (!batch.empty()) out.push_back(batch.close());
  return out;
}

// Accepts everything, and keeps what came last while a check wants it.
class canned_ingestion {
 public:
  canned_answer operator()(std::string_view body) {
    if (keep_) last_ = body;
    return {.status = 204, .headers = {{"x-ms-request-id", "9d2c"}}, .body = {}};
  }
  void keep(bool on) { keep_ = on; }
  [[nodiscard]] const std::string& last() const { return last_; }

 private:
  bool keep_ = false;
  std::string last_;
};

void upload_row(benchmark::State& state, bool check, const corpus& in, engine::asio::io_context& context,
                engine::clock& clock, engine::http_exchange& exchange, const std::string& url, std::string ca_file,
                canned_ingestion& service) {
  engine::buffer_pool pool(64 * engine::mib);
  const auto bodies = bodies_of(in, pool);
  std::vector<std::size_t> events;
  std::vector<std::size_t> bytes;
  for (const stages::body& body : bodies) {
    events.push_back(body.row_bytes.size());
    bytes.push_back(body.wire.size());
  }
  engine::system_rng rng(1);
  stages::azure::logs_ingestion api({.endpoint = stages::http::parse_base_url(url).value(),
                                     .rule = "dcr-0123456789abcdef0123456789abcdef",
                                     .stream = "Custom-AliCloudActionTrailLogs",
                                     .ca_file = std::move(ca_file)},
                                    exchange, clock, rng);
  const stages::azure::token token{.value = engine::secret(std::string(1'500, 't')), .generation = 1};
  std::optional<stages::receipt> last;
  const auto one = [&](std::size_t i) {
    const auto got = complete(context, api.upload(bodies[i].wire.view(), bodies[i].gzip, token));
    demand(got.has_value(), "stage/upload: a body was refused");
    last = *got;
  };
  service.keep(check);
  if (check) {
    for (std::size_t i = 0; i < bodies.size(); ++i) {
      one(i);
      demand(last->status == 204 && service.last() == bodies[i].wire.view(), "stage/upload: other bytes arrived");
    }
  }
  service.keep(false);
  walk(state, bodies.size(), false, one, [](std::size_t) {}, events, bytes);
}

}  // namespace

void add_upload_rows(corpora& all) {
  add_corpus_rows("stage/upload", all, [](benchmark::State& state, bool check, const corpus& in) {
    engine::asio::io_context context(1);
    real_clock clock;
    canned_ingestion service;
    memory_network network([&service](std::string_view body) { return service(body); });
    upload_row(state, check, in, context, clock, network, "https://x.ingest.monitor.azure.com", "", service);
  });
  add_corpus_rows("stage/upload_tls", all, [](benchmark::State& state, bool check, const corpus& in) {
    engine::asio::io_context context(1);
    engine::steady_clock clock(context.get_executor());
    canned_ingestion service;
    loopback_network network(context, clock, [&service](std::string_view body) { return service(body); });
    upload_row(state, check, in, context, clock, network.exchange(), network.url(), network.ca_file(), service);
  });
}

}  // namespace bench
