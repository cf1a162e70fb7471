// The production half of http_exchange: keep-alive connections per origin, capped, with a fair waiting line.
//
// The most recently parked connection of an origin is used first, after a look whether the peer has closed it. When an
// origin or the whole pool is at its cap, exchanges wait, without a time limit, in the order they came; an idle
// connection of another origin, the one unused for longest, is closed to make room. Callers bound the line with their
// own permits.
//
// One retry, on a fresh connection, hides a kept-alive connection that turns out to be dead: when not one byte of the
// answer came, for GET and HEAD, or when the request was not fully written. A POST that may have been acted on is
// reported as reset with request_sent, and its caller decides.
//
// Thread-safe. Order at the end: close(), let the context run until every exchange has returned, destroy the pool, then
// its context. The clock, the registry and whatever the callbacks use outlive the pool and its exchanges.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "engine/base/metrics.hpp"
#include "engine/flow/ports.hpp"
#include "engine/flow/task.hpp"
#include "engine/net/name_resolver.hpp"

namespace engine {

struct http_pool_options {
  std::size_t connections_max = 256;
  std::size_t per_origin_max = 16;
  duration idle_max = std::chrono::seconds(50);  // services close at 60 s or later: ours must be the first to let go
  // A strand for each connection. Only a context that one thread runs may do without.
  bool strands = true;
  // Names to addresses; empty: the C library's, on threads of its own. IP literals never come here.
  resolve_function resolve;
};

class http_pool final : public http_exchange {
 public:
  http_pool(executor io, http_pool_options, metric_registry&, clock&);
  ~http_pool() override;
  http_pool(const http_pool&) = delete;
  http_pool& operator=(const http_pool&) = delete;

  task<std::expected<http_response, http_failure>> exchange(http_request, exchange_options) override;
  void close() override;

  [[nodiscard]] std::size_t open_connections() const;
  [[nodiscard]] std::size_t waiting() const;

 private:
  struct core;
  class lease;
  static task<lease> acquire(std::shared_ptr<core>, const http_origin&);

  std::shared_ptr<core> core_;  // shared with running exchanges and with the timer that closes idle connections
};

}  // namespace engine
