#include "engine/base/secret.hpp"

#include <openssl/crypto.h>

namespace engine {

secret::secret(std::string value) : value_(std::move(value)) {
  value.resize(value.capacity());  // a short value was copied, not moved
  OPENSSL_cleanse(value.data(), value.size());
}
secret::~secret() { wipe(); }
secret::secret(const secret&) = default;
secret& secret::operator=(const secret& other) {
  if (this != &other) {
    wipe();
    value_ = other.value_;
  }
  return *this;
}
// A moved-from std::string may keep a short value in place, so moves copy and wipe.
secret::secret(secret&& other) noexcept : value_(std::move(other.value_)) { other.wipe(); }
secret& secret::operator=(secret&& other) noexcept {
  if (this != &other) {
    wipe();
    value_ = std::move(other.value_);
    other.wipe();
  }
  return *this;
}

bool operator==(const secret& a, const secret& b) {
  return a.value_.size() == b.value_.size() && CRYPTO_memcmp(a.value_.data(), b.value_.data(), a.value_.size()) == 0;
}

void secret::wipe() noexcept {
  value_.resize(value_.capacity());
  OPENSSL_cleanse(value_.data(), value_.size());
  value_.clear();
}

}  // namespace engine
