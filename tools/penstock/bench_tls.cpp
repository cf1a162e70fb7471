#include "tools/penstock/bench_tls.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdint>
#include <stdexcept>
#include <thread>
#include <tuple>
#include <utility>

namespace penstock {
namespace {

constexpr std::size_t sent_bytes = 1'000'000;    // a request body near its limit
constexpr std::size_t received_bytes = 600'000;  // a reply of about 2 MiB of plain bytes
constexpr unsigned messages_per_pass = 4;
constexpr int socket_wait_max_s = 10;
constexpr long certificate_valid_s = 3'600;
// As the service's own client prefers them (engine/net/tls.cpp).
constexpr const char* ciphers = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* what) const {
    Free(what);
  }
};
using key_ptr = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using certificate_ptr = std::unique_ptr<X509, freed_by<X509_free>>;
using context_ptr = std::unique_ptr<SSL_CTX, freed_by<SSL_CTX_free>>;
using ssl_ptr = std::unique_ptr<SSL, freed_by<SSL_free>>;

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error("TLS over loopback: " + what); }
void demand(bool holds, const char* what) {
  if (!holds) fail(what);
}

class socket_handle {
 public:
  explicit socket_handle(int fd = -1) : fd_(fd) {}
  socket_handle(socket_handle&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  socket_handle& operator=(socket_handle&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~socket_handle() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

// Nothing here may hang: a silent peer ends a read.
void set_options(int fd) {
  const timeval longest{.tv_sec = socket_wait_max_s, .tv_usec = 0};
  const int on = 1;
  demand(::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest) == 0 &&
             ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof longest) == 0 &&
             ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0,
         "setsockopt");
}

std::pair<socket_handle, socket_handle> connected_pair() {
  const socket_handle listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  socket_handle client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const raw = reinterpret_cast<sockaddr*>(&address);
  demand(listener.get() >= 0 && client.get() >= 0 && ::bind(listener.get(), raw, size) == 0 &&
             ::listen(listener.get(), 1) == 0 && ::getsockname(listener.get(), raw, &size) == 0,
         "no listener");
  // The kernel completes it by the backlog, before anybody accepts.
  demand(::connect(client.get(), raw, size) == 0, "no connection");
  socket_handle server(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  demand(server.get() >= 0, "accept");
  set_options(client.get());
  set_options(server.get());
  return {std::move(client), std::move(server)};
}

struct identity {
  key_ptr key{EVP_EC_gen("P-256")};
  certificate_ptr certificate{X509_new()};

  identity() {
    demand(key != nullptr && certificate != nullptr, "no key");
    X509* const x = certificate.get();
    const auto* const name = reinterpret_cast<const unsigned char*>("localhost");
    demand(X509_set_version(x, X509_VERSION_3) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(x), 1) == 1 &&
               X509_gmtime_adj(X509_getm_notBefore(x), -certificate_valid_s) != nullptr &&
               X509_gmtime_adj(X509_getm_notAfter(x), certificate_valid_s) != nullptr &&
               X509_set_pubkey(x, key.get()) == 1 &&
               X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, name, -1, -1, 0) == 1 &&
               X509_set_issuer_name(x, X509_get_subject_name(x)) == 1 && X509_sign(x, key.get(), EVP_sha256()) > 0,
           "no certificate");
  }
};

void write_all(SSL* ssl, const char* bytes, std::size_t size) {
  std::size_t written = 0;
  demand(SSL_write_ex(ssl, bytes, size, &written) == 1 && written == size, "the connection broke while sending");
}
void read_all(SSL* ssl, char* to, std::size_t size) {
  for (std::size_t done = 0; done < size;) {
    std::size_t got = 0;
    demand(SSL_read_ex(ssl, to + done, size - done, &got) == 1, "the connection broke while receiving");
    done += got;
  }
}

// What nothing can guess or compress: a reply that was cut or mixed up shows.
std::string noise(std::size_t size) {
  std::string out(size, '\0');
  std::uint64_t state = 0x9e3779b97f4a7c15;
  for (char& c : out) {
    state = state * 6'364'136'223'846'793'005 + 1'442'695'040'888'963'407;
    c = static_cast<char>(state >> 56);
  }
  return out;
}

// The server's side: 's' and a body, answered by one byte; 'r', answered by a reply.
void serve(SSL* ssl, const std::string& reply) {
  std::string body(sent_bytes, '\0');
  try {
    demand(SSL_accept(ssl) == 1, "no handshake");
    for (char command = 0;;) {
      read_all(ssl, &command, 1);
      if (command == 's') {
        read_all(ssl, body.data(), body.size());
        write_all(ssl, body == std::string_view(reply).substr(0, body.size()) ? "y" : "n", 1);
      } else {
        write_all(ssl, reply.data(), received_bytes);
      }
    }
  } catch (const std::exception&) {
    // The usual end: the client has left. Should it not have, it sees the end of the connection and says so.
    ::shutdown(SSL_get_fd(ssl), SHUT_RDWR);
  }
}

context_ptr context_of(const SSL_METHOD* method) {
  context_ptr out(SSL_CTX_new(method));
  demand(out != nullptr && SSL_CTX_set_ciphersuites(out.get(), ciphers) == 1, "no TLS");
  return out;
}

ssl_ptr ssl_over(const context_ptr& context, const socket_handle& socket) {
  ssl_ptr out(SSL_new(context.get()));
  demand(out != nullptr && SSL_set_fd(out.get(), socket.get()) == 1, "no TLS");
  return out;
}

}  // namespace

struct tls_loopback::parts {
  parts() {
    const identity self;
    demand(SSL_CTX_use_certificate(server_context.get(), self.certificate.get()) == 1 &&
               SSL_CTX_use_PrivateKey(server_context.get(), self.key.get()) == 1 &&
               X509_STORE_add_cert(SSL_CTX_get_cert_store(client_context.get()), self.certificate.get()) == 1,
           "no certificate");
    SSL_CTX_set_verify(client_context.get(), SSL_VERIFY_PEER, nullptr);
    std::tie(client_socket, server_socket) = connected_pair();
    server_ssl = ssl_over(server_context, server_socket);
    client_ssl = ssl_over(client_context, client_socket);
    server = std::thread([this] { serve(server_ssl.get(), bytes); });
    if (SSL_connect(client_ssl.get()) != 1) {
      stop();
      fail("no handshake");
    }
  }
  ~parts() {
    if (server.joinable()) stop();
  }
  void stop() {
    ::shutdown(client_socket.get(), SHUT_RDWR);
    server.join();
  }

  void send() {
    for (unsigned i = 0; i < messages_per_pass; ++i) {
      char answer = 0;
      write_all(client_ssl.get(), "s", 1);
      write_all(client_ssl.get(), bytes.data(), sent_bytes);
      read_all(client_ssl.get(), &answer, 1);
      demand(answer == 'y', "other bytes arrived");
    }
  }
  void receive() {
    for (unsigned i = 0; i < messages_per_pass; ++i) {
      write_all(client_ssl.get(), "r", 1);
      read_all(client_ssl.get(), room.data(), room.size());
    }
    demand(room == std::string_view(bytes).substr(0, room.size()), "other bytes arrived");
  }

  const std::string bytes = noise(sent_bytes);
  std::string room = std::string(received_bytes, '\0');
  context_ptr server_context = context_of(TLS_server_method());
  context_ptr client_context = context_of(TLS_client_method());
  socket_handle client_socket;
  socket_handle server_socket;
  ssl_ptr server_ssl;
  ssl_ptr client_ssl;
  std::thread server;
};

tls_loopback::tls_loopback(std::unique_ptr<parts> made) : parts_(std::move(made)) {}
tls_loopback::~tls_loopback() = default;

std::expected<std::unique_ptr<tls_loopback>, std::string> tls_loopback::open() {
  try {
    return std::unique_ptr<tls_loopback>(new tls_loopback(std::make_unique<parts>()));
  } catch (const std::runtime_error& failure) {
    return std::unexpected(failure.what());
  }
}

std::vector<bench_task> tls_loopback::tasks() {
  parts& p = *parts_;
  return {{"tls/send", messages_per_pass * sent_bytes, [&p] { p.send(); }},
          {"tls/receive", messages_per_pass * received_bytes, [&p] { p.receive(); }}};
}

std::string tls_loopback::protocol() const {
  SSL* const ssl = parts_->client_ssl.get();
  return std::string(SSL_get_version(ssl)) + ' ' + SSL_get_cipher_name(ssl);
}

}  // namespace penstock
