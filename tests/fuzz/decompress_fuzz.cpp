// decompress on any bytes: it answers, or the result has exactly the declared size and its padding.
//
// Input   codec (1 byte, modulo 4), declared plain size (4 bytes, little endian), the compressed bytes
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "stages/decompress.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 5) return 0;
  static engine::buffer_pool pool(0);  // keeps nothing, so that the sanitizer sees every buffer end
  static stages::decompress stage(pool);

  stages::fetched_block block;
  block.coding = static_cast<stages::codec>(data[0] % 4);
  for (unsigned i = 0; i < 4; ++i) block.plain_bytes |= std::uint64_t{data[1 + i]} << (8 * i);
  // Above this only memory is tested; the refusal of more than the stage's own limit stays in reach.
  if (block.plain_bytes > engine::mib && block.plain_bytes <= stages::plain_bytes_max) block.plain_bytes %= engine::mib;
  block.bytes = engine::buffer(size - 5);
  block.bytes.append({reinterpret_cast<const char*>(data) + 5, size - 5});

  engine::buffer storage;
  const auto plain = stage(block, storage);
  if (!plain) {
    if ((plain.error() == stages::decompress_errc::too_large) != (block.plain_bytes > stages::plain_bytes_max))
      std::abort();
    return 0;
  }
  if (plain->size != block.plain_bytes || storage.size() != plain->size + stages::padding_bytes) std::abort();
  for (const char byte : storage.view().substr(plain->size)) {
    if (byte != ' ') std::abort();
  }
  return 0;
}
