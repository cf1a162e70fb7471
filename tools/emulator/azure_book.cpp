#include "azure_book.hpp"

#include <string_view>

#include "seeded_random.hpp"

namespace emulator {

namespace {

std::string hex_digits(seeded_random& random, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += "0123456789abcdef"[random.below(16)];
  return text;
}

std::string uuid(seeded_random& random) {
  const auto part = [&](std::size_t count) { return hex_digits(random, count); };
  std::string text = part(8);
  text += "-" + part(4);
  text += "-4" + part(3);
  text += "-a" + part(3);
  return text += "-" + part(12);
}

}  // namespace

azure_book make_azure_book(std::uint64_t seed, std::size_t rules) {
  seeded_random random(seed_for(seed, "azure"));
  azure_book book;
  book.tenant = uuid(random);
  book.client_id = uuid(random);
  book.client_secret = "e~" + hex_digits(random, 38);
  for (std::size_t i = 0; i < rules; ++i) {
    book.rules.push_back({"dcr-" + hex_digits(random, 32), "Custom-AliCloudActionTrailLogs"});
  }
  return book;
}

}  // namespace emulator
