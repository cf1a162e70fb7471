// Hashes, HMAC and text encodings over bytes (OpenSSL). Pure; never fail on data.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/bytes.hpp"

namespace engine {

using sha256_digest = std::array<char, 32>;
using sha1_digest = std::array<char, 20>;
using md5_digest = std::array<char, 16>;

sha256_digest sha256(byte_view);
md5_digest md5(byte_view);
sha1_digest hmac_sha1(byte_view key, byte_view message);
sha256_digest hmac_sha256(byte_view key, byte_view message);

std::string to_hex(byte_view);  // lower case
std::string to_hex_upper(byte_view);
std::string to_base64(byte_view);  // with padding
// Standard alphabet, with or without padding; nullopt on anything else.
std::optional<std::string> from_base64(std::string_view);

template <std::size_t N>
byte_view view_of(const std::array<char, N>& digest) {
  return {digest.data(), digest.size()};
}

}  // namespace engine
