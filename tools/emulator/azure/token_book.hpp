// The bearer tokens handed out and what each is good for. Tokens are opaque random text of the length real ones have,
// so that request headers weigh the same. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace emulator {

using wall_clock = std::function<std::chrono::system_clock::time_point()>;

struct access_token {
  std::string text;
  std::chrono::seconds lifetime;
};

enum class token_state : std::uint8_t { good, unknown, expired, other_audience };

class token_book {
 public:
  token_book(std::chrono::seconds lifetime, wall_clock now) : lifetime_(lifetime), now_(std::move(now)) {}

  // audience without trailing slashes; answered_challenge: the request brought the claims of a challenge.
  access_token issue(std::string audience, bool answered_challenge);
  [[nodiscard]] token_state check(std::string_view token, std::string_view audience) const;
  [[nodiscard]] bool answered_challenge(std::string_view token) const;

 private:
  struct entry {
    std::string audience;
    std::chrono::system_clock::time_point expires;
    bool answered_challenge = false;
  };
  struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  void forget_old();  // under the lock

  const std::chrono::seconds lifetime_;
  const wall_clock now_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, entry, text_hash, std::equal_to<>> tokens_;
};

// 8-4-4-4-12 hex digits, random.
[[nodiscard]] std::string random_guid();

}  // namespace emulator
