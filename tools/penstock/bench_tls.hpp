// What TLS costs this machine for each byte: one connection over loopback to a thread of this process, with a
// certificate made on the spot. Counted is the CPU time of the client's side, system calls included.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tools/penstock/bench_measure.hpp"

namespace penstock {

// One open connection; used by the thread that measures.
class tls_loopback {
 public:
  // The error is a sentence for people: a machine may forbid sockets.
  static std::expected<std::unique_ptr<tls_loopback>, std::string> open();
  ~tls_loopback();
  tls_loopback(const tls_loopback&) = delete;
  tls_loopback& operator=(const tls_loopback&) = delete;

  // tls/send and tls/receive; units are bytes, a pass is a few messages of about 1 MB or 0.6 MB, as bodies and replies
  // are. They throw when the connection breaks or other bytes come.
  [[nodiscard]] std::vector<bench_task> tasks();
  [[nodiscard]] std::string protocol() const;  // "TLSv1.3 TLS_AES_128_GCM_SHA256"

 private:
  struct parts;
  explicit tls_loopback(std::unique_ptr<parts>);
  std::unique_ptr<parts> parts_;
};

// The instructions for AES that OpenSSL will use, by its own words: "OPENSSL_ia32cap=0x...:0x...". Empty: none.
std::string aes_instructions(std::string_view openssl_cpu_settings);
std::string aes_instructions_here();

}  // namespace penstock
