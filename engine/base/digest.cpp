#include "engine/base/digest.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cassert>

namespace engine {
namespace {

template <std::size_t N>
std::array<char, N> hash(const EVP_MD* kind, byte_view bytes) {
  std::array<char, N> out;
  unsigned size = 0;
  const int ok =
      EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(out.data()), &size, kind, nullptr);
  assert(ok == 1 && size == N);
  static_cast<void>(ok);
  return out;
}

template <std::size_t N>
std::array<char, N> hmac(const EVP_MD* kind, byte_view key, byte_view message) {
  std::array<char, N> out;
  unsigned size = 0;
  const char* key_bytes = key.empty() ? "" : key.data();  // a null key means "as before" to OpenSSL
  const auto* done =
      HMAC(kind, key_bytes, static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(message.data()),
           message.size(), reinterpret_cast<unsigned char*>(out.data()), &size);
  assert(done != nullptr && size == N);
  static_cast<void>(done);
  return out;
}

std::string hex(byte_view bytes, const char* digits) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

}  // namespace

sha256_digest sha256(byte_view bytes) { return hash<32>(EVP_sha256(), bytes); }
md5_digest md5(byte_view bytes) { return hash<16>(EVP_md5(), bytes); }
sha1_digest hmac_sha1(byte_view key, byte_view message) { return hmac<20>(EVP_sha1(), key, message); }
sha256_digest hmac_sha256(byte_view key, byte_view message) { return hmac<32>(EVP_sha256(), key, message); }

std::string to_hex(byte_view bytes) { return hex(bytes, "0123456789abcdef"); }
std::string to_hex_upper(byte_view bytes) { return hex(bytes, "0123456789ABCDEF"); }

std::string to_base64(byte_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4, '\0');
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(bytes.data()),
                  static_cast<int>(bytes.size()));
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.ends_with('=')) {
    if (text.size() % 4 != 0) return std::nullopt;
    text.remove_suffix(text.ends_with("==") ? 2 : 1);
  }
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    std::uint32_t value = 0;
    if (c >= 'A' && c <= 'Z')
      value = static_cast<std::uint32_t>(c - 'A');
    else if (c >= 'a' && c <= 'z')
      value = static_cast<std::uint32_t>(c - 'a' + 26);
    else if (c >= '0' && c <= '9')
      value = static_cast<std::uint32_t>(c - '0' + 52);
    else if (c == '+')
      value = 62;
    else if (c == '/')
      value = 63;
    else
      return std::nullopt;
    bits = bits << 6 | value;
    held += 6;
    if (held >= 8) {
      held -= 8;
      out += static_cast<char>(bits >> held & 0xff);
    }
  }
  return out;
}

}  // namespace engine
