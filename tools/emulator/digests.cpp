#include "digests.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <stdexcept>

namespace emulator {

namespace {

const unsigned char* bytes_of(std::string_view text) {
  return static_cast<const unsigned char*>(static_cast<const void*>(text.data()));
}

// Looking a digest up by name costs more than hashing a short text, so it is done once.
const EVP_MD* fetched(const char* name) {
  EVP_MD* found = EVP_MD_fetch(nullptr, name, nullptr);
  if (found == nullptr) throw std::runtime_error(std::string("OpenSSL has no ") + name);
  return found;
}

std::string digest(const EVP_MD* kind, std::string_view bytes) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), out, &size, kind, nullptr) != 1) throw std::runtime_error("EVP_Digest");
  return {static_cast<const char*>(static_cast<const void*>(out)), size};
}

std::string mac(const EVP_MD* kind, std::string_view key, std::string_view bytes) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (HMAC(kind, key.data(), static_cast<int>(key.size()), bytes_of(bytes), bytes.size(), out, &size) == nullptr) {
    throw std::runtime_error("HMAC");
  }
  return {static_cast<const char*>(static_cast<const void*>(out)), size};
}

std::string hex(std::string_view bytes, std::string_view digits) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += digits[byte >> 4U];
    text += digits[byte & 15U];
  }
  return text;
}

}  // namespace

std::string md5(std::string_view bytes) {
  static const EVP_MD* const kind = fetched("MD5");
  return digest(kind, bytes);
}

std::string sha256(std::string_view bytes) {
  static const EVP_MD* const kind = fetched("SHA256");
  return digest(kind, bytes);
}

std::string hmac_sha1(std::string_view key, std::string_view bytes) {
  static const EVP_MD* const kind = fetched("SHA1");
  return mac(kind, key, bytes);
}

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  static const EVP_MD* const kind = fetched("SHA256");
  return mac(kind, key, bytes);
}

std::string hex_lower(std::string_view bytes) { return hex(bytes, "0123456789abcdef"); }
std::string hex_upper(std::string_view bytes) { return hex(bytes, "0123456789ABCDEF"); }

}  // namespace emulator
