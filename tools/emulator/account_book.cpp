#include "account_book.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <shared_mutex>

#include "seeded_random.hpp"

namespace emulator {

struct account_book::keys {
  std::shared_mutex mutex;
  std::map<std::string, known_key, std::less<>> by_id;
};

namespace {

std::string letters(seeded_random& random, std::size_t length) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::string text;
  for (std::size_t i = 0; i < length; ++i) text += alphabet[random.below(alphabet.size())];
  return text;
}

std::string padded(std::size_t number, std::size_t width) {
  std::string digits = std::to_string(number);
  return std::string(width - std::min(width, digits.size()), '0') + digits;
}

}  // namespace

account_book::account_book(std::uint64_t seed, std::size_t accounts, std::size_t logstores_each)
    : keys_(std::make_unique<keys>()) {
  constexpr std::array<std::string_view, 6> regions = {"cn-hangzhou",    "cn-shanghai",  "cn-beijing",
                                                       "ap-southeast-1", "eu-central-1", "us-west-1"};
  seeded_random random(seed_for(seed, "accounts"));
  accounts_.reserve(accounts);
  for (std::size_t i = 0; i < accounts; ++i) {
    account one;
    // The number's low part keeps ids apart whatever the random part says.
    one.id = "1" + padded(random.below(10'000'000), 7) + padded(i + 1, 8);
    one.access_key_id = "LTAI5t" + letters(random, 18);
    one.access_key_secret = letters(random, 30);
    one.region = regions[i % regions.size()];
    one.project = "audit-" + padded(i + 1, 5);
    for (std::size_t l = 0; l < logstores_each; ++l) one.logstores.push_back("actiontrail_trail-" + padded(l + 1, 3));
    keys_->by_id.emplace(one.access_key_id, known_key{one.access_key_secret, "", one.id, std::nullopt});
    accounts_.push_back(std::move(one));
  }
}

account_book::~account_book() = default;

const account* account_book::find_account(std::string_view id) const {
  const auto found = std::ranges::find(accounts_, id, &account::id);
  return found == accounts_.end() ? nullptr : &*found;
}

const account* account_book::find_project(std::string_view project) const {
  // Names are audit-00001 ... in order, so this stays cheap with many accounts; anything else is not one of ours.
  const auto found =
      std::ranges::lower_bound(accounts_, project, {}, [](const account& a) -> std::string_view { return a.project; });
  return found == accounts_.end() || found->project != project ? nullptr : &*found;
}

std::optional<known_key> account_book::find_key(std::string_view access_key_id) const {
  const std::shared_lock lock(keys_->mutex);
  const auto found = keys_->by_id.find(access_key_id);
  if (found == keys_->by_id.end()) return std::nullopt;
  return found->second;
}

void account_book::add_temporary_key(std::string access_key_id, known_key key) {
  const std::unique_lock lock(keys_->mutex);
  keys_->by_id.insert_or_assign(std::move(access_key_id), std::move(key));
}

}  // namespace emulator
