// Body codings of the service: raw LZ4 blocks, zstd frames, zlib streams, or nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace emulator::sls {

enum class coding : std::uint8_t { none, lz4, zstd, deflate };

// The x-log-compresstype value; empty for none.
std::string_view name_of(coding);
// A request's x-log-compresstype; nothing when the service does not know it. Empty is none.
std::optional<coding> coding_named(std::string_view compress_type);
// What the client's Accept-Encoding asks for: lz4 before zstd before deflate (gzip counts as deflate), else none.
coding accepted_coding(std::string_view accept_encoding);

std::string compress(coding, std::string_view plain);
// Nothing when the bytes are damaged or are not exactly plain_size bytes.
std::optional<std::string> decompress(coding, std::string_view packed, std::size_t plain_size);

}  // namespace emulator::sls
