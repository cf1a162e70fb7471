// One connection, one exchange at a time: request out, head in, body straight into the buffer the caller chose.
//
// Shared by the pool, which may cancel it, and by the exchange that runs on it. exchange() runs on where(); cancel()
// and dispose() may be called from any thread.
#pragma once

#include <expected>
#include <memory>

#include "engine/flow/http_message.hpp"
#include "engine/flow/ports.hpp"
#include "engine/net/http_stream.hpp"

namespace engine {

// Limits on what a peer may make us hold before anybody has looked at it.
inline constexpr std::size_t response_head_bytes_max = 16 * kib;
inline constexpr std::size_t response_head_fields_max = 128;
inline constexpr int interim_answers_max = 8;  // 1xx before the real one

struct http_client_result {
  std::expected<http_response, http_failure> answer;
  bool answer_began = false;  // at least one byte of it came
  bool reusable = false;      // the connection is in a known state and both sides keep it
};

class http_client {
 public:
  http_client(executor where, http_origin, tls_trusts&, const resolve_function&);

  [[nodiscard]] const executor& where() const { return where_; }
  [[nodiscard]] const http_origin& origin() const { return origin_; }

  // Connects first when it is new. `self` keeps the connection alive; request and options outlive the call.
  static task<http_client_result> exchange(std::shared_ptr<http_client> self, const http_request& request,
                                           exchange_options& options);

  // Ends a running exchange, or the next one, with http_errc::cancelled.
  static void cancel(const std::shared_ptr<http_client>& self);
  // Destroys it where its timers run.
  static void dispose(std::shared_ptr<http_client> self);

  // While no exchange runs: the peer has neither closed nor sent anything.
  [[nodiscard]] bool quiet() const { return stream_.quiet(); }

 private:
  struct progress;
  task<std::expected<void, stream_failure>> write(progress&, byte_view head, byte_view body, duration stall_max);
  task<http_client_result> run(const http_request&, exchange_options&);
  task<std::expected<void, stream_failure>> read_head(progress&, const http_request&, duration answer_max);
  task<std::expected<void, stream_failure>> read_known(progress&, buffer& body, std::size_t length, duration stall_max);
  task<std::expected<buffer, stream_failure>> read_growing(progress&, std::size_t bytes_max, duration stall_max);

  executor where_;
  http_origin origin_;
  http_stream stream_;
  bool connected_ = false;
};

}  // namespace engine
