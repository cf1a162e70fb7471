// Checks the signature of a request: V1 with HMAC-SHA1 or HMAC-SHA256, and V4. Pure: keys and time are arguments.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "../account_book.hpp"
#include "../http_message.hpp"
#include "sls_error.hpp"

namespace emulator::sls {

using key_finder = std::function<std::optional<known_key>(std::string_view access_key_id)>;

struct signer {
  std::string account;  // id
  std::string region;   // of a V4 scope; empty for V1
};

// Host and API version: what every request must carry, signed or not.
outcome<void> check_common_headers(const request&);
// Whom the request is made for. Checks in the service's order: what signing needs, the key, the clock (15 minutes
// either way), the signature, the token's life.
outcome<signer> check_signature(const request&, const key_finder&, std::chrono::system_clock::time_point now);

// "Mon, 03 Jan 2010 08:33:47 GMT" and "20100103T083347Z"; nothing when it is not of that form.
std::optional<std::chrono::system_clock::time_point> http_date(std::string_view text);
std::optional<std::chrono::system_clock::time_point> basic_date(std::string_view text);
std::string http_date_text(std::chrono::system_clock::time_point);

}  // namespace emulator::sls
