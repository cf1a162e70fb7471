// A server on 127.0.0.1 that does what a test's script says, byte by byte, plain or TLS, each connection on a thread of
// its own. Blocking sockets and OpenSSL only: it shares nothing with the client under test. Every wait in it ends by
// itself.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/test_certificates.hpp"

namespace tests {

struct tls_settings {
  identity self;
  int version_max = TLS1_3_VERSION;
  bool old_versions_only = false;  // up to TLS 1.1
};

// One accepted connection, as a script sees it.
class peer {
 public:
  static constexpr int patience_ms = 10'000;

  peer(int handle, int number, SSL_CTX* context) : handle_(handle), number_(number) {
    if (context == nullptr) return;
    ssl_ = SSL_new(context);
    SSL_set_fd(ssl_, handle_);
  }
  ~peer() {
    close();
    SSL_free(ssl_);
  }
  peer(const peer&) = delete;
  peer& operator=(const peer&) = delete;

  [[nodiscard]] int number() const { return number_; }  // 1 for the server's first connection
  bool handshake() {
    const bool done = ssl_ == nullptr || SSL_accept(ssl_) == 1;
    ERR_clear_error();
    return done;
  }
  [[nodiscard]] bool resumed() const { return ssl_ != nullptr && SSL_session_reused(ssl_) == 1; }
  [[nodiscard]] std::string server_name() const {
    const char* name = ssl_ == nullptr ? nullptr : SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name);
    return name == nullptr ? "" : name;
  }

  // The whole request, body included; nullopt when the client has gone.
  std::optional<std::string> read_request() {
    for (;;) {
      const auto head_end = read_.find("\r\n\r\n");
      if (head_end != std::string::npos) {
        const std::size_t whole = head_end + 4 + length_in(read_.substr(0, head_end));
        if (read_.size() >= whole) {
          std::string request = read_.substr(0, whole);
          read_.erase(0, whole);
          return request;
        }
      }
      if (!read_more()) return std::nullopt;
    }
  }
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ssl_ != nullptr
                            ? static_cast<ssize_t>(SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())))
                            : ::send(handle_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      ERR_clear_error();
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // Bytes that belong to no TLS record.
  void send_outside_tls(std::string_view bytes) { ::send(handle_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  // Holds the connection open, reading nothing it keeps, until the client closes it.
  void wait_for_close() {
    while (read_more()) read_.clear();
  }
  // True when the client has closed within that time.
  [[nodiscard]] bool closed_within(std::chrono::milliseconds time) const {
    pollfd one{.fd = handle_, .events = POLLIN, .revents = 0};
    char byte = 0;
    return ::poll(&one, 1, static_cast<int>(time.count())) > 0 &&
           ::recv(handle_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
  }
  void end_tls() {
    if (ssl_ != nullptr) SSL_shutdown(ssl_);
    ERR_clear_error();
  }
  void close() {
    const std::lock_guard lock(mutex_);
    const int handle = std::exchange(handle_, -1);
    if (handle >= 0) ::close(handle);
  }
  // From another thread: whatever the script waits for ends.
  void interrupt() {
    const std::lock_guard lock(mutex_);
    if (handle_ >= 0) ::shutdown(handle_, SHUT_RDWR);
  }
  void reset() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(handle_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
  }

 private:
  static std::size_t length_in(const std::string& head) {
    const auto at = head.find("Content-Length: ");
    return at == std::string::npos ? 0 : std::stoul(head.substr(at + 16));
  }
  bool read_more() {
    char bytes[16 * 1024];
    const auto got = ssl_ != nullptr ? static_cast<ssize_t>(SSL_read(ssl_, bytes, sizeof bytes))
                                     : ::recv(handle_, bytes, sizeof bytes, 0);
    ERR_clear_error();
    if (got <= 0) return false;
    read_.append(bytes, static_cast<std::size_t>(got));
    return true;
  }

  std::mutex mutex_;
  int handle_;  // written under the mutex, by the script's thread only
  int number_;
  SSL* ssl_ = nullptr;
  std::string read_;
};

class loopback_server {
 public:
  using script = std::function<void(peer&)>;

  explicit loopback_server(script what, std::optional<tls_settings> tls = std::nullopt)
      : script_(std::move(what)), tls_(std::move(tls)) {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to sockets that may be closed
    if (tls_) make_context();
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const raw = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, raw, size) != 0 || ::listen(listener_, 512) != 0) throw std::runtime_error("cannot listen");
    ::getsockname(listener_, raw, &size);
    port_ = ntohs(address.sin_port);
    accepting_ = std::thread([this] { accept(); });
  }
  ~loopback_server() {
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    accepting_.join();
    for (const auto& client : clients_) client->interrupt();
    for (auto& one : serving_) one.join();
    clients_.clear();
    ::close(listener_);
    SSL_CTX_free(context_);
  }
  loopback_server(const loopback_server&) = delete;
  loopback_server& operator=(const loopback_server&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] int connections() const { return connections_; }

 private:
  void make_context() {
    context_ = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(context_, tls_->self.certificate.get());
    SSL_CTX_use_PrivateKey(context_, tls_->self.key.get());
    SSL_CTX_set_max_proto_version(context_, tls_->version_max);
    if (!tls_->old_versions_only) return;
    SSL_CTX_set_min_proto_version(context_, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_, TLS1_1_VERSION);
    SSL_CTX_set_security_level(context_, 0);
  }
  void accept() {
    while (!stopping_) {
      const int handle = ::accept(listener_, nullptr, nullptr);
      if (handle < 0) continue;
      const timeval patience{.tv_sec = peer::patience_ms / 1000, .tv_usec = 0};
      ::setsockopt(handle, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
      ::setsockopt(handle, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
      const int number = ++connections_;
      auto client = std::make_shared<peer>(handle, number, context_);
      clients_.push_back(client);
      serving_.emplace_back([this, client] {
        if (client->handshake()) script_(*client);
        client->close();
      });
    }
  }

  script script_;
  std::optional<tls_settings> tls_;
  SSL_CTX* context_ = nullptr;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> connections_ = 0;
  std::vector<std::shared_ptr<peer>> clients_;  // shared with the thread that serves each
  std::vector<std::thread> serving_;
  std::thread accepting_;
};

}  // namespace tests
