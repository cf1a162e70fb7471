// service: the production ports, joined: one process from configuration to data path. The simulator joins others.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "engine/base/log.hpp"
#include "engine/base/metrics.hpp"
#include "engine/host/cpu_pool.hpp"
#include "engine/host/io_context.hpp"
#include "engine/host/state_store.hpp"
#include "engine/host/steady_clock.hpp"
#include "engine/host/system_rng.hpp"
#include "engine/net/http_pool.hpp"
#include "stages/config.hpp"
#include "stages/data_path.hpp"
#include "stages/telemetry.hpp"

namespace penstock {

class service {
 public:
  // Opens the state; starts nothing. The error is a sentence for people.
  static std::expected<std::unique_ptr<service>, std::string> open(const stages::config&, const stages::run_options&,
                                                                   engine::logger&);
  ~service();
  service(const service&) = delete;
  service& operator=(const service&) = delete;

  // Starts the threads and the data path; `ended` is called once, on an I/O thread, when the path has ended.
  void start(std::function<void()> ended);
  void drain() { path_->drain(); }
  void abort() { path_->abort(); }
  // Waits for the threads. After `ended`.
  void join();

  [[nodiscard]] stages::data_path& path() { return *path_; }
  [[nodiscard]] stages::telemetry& counts() { return counts_; }
  [[nodiscard]] engine::metric_registry& metrics() { return metrics_; }
  [[nodiscard]] engine::executor executor() { return io_.get_executor(); }
  [[nodiscard]] engine::clock& clock() { return clock_; }
  [[nodiscard]] unsigned workers() const { return cpu_.workers(); }
  [[nodiscard]] const stages::config& config() const { return config_; }
  // What ended the path besides its own outcome: an exception that nobody expected.
  [[nodiscard]] const std::string& internal_error() const { return internal_error_; }

 private:
  explicit service(const stages::config&);
  engine::http_pool_options pool_options(std::size_t connections, std::size_t per_origin);

  const stages::config config_;
  engine::metric_registry metrics_;
  stages::telemetry counts_;
  engine::io_context io_;
  engine::steady_clock clock_;
  engine::system_rng rng_;
  engine::cpu_pool cpu_;
  engine::http_pool pulls_;
  engine::http_pool uploads_;
  std::unique_ptr<engine::store> store_;
  std::unique_ptr<stages::data_path> path_;
  std::string internal_error_;
};

}  // namespace penstock
