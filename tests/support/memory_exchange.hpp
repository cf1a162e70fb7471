// An http_exchange without a network: a function answers, and a failure can be put at any step on the way.
//
// Keeps the contract of the port: asks the on-headers step for 2xx answers with a body of known length and for no
// others, reads every other body up to body_bytes_max, says in failures whether the request was sent. Thread-safe.
#pragma once

#include <expected>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/flow/ports.hpp"
#include "engine/flow/signal.hpp"

namespace tests {

struct scripted_answer {
  int status = 200;
  engine::http_headers headers;  // names in lower case
  std::string body;
  bool length_known = true;  // false: as if chunked
};
using scripted = std::expected<scripted_answer, engine::http_failure>;

// What a request looked like: it is gone when the exchange has returned.
struct seen_request {
  engine::http_origin origin;
  std::string method;
  std::string target;
  engine::http_headers headers;
  std::string body;

  [[nodiscard]] std::string header(std::string_view name) const;  // any case; empty when absent
};

class memory_exchange final : public engine::http_exchange {
 public:
  using script = std::function<scripted(const seen_request&)>;
  explicit memory_exchange(script);

  engine::task<std::expected<engine::http_response, engine::http_failure>> exchange(engine::http_request,
                                                                                    engine::exchange_options) override;
  void close() override;

  // The n-th step from now fails, counted over all exchanges from 0. The steps of one exchange: name, connection,
  // handshake (TLS only), first byte sent, last byte sent, head, head read but cut off, body half, body end.
  void fail_at(std::size_t step);
  [[nodiscard]] bool has_failed() const;

  // From hold() to release() requests are taken but not answered.
  void hold();
  void release();

  [[nodiscard]] std::vector<seen_request> requests() const;
  [[nodiscard]] std::size_t request_count() const;

 private:
  std::optional<engine::http_failure> step(engine::http_errc, bool request_sent);

  const script script_;
  mutable std::mutex mutex_;
  std::vector<seen_request> requests_;
  std::optional<std::size_t> fail_in_;
  bool failed_ = false;
  bool held_ = false;
  bool closed_ = false;
  engine::signal released_;
};

// The usual answers.
scripted json(int status, std::string body, engine::http_headers more = {});

}  // namespace tests
