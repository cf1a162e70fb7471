// An HTTP/1.1 server, plain or TLS, for one handler function. The only Beast in the emulator stands in its .cpp.
//
// Keep-alive, absolute-form targets, Expect: 100-continue, chunked request bodies. Answers leave as they are given: the
// head and the shared body in one gathered write.
// Threads: the handler is called on one of `threads` threads, several at a time; long requests (runs_apart) on a thread
// of their own, so that they hold nobody up; accepting has its own thread too. Errors: construction throws
// boost::system::system_error (address in use) or std::runtime_error (TLS files).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "http_message.hpp"

namespace emulator {

struct http_server_options {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: the system chooses
  std::size_t threads = 2;
  std::string certificate_file;  // PEM; empty: plain HTTP
  std::string key_file;
  std::uint32_t header_bytes_max = 32U << 10U;
  std::uint64_t body_bytes_max = 64U << 20U;
  std::chrono::seconds idle_max{60};  // also the longest pause inside a request
};

struct http_handlers {
  std::function<response(const request&)> handle;
  // With the headers only: true closes the connection with the body unread.
  std::function<bool(const request&)> resets_before = [](const request&) { return false; };
  std::function<bool(const request&)> runs_apart = [](const request&) { return false; };
};

class http_server {
 public:
  // Listening and serving when the constructor returns.
  http_server(const http_server_options&, http_handlers);
  // Closes every connection and joins the threads.
  ~http_server();
  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;

  [[nodiscard]] std::uint16_t port() const;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace emulator
