// An http_pool with its context, its threads and a clock that stands still, for tests over loopback.
#pragma once

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/net/http_pool.hpp"
#include "tests/support/loopback_server.hpp"
#include "tests/support/set_clock.hpp"

namespace tests {

using exchange_result = std::expected<engine::http_response, engine::http_failure>;

inline engine::http_origin plain_origin(const loopback_server& server) {
  return {.tls = false, .host = "127.0.0.1", .port = server.port(), .verify_name = "127.0.0.1", .ca_file = ""};
}
inline engine::http_origin tls_origin(const loopback_server& server, const test_authority& trusted,
                                      const std::string& verify_name = "127.0.0.1") {
  return {.tls = true,
          .host = "127.0.0.1",
          .port = server.port(),
          .verify_name = verify_name,
          .ca_file = trusted.ca_file()};
}
inline engine::http_request request_to(engine::http_origin origin, std::string method, std::string target = "/",
                                       engine::byte_view body = {}) {
  return {.origin = std::move(origin),
          .method = std::move(method),
          .target = std::move(target),
          .headers = {{"Host", "test"}},
          .body = body};
}
inline std::string answer_with(const std::string& body, const std::string& more_headers = "") {
  return "HTTP/1.1 200 OK\r\n" + more_headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// Waits for something that another thread is about to do; false only when it has not for a long time.
template <class Condition>
bool eventually(Condition holds) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    std::this_thread::yield();
  }
  return true;
}

template <class T>
T value_of(std::future<T>& pending) {
  if (pending.wait_for(std::chrono::seconds(20)) != std::future_status::ready) {
    std::fputs("an exchange hangs\n", stderr);
    std::abort();  // its threads could not be joined either
  }
  return pending.get();
}

class pool_harness {
 public:
  explicit pool_harness(engine::http_pool_options options = {}, unsigned threads = 1)
      : guard_(context_.get_executor()),
        pool(std::make_unique<engine::http_pool>(context_.get_executor(), std::move(options), metrics, clock)) {
    for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { context_.run(); });
  }
  ~pool_harness() {
    pool->close();
    guard_.reset();
    for (auto& one : threads_) one.join();
  }
  pool_harness(const pool_harness&) = delete;
  pool_harness& operator=(const pool_harness&) = delete;

  std::future<exchange_result> start(engine::http_request request, engine::exchange_options options = {}) {
    auto work = pool->exchange(std::move(request), std::move(options));
    return engine::asio::co_spawn(context_, std::move(work), engine::asio::use_future);
  }
  exchange_result run(engine::http_request request, engine::exchange_options options = {}) {
    auto pending = start(std::move(request), std::move(options));
    return value_of(pending);
  }
  exchange_result get(engine::http_origin origin, std::string target = "/") {
    return run(request_to(std::move(origin), "GET", std::move(target)));
  }

 private:
  engine::asio::io_context context_;
  engine::asio::executor_work_guard<engine::asio::io_context::executor_type> guard_;
  std::vector<std::thread> threads_;

 public:
  set_clock clock;
  engine::metric_registry metrics;
  std::unique_ptr<engine::http_pool> pool;
};

// What an exchange came to, in one comparable line: "200 body", or the failure's code and whether the request was sent.
inline std::string summary(const exchange_result& result) {
  if (result) return std::to_string(result->head.status) + " " + std::string(result->body.view());
  constexpr std::array names{"resolve",   "connect",           "tls",      "timeout", "reset", "malformed",
                             "too_large", "refused_by_caller", "cancelled"};
  return std::string(names.at(static_cast<std::size_t>(result.error().code))) +
         (result.error().request_sent ? " sent" : " not_sent");
}

}  // namespace tests
