#include "stages/decompress.hpp"

#include <libdeflate.h>
#include <lz4.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <cstring>
#include <limits>
#include <new>
#include <optional>

namespace stages {
namespace {

using failure = std::optional<decompress_errc>;  // nullopt: decoded, size exact

struct free_zstd {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};
struct free_deflate {
  void operator()(libdeflate_decompressor* decompressor) const { libdeflate_free_decompressor(decompressor); }
};

failure compare(std::size_t produced, std::size_t declared) {
  return produced == declared ? failure{} : decompress_errc::size_mismatch;
}

failure decode_none(byte_view in, std::span<char> out) {
  if (const failure mismatch = compare(in.size(), out.size())) return mismatch;
  std::memcpy(out.data(), in.data(), in.size());
  return {};
}

// A raw block carries no size of its own: one that would grow beyond the declared size is a bad frame to liblz4.
failure decode_lz4(byte_view in, std::span<char> out) {
  if (in.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) return decompress_errc::bad_frame;
  const int produced =
      LZ4_decompress_safe(in.data(), out.data(), static_cast<int>(in.size()), static_cast<int>(out.size()));
  if (produced < 0) return decompress_errc::bad_frame;
  return compare(static_cast<std::size_t>(produced), out.size());
}

failure decode_zstd(ZSTD_DCtx* context, byte_view in, std::span<char> out) {
  // libzstd also reads the formats from before 1.0 and skippable frames; neither is ever sent, so neither is a way in.
  constexpr byte_view magic("\x28\xb5\x2f\xfd", 4);
  if (!in.starts_with(magic)) return decompress_errc::bad_frame;
  const unsigned long long claimed = ZSTD_getFrameContentSize(in.data(), in.size());
  if (claimed == ZSTD_CONTENTSIZE_ERROR) return decompress_errc::bad_frame;
  if (claimed != ZSTD_CONTENTSIZE_UNKNOWN && claimed != out.size()) return decompress_errc::size_mismatch;
  const std::size_t produced = ZSTD_decompressDCtx(context, out.data(), out.size(), in.data(), in.size());
  if (ZSTD_isError(produced) != 0) {
    return ZSTD_getErrorCode(produced) == ZSTD_error_dstSize_tooSmall ? decompress_errc::size_mismatch
                                                                      : decompress_errc::bad_frame;
  }
  return compare(produced, out.size());
}

failure decode_deflate(libdeflate_decompressor* decompressor, byte_view in, std::span<char> out) {
  std::size_t consumed = 0;
  std::size_t produced = 0;
  const libdeflate_result result =
      libdeflate_zlib_decompress_ex(decompressor, in.data(), in.size(), out.data(), out.size(), &consumed, &produced);
  if (result == LIBDEFLATE_INSUFFICIENT_SPACE) return decompress_errc::size_mismatch;
  if (result != LIBDEFLATE_SUCCESS || consumed != in.size()) return decompress_errc::bad_frame;
  return compare(produced, out.size());
}

}  // namespace

struct decompress::codecs {
  std::unique_ptr<ZSTD_DCtx, free_zstd> zstd{ZSTD_createDCtx()};
  std::unique_ptr<libdeflate_decompressor, free_deflate> deflate{libdeflate_alloc_decompressor()};
};

decompress::decompress(engine::buffer_pool& pool) : pool_(pool), codecs_(std::make_unique<codecs>()) {
  if (codecs_->zstd == nullptr || codecs_->deflate == nullptr) throw std::bad_alloc();
}

decompress::~decompress() = default;

std::expected<plain_block, decompress_errc> decompress::operator()(const fetched_block& block,
                                                                   engine::buffer& storage) {
  if (block.plain_bytes > plain_bytes_max) return std::unexpected(decompress_errc::too_large);
  const auto size = static_cast<std::size_t>(block.plain_bytes);
  if (storage.capacity() < size + padding_bytes) {
    storage = engine::buffer();  // given back before the larger one is taken: they never exist together
    storage = pool_.take(size + padding_bytes);
  }
  storage.resize(size + padding_bytes);

  const byte_view in = block.bytes.view();
  const std::span<char> out(storage.data(), size);
  failure failed;
  if (size != 0) {
    switch (block.coding) {
      case codec::none:
        failed = decode_none(in, out);
        break;
      case codec::lz4:
        failed = decode_lz4(in, out);
        break;
      case codec::zstd:
        failed = decode_zstd(codecs_->zstd.get(), in, out);
        break;
      case codec::deflate:
        failed = decode_deflate(codecs_->deflate.get(), in, out);
        break;
    }
  }
  if (failed) return std::unexpected(*failed);
  std::memset(storage.data() + size, ' ', padding_bytes);
  return plain_block{.storage = &storage, .size = size};
}

}  // namespace stages
