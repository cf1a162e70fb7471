// Who asks: an access key, fixed or temporary, as it is at the moment of one attempt.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <utility>

#include "engine/base/fault.hpp"
#include "engine/base/secret.hpp"
#include "engine/flow/task.hpp"

namespace stages::sls {

struct access_key {
  std::string id;
  engine::secret key;
  engine::secret token;          // empty for keys that are not temporary
  std::uint64_t generation = 0;  // grows with every new key of the same source
};

struct credentials_failure {
  engine::fault kind{};
  std::string message;  // for people; no secrets
};

// Asked before every attempt, so that a renewed key is used by the next request already. Thread-safe.
class credentials {
 public:
  virtual ~credentials() = default;
  virtual engine::task<std::expected<access_key, credentials_failure>> current() = 0;
  // The service answered 401 to the key of this generation. Renews only when that generation is still the current one:
  // of many requests refused together the first renews and the others find the new key.
  virtual void reject(std::uint64_t generation) = 0;
};

// A key from the configuration. It never changes: a reload makes new credentials.
class fixed_credentials final : public credentials {
 public:
  explicit fixed_credentials(access_key key) : key_(std::move(key)) {}
  engine::task<std::expected<access_key, credentials_failure>> current() override { co_return key_; }
  void reject(std::uint64_t) override {}

 private:
  const access_key key_;
};

}  // namespace stages::sls
