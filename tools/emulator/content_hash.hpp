// A keyed 128-bit hash of bytes: how the ledger recognises equal content without keeping it.
#pragma once

#include <cstdint>
#include <string_view>

namespace emulator {

struct content_hash {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  friend bool operator==(const content_hash&, const content_hash&) = default;
};

// Equal bytes give equal hashes within and across processes. Not meant to withstand an adversary who knows the key.
[[nodiscard]] content_hash hash_content(std::string_view bytes);

}  // namespace emulator
