#include "token_book.hpp"

#include <openssl/rand.h>

#include <array>

#include "../digests.hpp"

namespace emulator {

namespace {

constexpr std::size_t token_chars = 1200;
// Expired tokens are remembered (their state is `expired`, not `unknown`) until there are this many.
constexpr std::size_t tokens_max = 20'000;

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count));
  return bytes;
}

}  // namespace

std::string random_guid() {
  std::string hex = hex_lower(random_bytes(16));
  for (const std::size_t at : {8U, 13U, 18U, 23U}) hex.insert(at, 1, '-');
  return hex;
}

void token_book::forget_old() {
  if (tokens_.size() < tokens_max) return;
  const auto now = now_();
  std::erase_if(tokens_, [&](const auto& one) { return one.second.expires <= now; });
}

access_token token_book::issue(std::string audience, bool answered_challenge) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text = random_bytes(token_chars);
  for (char& c : text) c = alphabet[static_cast<unsigned char>(c) % alphabet.size()];
  const std::lock_guard lock(mutex_);
  forget_old();
  tokens_.emplace(text, entry{std::move(audience), now_() + lifetime_, answered_challenge});
  return {std::move(text), lifetime_};
}

token_state token_book::check(std::string_view token, std::string_view audience) const {
  const std::lock_guard lock(mutex_);
  const auto found = tokens_.find(token);
  if (found == tokens_.end()) return token_state::unknown;
  if (found->second.audience != audience) return token_state::other_audience;
  return found->second.expires <= now_() ? token_state::expired : token_state::good;
}

bool token_book::answered_challenge(std::string_view token) const {
  const std::lock_guard lock(mutex_);
  const auto found = tokens_.find(token);
  return found != tokens_.end() && found->second.answered_challenge;
}

}  // namespace emulator
