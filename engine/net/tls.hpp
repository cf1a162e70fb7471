// TLS of the client side: trust, verification, resumption. Verification has no switch to turn it off.
//
// Thread-safe. Nothing here waits; the first use of a CA file reads it.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "engine/flow/http_message.hpp"

struct ssl_st;          // OpenSSL's SSL
struct ssl_session_st;  // OpenSSL's SSL_SESSION
namespace boost::asio::ssl {
class context;
}

namespace engine {

// The last session of one origin. Shared by the cache and by the open connections that may still store a newer one.
class tls_session_slot {
 public:
  tls_session_slot() = default;
  ~tls_session_slot();
  tls_session_slot(const tls_session_slot&) = delete;
  tls_session_slot& operator=(const tls_session_slot&) = delete;

  void store(ssl_session_st* owned);
  void offer_to(ssl_st*);  // the next handshake tries to resume it

 private:
  std::mutex mutex_;
  ssl_session_st* session_ = nullptr;
};

// One set of trusted roots: those of the system, or those of one PEM file and no others.
class tls_trust {
 public:
  // The error names the file and says what is wrong with it.
  static std::expected<std::shared_ptr<tls_trust>, std::string> load(const std::string& ca_file);
  ~tls_trust();
  tls_trust(const tls_trust&) = delete;
  tls_trust& operator=(const tls_trust&) = delete;

  [[nodiscard]] boost::asio::ssl::context& context() { return *context_; }

  // Before the handshake: whom the certificate must name, SNI, a session to resume. The slot that is returned must
  // outlive the SSL object. The error is for people.
  std::expected<std::shared_ptr<tls_session_slot>, std::string> prepare(ssl_st*, const http_origin&);

 private:
  tls_trust();
  std::shared_ptr<tls_session_slot> slot_of(const http_origin&);

  std::unique_ptr<boost::asio::ssl::context> context_;
  std::mutex mutex_;
  std::map<http_origin, std::shared_ptr<tls_session_slot>> sessions_;
};

// The trusts in use, one per CA file; a file that has changed on disk is read again.
class tls_trusts {
 public:
  std::expected<std::shared_ptr<tls_trust>, std::string> for_file(const std::string& ca_file);

 private:
  struct entry {
    std::shared_ptr<tls_trust> trust;  // shared with open connections: a replaced one lives as long as they do
    std::filesystem::file_time_type written;
  };
  std::mutex mutex_;
  std::map<std::string, entry> entries_;
};

// What went wrong in a handshake, for people: the certificate's fault if it has one, else `library_text`.
std::string tls_failure_text(const ssl_st*, std::string_view verify_name, std::string_view library_text);

// Ends the TLS layer without a word on the wire. OpenSSL forgets sessions of connections that end without this.
void end_quietly(ssl_st*);

// "[::1]" -> "::1"; other names are returned as they are.
std::string_view without_brackets(std::string_view host);
bool is_ip_literal(std::string_view host);

}  // namespace engine
