// What the two network stages are measured against: an exchange in memory that costs a copy of the body, and a server
// with canned answers behind TLS on loopback. The client runs on the timed thread, the server on threads of its own.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "bench/row.hpp"
#include "engine/flow/ports.hpp"
#include "engine/flow/task.hpp"

namespace bench {

// The answer to the n-th request, as one value; the body is borrowed and outlives the exchange.
struct canned_answer {
  int status = 200;
  engine::http_headers headers;  // names in lower case
  std::string_view body;
};
// Given the request's body; called by one thread at a time.
using answer_function = std::function<canned_answer(std::string_view request_body)>;

// Runs a task to its end on the calling thread.
template <class T>
T complete(engine::asio::io_context& context, engine::task<T> work) {
  std::optional<T> result;
  std::exception_ptr thrown;
  engine::asio::co_spawn(context, std::move(work), [&](std::exception_ptr failure, T value) {
    thrown = failure;
    if (!failure) result.emplace(std::move(value));
  });
  context.restart();  // it stopped when the last task left it without work
  while (!result && !thrown) {
    if (context.run_one() == 0) demand(false, "a network row waits for something that never comes");
  }
  if (thrown) std::rethrow_exception(thrown);
  return std::move(*result);
}

class memory_network final : public engine::http_exchange {
 public:
  explicit memory_network(answer_function answer) : answer_(std::move(answer)) {}
  engine::task<std::expected<engine::http_response, engine::http_failure>> exchange(engine::http_request,
                                                                                    engine::exchange_options) override;
  void close() override {}

 private:
  const answer_function answer_;
};

// The service's own connection pool towards a server of this process.
class loopback_network {
 public:
  loopback_network(engine::asio::io_context&, engine::clock&, answer_function);
  ~loopback_network();
  loopback_network(const loopback_network&) = delete;
  loopback_network& operator=(const loopback_network&) = delete;

  [[nodiscard]] engine::http_exchange& exchange();
  [[nodiscard]] std::string url() const;  // https://127.0.0.1:PORT
  [[nodiscard]] std::string ca_file() const;

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace bench
