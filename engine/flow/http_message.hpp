// HTTP requests and answers as values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/bytes.hpp"
#include "engine/base/units.hpp"

namespace engine {

using http_headers = std::vector<std::pair<std::string, std::string>>;

// Where a request goes. The pool keeps connections per value of this.
struct http_origin {
  bool tls = true;
  std::string host;  // name or IP literal to connect to
  std::uint16_t port = 443;
  std::string
      verify_name;      // certificate must be valid for this (DNS SAN, or IP SAN for an IP literal); SNI unless an IP
  std::string ca_file;  // extra trust roots (PEM); empty: the system's
  friend auto operator<=>(const http_origin&, const http_origin&) = default;
};

struct http_request {
  http_origin origin;
  std::string method;
  std::string target;    // origin form, already encoded
  http_headers headers;  // complete, Host included; Content-Length is added by the exchange
  byte_view body;        // borrowed: the caller keeps the bytes until the exchange has returned
};

struct http_response_head {
  int status = 0;
  http_headers headers;                         // names in lower case
  std::optional<std::uint64_t> content_length;  // absent: chunked or until close

  // First value of the field; name in lower case; empty when absent.
  [[nodiscard]] std::string_view header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (key == name) return value;
    }
    return {};
  }
};

struct http_response {
  http_response_head head;
  buffer body;
};

enum class http_errc : std::uint8_t {
  resolve,            // the name has no address
  connect,            // refused, unreachable or timed out
  tls,                // handshake or certificate
  timeout,            // a phase took longer than its limit
  reset,              // closed or reset before the whole answer was read
  malformed,          // not HTTP, or a head over its limit
  too_large,          // the body is over the limit
  refused_by_caller,  // the on-headers step said no
  cancelled,          // the exchange was closed
};

struct http_failure {
  http_errc code;
  std::string message;        // for people; no secrets: never holds headers or bodies
  bool request_sent = false;  // the peer may have acted on the request
  // Set with refused_by_caller: what was announced.
  std::optional<http_response_head> head;
};

}  // namespace engine
