#include "tools/penstock/status_page.hpp"

#include <simdjson.h>

#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <future>

#include "engine/base/metrics.hpp"
#include "engine/host/io_context.hpp"
#include "engine/host/steady_clock.hpp"
#include "engine/net/http_pool.hpp"
#include "tools/penstock/report.hpp"

namespace penstock {
namespace {

engine::task<std::optional<std::string>> fetch(engine::http_pool& pool, std::string host, std::uint16_t port) {
  engine::http_request ask;
  ask.origin = {.tls = false, .host = host, .port = port, .verify_name = host, .ca_file = {}};
  ask.method = "GET";
  ask.target = "/status";
  ask.headers = {{"Host", host + ":" + std::to_string(port)}};
  engine::exchange_options options;
  options.connect_max = std::chrono::seconds(2);
  options.answer_max = std::chrono::seconds(2);
  options.stall_max = std::chrono::seconds(2);
  options.body_bytes_max = 64 * engine::mib;
  auto answer = co_await pool.exchange(std::move(ask), std::move(options));
  if (!answer || answer->head.status != 200) co_return std::nullopt;
  co_return std::string(answer->body.view());
}

}  // namespace

std::optional<std::string> fetch_status_page(const std::string& host, std::uint16_t port) {
  engine::metric_registry metrics;
  engine::io_context io(1);
  engine::steady_clock clock(io.get_executor());
  engine::http_pool pool(io.get_executor(), {}, metrics, clock);
  std::promise<std::optional<std::string>> page;
  boost::asio::co_spawn(io.get_executor(), fetch(pool, host, port),
                        [&page](std::exception_ptr failure, std::optional<std::string> got) {
                          if (failure) got.reset();
                          page.set_value(std::move(got));
                        });
  io.start();
  auto out = page.get_future().get();
  pool.close();
  io.stop();
  io.join();
  return out;
}

std::string status_table(std::string_view json) {
  stages::path_status status;
  simdjson::dom::parser parser;
  simdjson::dom::array routes;
  if (parser.parse(json.data(), json.size())["routes"].get(routes) != simdjson::SUCCESS) return std::string(json);
  for (const simdjson::dom::element route : routes) {
    const auto text = [&route](const char* name) {
      std::string_view value;
      return route[name].get(value) == simdjson::SUCCESS ? std::string(value) : std::string();
    };
    stages::logstore_status l{.account = text("account"),
                              .project = text("project"),
                              .logstore = text("logstore"),
                              .destination = text("destination"),
                              .state = text("state"),
                              .reason = text("reason"),
                              .shards = 0,
                              .in_flight = 0,
                              .lag_s = 0};
    std::uint64_t shards = 0;
    if (route["shards"].get(shards) == simdjson::SUCCESS) l.shards = shards;
    if (route["lag_s"].get(l.lag_s) != simdjson::SUCCESS) l.lag_s = 0;
    status.logstores.push_back(std::move(l));
  }
  return status_text(status);
}

}  // namespace penstock
