// Complete gzip members back to their bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace emulator {

enum class gunzip_outcome : std::uint8_t { ok, malformed, too_large };

// Replaces plain. Members may follow one another; each must be complete (CRC32 and ISIZE agree) and nothing may follow
// the last. too_large: more than plain_bytes_max, found before more than that was allocated. Any thread.
gunzip_outcome gunzip(std::string_view wire, std::string& plain, std::size_t plain_bytes_max);

}  // namespace emulator
