// The accounts of the test cloud and every access key it knows, permanent and temporary.
//
// Accounts follow from the seed alone: equal seed and counts give equal ids, keys and names. They never change, so
// references to them stay valid as long as the book.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace emulator {

struct account {
  std::string id;  // 16 digits, as Alibaba Cloud account ids are
  std::string access_key_id;
  std::string access_key_secret;
  std::string region;
  std::string project;
  std::vector<std::string> logstores;
};

struct known_key {
  std::string access_key_secret;
  std::string security_token;  // empty for permanent keys
  std::string account;         // id of the account whose logstores it may read
  std::optional<std::chrono::system_clock::time_point> expires;
};

class account_book {
 public:
  account_book(std::uint64_t seed, std::size_t accounts, std::size_t logstores_each);
  ~account_book();
  account_book(const account_book&) = delete;
  account_book& operator=(const account_book&) = delete;

  [[nodiscard]] const std::vector<account>& accounts() const { return accounts_; }
  // Null when there is none.
  [[nodiscard]] const account* find_account(std::string_view id) const;
  [[nodiscard]] const account* find_project(std::string_view project) const;

  // Thread-safe, both. An expired key is still found: the service tells "expired" from "unknown".
  [[nodiscard]] std::optional<known_key> find_key(std::string_view access_key_id) const;
  void add_temporary_key(std::string access_key_id, known_key key);

 private:
  struct keys;
  std::vector<account> accounts_;
  std::unique_ptr<keys> keys_;
};

}  // namespace emulator
