#include "stages/cut_body.hpp"

#include <libdeflate.h>

#include <cassert>
#include <new>
#include <numeric>

#include "engine/base/result.hpp"

namespace stages {
namespace {

using engine::byte_view;

// Where the separator before row i stands in the raw text.
std::size_t separator_of(const body& whole, std::size_t i) {
  const auto begin = whole.row_bytes.begin();
  return std::accumulate(begin, begin + static_cast<std::ptrdiff_t>(i), std::size_t{0}) + i;
}

}  // namespace

struct cut_body::inflater {
  inflater() : state(libdeflate_alloc_decompressor()) {
    if (state == nullptr) throw std::bad_alloc();
  }
  inflater(const inflater&) = delete;
  inflater& operator=(const inflater&) = delete;
  ~inflater() { libdeflate_free_decompressor(state); }
  libdeflate_decompressor* state;
};

cut_body::cut_body(const cut_body_options& options)
    : options_(options), raw_(options.raw_bytes_max), inflater_(std::make_unique<inflater>()) {}

cut_body::~cut_body() = default;

// The raw text, checked as far as the cuts rely on it.
std::expected<byte_view, cut_body_errc> cut_body::open(const body& whole) {
  if (whole.raw_bytes > raw_.capacity() || separator_of(whole, whole.row_bytes.size()) + 1 != whole.raw_bytes) {
    return std::unexpected(cut_body_errc::damaged);
  }
  byte_view raw = whole.wire.view();
  if (whole.gzip) {
    byte_view wire = raw;
    std::size_t written = 0;
    while (!wire.empty()) {  // one member as a rule
      std::size_t read = 0;
      std::size_t wrote = 0;
      const auto status = libdeflate_gzip_decompress_ex(
          inflater_->state, wire.data(), wire.size(), raw_.data() + written, whole.raw_bytes - written, &read, &wrote);
      if (status != LIBDEFLATE_SUCCESS) return std::unexpected(cut_body_errc::damaged);
      wire.remove_prefix(read);
      written += wrote;
    }
    raw_.resize(written);
    raw = raw_.view();
  }
  if (raw.size() != whole.raw_bytes || !raw.starts_with('[') || !raw.ends_with(']')) {
    return std::unexpected(cut_body_errc::damaged);
  }
  return raw;
}

std::expected<body, cut_body_errc> cut_body::operator()(const body& whole, std::size_t first, std::size_t last,
                                                        encoder& encoder) {
  assert(first < last && last <= whole.row_bytes.size() && encoder.row_count() == 0);
  TRY(const byte_view raw, open(whole));
  const std::size_t begin = separator_of(whole, first);
  encoder.append(raw.substr(begin, separator_of(whole, last) - begin),
                 std::span(whole.row_bytes).subspan(first, last - first));
  if (encoder.wire_bytes_bound() > options_.wire_bytes_max) encoder.flush();
  if (encoder.wire_bytes_bound() > options_.wire_bytes_max) {
    encoder.reset();
    return std::unexpected(cut_body_errc::too_large);
  }
  return encoder.finish();
}

std::expected<byte_view, cut_body_errc> cut_body::row(const body& whole, std::size_t row) {
  assert(row < whole.row_bytes.size());
  TRY(const byte_view raw, open(whole));
  return raw.substr(separator_of(whole, row) + 1, whole.row_bytes[row]);
}

}  // namespace stages
