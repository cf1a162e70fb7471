#include "stages/compress.hpp"

#include <cassert>

#include "stages/compress_parts.hpp"

namespace stages {
namespace {

[[maybe_unused]] constexpr int deflate_fast_level = 1;  // where ISA-L is missing
constexpr int deflate_small_level = 6;

}  // namespace

std::unique_ptr<encoder> make_encoder(compression_level level, const encoder_limits& limits,
                                      engine::buffer_pool& pool) {
  switch (level) {
    case compression_level::none:
      return std::make_unique<stored_encoder>(limits, pool);
    case compression_level::small:
      return make_deflate_encoder(deflate_small_level, limits, pool);
    case compression_level::fast:
      break;
  }
#if defined(PENSTOCK_HAVE_ISAL)
  return make_igzip_encoder(limits, pool);
#else
  return make_deflate_encoder(deflate_fast_level, limits, pool);
#endif
}

std::size_t encoder_bytes(compression_level level, const encoder_limits& limits) {
  if (level == compression_level::none) return stored_encoder::held_bytes(limits);
#if defined(PENSTOCK_HAVE_ISAL)
  if (level == compression_level::fast) return igzip_encoder_bytes(limits);
#endif
  return deflate_encoder_bytes(limits);
}

body open_body::close(engine::byte_view wire, bool gzip, engine::buffer_pool& pool) {
  body out;
  out.wire = pool.take(wire.size());
  out.wire.append(wire);
  out.gzip = gzip;
  out.raw_bytes = raw_bytes();
  out.row_bytes = row_bytes_;
  clear();
  return out;
}

stored_encoder::stored_encoder(const encoder_limits& limits, engine::buffer_pool& pool)
    : pool_(pool), text_(limits.wire_bytes_max) {}

void stored_encoder::append(engine::byte_view text, std::span<const std::uint32_t> row_bytes) {
  if (row_bytes.empty()) return;
  const auto [head, rest] = rows_.add(text, row_bytes);
  if (rows_.raw_bytes() > text_.capacity()) return;  // outgrown: the bound says so
  text_.append(head);
  text_.append(rest);
}

body stored_encoder::finish() {
  assert(!rows_.empty() && rows_.raw_bytes() <= text_.capacity());
  text_.append("]");
  body out = rows_.close(text_.view(), false, pool_);
  text_.clear();
  return out;
}

void stored_encoder::reset() {
  rows_.clear();
  text_.clear();
}

}  // namespace stages
