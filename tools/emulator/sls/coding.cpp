#include "coding.hpp"

#include <libdeflate.h>
#include <lz4.h>
#include <zstd.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

namespace emulator::sls {

namespace {

std::string lz4_block(std::string_view plain) {
  const int size = static_cast<int>(plain.size());
  std::string packed(static_cast<std::size_t>(LZ4_compressBound(size)), '\0');
  const int used = LZ4_compress_default(plain.data(), packed.data(), size, static_cast<int>(packed.size()));
  packed.resize(static_cast<std::size_t>(used));
  return packed;
}

std::string zstd_frame(std::string_view plain) {
  std::string packed(ZSTD_compressBound(plain.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), plain.data(), plain.size(), 1));
  return packed;
}

std::string zlib_stream(std::string_view plain) {
  const std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)> with(
      libdeflate_alloc_compressor(1), &libdeflate_free_compressor);
  if (!with) throw std::bad_alloc();
  std::string packed(libdeflate_zlib_compress_bound(with.get(), plain.size()), '\0');
  packed.resize(libdeflate_zlib_compress(with.get(), plain.data(), plain.size(), packed.data(), packed.size()));
  return packed;
}

bool unpack_zlib(std::string_view packed, std::string& plain) {
  const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> with(
      libdeflate_alloc_decompressor(), &libdeflate_free_decompressor);
  if (!with) throw std::bad_alloc();
  return libdeflate_zlib_decompress(with.get(), packed.data(), packed.size(), plain.data(), plain.size(), nullptr) ==
         LIBDEFLATE_SUCCESS;
}

}  // namespace

std::string_view name_of(coding c) {
  switch (c) {
    case coding::none:
      return "";
    case coding::lz4:
      return "lz4";
    case coding::zstd:
      return "zstd";
    case coding::deflate:
      return "deflate";
  }
  return "";
}

std::optional<coding> coding_named(std::string_view compress_type) {
  for (const auto c : {coding::none, coding::lz4, coding::zstd, coding::deflate}) {
    if (compress_type == name_of(c)) return c;
  }
  return std::nullopt;
}

coding accepted_coding(std::string_view accept_encoding) {
  const auto lists = [&](std::string_view name) { return accept_encoding.find(name) != std::string_view::npos; };
  if (lists("lz4")) return coding::lz4;
  if (lists("zstd")) return coding::zstd;
  return lists("deflate") || lists("gzip") ? coding::deflate : coding::none;
}

std::string compress(coding how, std::string_view plain) {
  switch (how) {
    case coding::none:
      return std::string(plain);
    case coding::lz4:
      return lz4_block(plain);
    case coding::zstd:
      return zstd_frame(plain);
    case coding::deflate:
      return zlib_stream(plain);
  }
  return {};
}

std::optional<std::string> decompress(coding how, std::string_view packed, std::size_t plain_size) {
  std::string plain(plain_size, '\0');
  bool whole = false;
  switch (how) {
    case coding::none:
      plain = packed;
      whole = packed.size() == plain_size;
      break;
    case coding::lz4:
      whole = LZ4_decompress_safe(packed.data(), plain.data(), static_cast<int>(packed.size()),
                                  static_cast<int>(plain_size)) == static_cast<int>(plain_size);
      break;
    case coding::zstd:
      whole = ZSTD_decompress(plain.data(), plain.size(), packed.data(), packed.size()) == plain_size;
      break;
    case coding::deflate:
      whole = unpack_zlib(packed, plain);
      break;
  }
  if (!whole) return std::nullopt;
  return plain;
}

}  // namespace emulator::sls
