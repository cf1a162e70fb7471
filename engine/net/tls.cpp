#include "engine/net/tls.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/context.hpp>
#include <system_error>

#include "engine/net/joined.hpp"

namespace engine {
namespace {

// AES-128-GCM first: the fastest with AES instructions, and no service we talk to asks for more.
constexpr auto tls12_ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr auto tls13_ciphers = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

// A session with its certificates is some 5 KB, and resumption only matters for origins in use.
constexpr std::size_t sessions_max = 256;

int slot_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

int keep_session(SSL* ssl, SSL_SESSION* session) {
  auto* slot = static_cast<tls_session_slot*>(SSL_get_ex_data(ssl, slot_index()));
  if (slot == nullptr) return 0;
  slot->store(session);
  return 1;  // the reference is ours now
}

std::string library_error() {
  char text[256] = "unknown error";
  const auto code = ERR_peek_last_error();
  if (code != 0) ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  return text;
}

}  // namespace

tls_session_slot::~tls_session_slot() { SSL_SESSION_free(session_); }

void tls_session_slot::store(ssl_session_st* owned) {
  const std::lock_guard lock(mutex_);
  SSL_SESSION_free(session_);
  session_ = owned;
}

void tls_session_slot::offer_to(ssl_st* ssl) {
  const std::lock_guard lock(mutex_);
  if (session_ != nullptr && SSL_SESSION_is_resumable(session_) == 1) SSL_set_session(ssl, session_);
}

tls_trust::tls_trust() : context_(std::make_unique<boost::asio::ssl::context>(boost::asio::ssl::context::tls_client)) {}
tls_trust::~tls_trust() = default;

std::expected<std::shared_ptr<tls_trust>, std::string> tls_trust::load(const std::string& ca_file) {
  const std::shared_ptr<tls_trust> trust(new tls_trust);  // the constructor is private, so no make_shared
  SSL_CTX* native = trust->context_->native_handle();
  ERR_clear_error();
  SSL_CTX_set_verify(native, SSL_VERIFY_PEER, nullptr);
  const bool settings_taken = SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION) == 1 &&
                              SSL_CTX_set_cipher_list(native, tls12_ciphers) == 1 &&
                              SSL_CTX_set_ciphersuites(native, tls13_ciphers) == 1;
  if (!settings_taken) return std::unexpected(joined("TLS cannot be set up: ", library_error()));
  if (ca_file.empty()) {
    if (SSL_CTX_set_default_verify_paths(native) != 1) {
      return std::unexpected(joined("cannot read the system's CA certificates: ", library_error()));
    }
  } else if (SSL_CTX_load_verify_file(native, ca_file.c_str()) != 1) {
    return std::unexpected(joined("cannot read CA certificates from ", ca_file, ": ", library_error()));
  }
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(native, keep_session);
  return trust;
}

std::shared_ptr<tls_session_slot> tls_trust::slot_of(const http_origin& origin) {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(origin);
  if (found != sessions_.end()) return found->second;
  // Which one goes does not matter: it costs one full handshake later.
  if (sessions_.size() >= sessions_max) sessions_.erase(sessions_.begin());
  return sessions_[origin] = std::make_shared<tls_session_slot>();
}

std::expected<std::shared_ptr<tls_session_slot>, std::string> tls_trust::prepare(ssl_st* ssl,
                                                                                 const http_origin& origin) {
  const std::string name(without_brackets(origin.verify_name));
  // OpenSSL takes an empty name as "do not check".
  if (name.empty()) return std::unexpected("no name was given that the certificate must be valid for");
  X509_VERIFY_PARAM* expected = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  bool taken = false;
  if (is_ip_literal(name)) {
    taken = X509_VERIFY_PARAM_set1_ip_asc(expected, name.c_str()) == 1;
  } else {
    taken =
        X509_VERIFY_PARAM_set1_host(expected, name.data(), name.size()) == 1 &&
        SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(name.c_str())) == 1;
  }
  if (!taken) return std::unexpected(joined("'", name, "' is not a name a certificate can be checked against"));
  auto slot = slot_of(origin);
  if (SSL_set_ex_data(ssl, slot_index(), slot.get()) != 1) return std::unexpected(library_error());
  slot->offer_to(ssl);
  return slot;
}

std::expected<std::shared_ptr<tls_trust>, std::string> tls_trusts::for_file(const std::string& ca_file) {
  std::filesystem::file_time_type written{};
  if (!ca_file.empty()) {
    std::error_code failed;
    written = std::filesystem::last_write_time(ca_file, failed);
    if (failed) {
      return std::unexpected(joined("cannot read CA certificates from ", ca_file, ": ", failed.message()));
    }
  }
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(ca_file);
  if (found != entries_.end() && found->second.written == written) return found->second.trust;
  auto loaded = tls_trust::load(ca_file);
  if (!loaded) return loaded;
  entries_[ca_file] = entry{.trust = *loaded, .written = written};
  return loaded;
}

std::string tls_failure_text(const ssl_st* ssl, std::string_view verify_name, std::string_view library_text) {
  const long verdict = SSL_get_verify_result(ssl);
  switch (verdict) {
    case X509_V_OK:
      return joined("TLS handshake failed: ", library_text);
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return joined("the certificate is not valid for ", verify_name);
    default:
      return joined("the certificate is not trusted: ", X509_verify_cert_error_string(verdict));
  }
}

void end_quietly(ssl_st* ssl) {
  SSL_set_quiet_shutdown(ssl, 1);
  SSL_shutdown(ssl);
  ERR_clear_error();
}

std::string_view without_brackets(std::string_view host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') return host.substr(1, host.size() - 2);
  return host;
}

bool is_ip_literal(std::string_view host) {
  boost::system::error_code failed;
  boost::asio::ip::make_address(without_brackets(host), failed);
  return !failed;
}

}  // namespace engine
