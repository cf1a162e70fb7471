// One TCP connection, plain or TLS: connect, read, write, each under a time limit. Beast's streams stay behind it.
//
// All members run on the executor given, one call at a time (a strand when its context has several threads). cancel()
// ends whatever call is waiting, and every later one.
#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <memory>
#include <span>
#include <string>

#include "engine/flow/http_message.hpp"
#include "engine/flow/task.hpp"
#include "engine/net/name_resolver.hpp"
#include "engine/net/tls.hpp"

namespace engine {

// Real time: limits of sockets are no part of what the simulator decides.
using net_time = std::chrono::steady_clock::time_point;
net_time net_now();

struct stream_failure {
  http_errc code = http_errc::reset;
  std::string text;
  bool orderly_end = false;  // the peer ended its side properly: end of a body without length
};

class http_stream {
 public:
  http_stream(executor, tls_trusts&, const resolve_function&);  // both outlive it
  ~http_stream();
  http_stream(const http_stream&) = delete;
  http_stream& operator=(const http_stream&) = delete;

  // Name, TCP and TLS together until `limit`. resolve, connect, tls, timeout or cancelled.
  task<std::expected<void, stream_failure>> connect(http_origin, net_time limit);
  // At least one byte, and over TLS what else has arrived, or a failure. reset, tls, timeout or cancelled.
  task<std::expected<std::size_t, stream_failure>> read_some(std::span<char> into, net_time limit);
  // At least one byte of `first` followed by `second`.
  task<std::expected<std::size_t, stream_failure>> write_some(byte_view first, byte_view second, net_time limit);

  void cancel();
  // Nothing has arrived and the peer has not closed. Only while no call is waiting; then from any thread.
  [[nodiscard]] bool quiet() const;
  // No time limit is left behind: for a connection that waits for its next use.
  void rest();

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace engine
