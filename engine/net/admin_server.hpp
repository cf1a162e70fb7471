// A small HTTP/1.1 server for metrics, liveness and status, on a thread of its own: slow readers and big status pages
// never cost the data path anything but their CPU time.
//
// GET and HEAD only. Bodies of requests are not read: such a connection is closed after the answer.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace engine {

struct admin_answer {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

// Called on the server's thread, one call at a time. An exception becomes a 500 without its text.
using admin_handler = std::function<admin_answer(std::string_view method, std::string_view target)>;

class admin_server {
 public:
  // `address` is IP:PORT, [IP6]:PORT or localhost:PORT; port 0 picks a free one. The error is for people.
  static std::expected<std::unique_ptr<admin_server>, std::string> start(const std::string& address, admin_handler);
  ~admin_server();  // ends all connections and the thread
  admin_server(const admin_server&) = delete;
  admin_server& operator=(const admin_server&) = delete;

  [[nodiscard]] std::uint16_t port() const;

 private:
  struct state;
  explicit admin_server(std::unique_ptr<state>);
  std::unique_ptr<state> state_;
};

}  // namespace engine
