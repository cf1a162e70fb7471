// The 128-bit hash space shards divide: keys as the service writes them, 32 lower-case hex digits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace emulator::sls {

__extension__ using hash_key = unsigned __int128;

constexpr hash_key hash_key_max = ~hash_key{0};  // the exclusive end of the last shard; nothing lies above

std::string hex32(hash_key);
// Up to 32 hex digits of either case, shorter ones left-aligned as written.
std::optional<hash_key> hash_key_of(std::string_view hex);
// The parts + 1 bounds of [begin, end) in parts even pieces.
std::vector<hash_key> even_bounds(hash_key begin, hash_key end, std::size_t parts);

}  // namespace emulator::sls
