// Hashes and MACs of the emulated services, over OpenSSL; raw bytes in, raw bytes out.
#pragma once

#include <string>
#include <string_view>

namespace emulator {

std::string md5(std::string_view bytes);
std::string sha256(std::string_view bytes);
std::string hmac_sha1(std::string_view key, std::string_view bytes);
std::string hmac_sha256(std::string_view key, std::string_view bytes);
std::string hex_lower(std::string_view bytes);
std::string hex_upper(std::string_view bytes);

}  // namespace emulator
