#include "content_hash.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

namespace emulator {

namespace {

__extension__ using uint128 = unsigned __int128;

constexpr std::array<std::uint64_t, 4> key = {0x8f1bbcdc62c1d6a3U, 0x2545f4914f6cdd1dU, 0xd6e8feb86659fd93U,
                                              0xa0761d6478bd642fU};

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  const uint128 product = static_cast<uint128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

// Little-endian on every machine, so that a hash can be written down in a test.
std::uint64_t load(const char* from) {
  std::uint64_t value = 0;
  std::memcpy(&value, from, sizeof value);
  if constexpr (std::endian::native == std::endian::big) value = __builtin_bswap64(value);
  return value;
}

// Two lanes over the same words with unrelated constants: a collision has to happen in both.
struct lanes {
  std::uint64_t low = key[0];
  std::uint64_t high = key[2];

  void add(std::uint64_t first, std::uint64_t second) {
    low = mix(first ^ key[1], second ^ low);
    high = mix(second ^ key[3], std::rotl(first, 29) ^ high);
  }
};

}  // namespace

content_hash hash_content(std::string_view bytes) {
  lanes state;
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 16; left -= 16, at += 16) state.add(load(at), load(at + 8));
  std::array<char, 16> tail{};
  if (left > 0) std::memcpy(tail.data(), at, left);
  state.add(load(tail.data()), load(tail.data() + 8));
  state.add(bytes.size(), key[1]);
  return {mix(state.low, key[3]), mix(state.high, key[1])};
}

}  // namespace emulator
