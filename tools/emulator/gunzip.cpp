#include "gunzip.hpp"

#include <libdeflate.h>

#include <algorithm>
#include <memory>

namespace emulator {

namespace {

// 18 bytes: the shortest header and trailer there are.
constexpr std::size_t member_bytes_min = 18;

std::size_t announced_size(std::string_view wire) {
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(wire[i])); };
  const std::size_t at = wire.size() - 4;
  return byte(at) | byte(at + 1) << 8U | byte(at + 2) << 16U | byte(at + 3) << 24U;
}

struct free_decompressor {
  void operator()(libdeflate_decompressor* one) const { libdeflate_free_decompressor(one); }
};

libdeflate_decompressor* decompressor() {
  // 10 kB of tables: made once per thread, not once per body.
  thread_local const std::unique_ptr<libdeflate_decompressor, free_decompressor> one(libdeflate_alloc_decompressor());
  return one.get();
}

void resize_uninitialised(std::string& text, std::size_t size) {
  text.resize_and_overwrite(size, [](char*, std::size_t n) { return n; });
}

}  // namespace

gunzip_outcome gunzip(std::string_view wire, std::string& plain, std::size_t plain_bytes_max) {
  plain.clear();
  if (wire.size() < member_bytes_min) return gunzip_outcome::malformed;
  // One byte above the limit is enough room to see that it is passed.
  const std::size_t room_max = plain_bytes_max + 1;
  std::size_t done = 0;
  resize_uninitialised(plain, std::clamp<std::size_t>(announced_size(wire), 64, room_max));
  while (!wire.empty()) {
    std::size_t taken = 0;
    std::size_t made = 0;
    const auto result = libdeflate_gzip_decompress_ex(decompressor(), wire.data(), wire.size(), plain.data() + done,
                                                      plain.size() - done, &taken, &made);
    if (result == LIBDEFLATE_INSUFFICIENT_SPACE) {
      if (plain.size() == room_max) return gunzip_outcome::too_large;
      resize_uninitialised(plain, std::min(room_max, 4 * plain.size()));
      continue;
    }
    if (result != LIBDEFLATE_SUCCESS) return gunzip_outcome::malformed;
    done += made;
    wire.remove_prefix(taken);
  }
  if (done > plain_bytes_max) return gunzip_outcome::too_large;
  plain.resize(done);
  return gunzip_outcome::ok;
}

}  // namespace emulator
