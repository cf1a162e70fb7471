// libdeflate, whose streams cannot be fed piece by piece: rows are kept raw and compressed when the body is finished.
//
// The bound: flush() compresses what came since the last one as a trial; the bound is the sum of the trials plus the
// library's own bound of the rest. The whole in one go is smaller than its parts, but for rare inputs nobody proves
// that: then finish() writes each part as a gzip member of its own, which the format allows and every part's trial has
// measured.
#include <libdeflate.h>

#include <algorithm>
#include <cassert>
#include <new>

#include "stages/compress_parts.hpp"

namespace stages {
namespace {

using engine::byte_view;

// What libdeflate 1.14 allocates for levels up to 7, rounded up.
constexpr std::size_t compressor_bytes = 1 * engine::mib;

// Large enough that a trial is hardly worse than its share of the whole, small against the wire limit.
constexpr std::size_t part_bytes = 256 * engine::kib;

struct free_compressor {
  void operator()(libdeflate_compressor* compressor) const { libdeflate_free_compressor(compressor); }
};

class deflate_encoder final : public encoder {
 public:
  deflate_encoder(int level, const encoder_limits& limits, engine::buffer_pool& pool)
      : pool_(pool),
        compressor_(libdeflate_alloc_compressor(level)),
        raw_(limits.raw_bytes_max),
        out_(limits.wire_bytes_max) {
    if (compressor_ == nullptr) throw std::bad_alloc();
  }

  void append(byte_view text, std::span<const std::uint32_t> row_bytes) override {
    if (row_bytes.empty()) return;
    const auto [head, rest] = rows_.add(text, row_bytes);
    assert(rows_.raw_bytes() <= raw_.capacity());
    raw_.append(head);
    raw_.append(rest);
    if (raw_.size() - tried_raw_bytes_ >= part_bytes) flush();
  }

  [[nodiscard]] std::size_t raw_bytes() const override { return rows_.raw_bytes(); }
  [[nodiscard]] std::size_t row_count() const override { return rows_.rows(); }
  [[nodiscard]] std::size_t wire_bytes_bound() const override { return wire_bytes_bound_after(0); }
  [[nodiscard]] std::size_t wire_bytes_bound_after(std::size_t text_bytes) const override {
    if (outgrown_) return outgrown;
    // The last bracket is in the untried part, or a part by itself: in any case flush() makes the sum no larger.
    const std::size_t untried = raw_.size() - tried_raw_bytes_ + text_bytes;
    return tried_wire_bytes_ + (untried == 0 ? 0 : bound_of(untried + 1)) + bound_of(1);
  }

  void flush() override {
    if (raw_.size() == tried_raw_bytes_ || outgrown_) return;
    const byte_view part = raw_.view().substr(tried_raw_bytes_);
    const std::size_t wire_bytes = compress(part, out_.data(), out_.capacity());
    if (wire_bytes == 0) {
      outgrown_ = true;
      return;
    }
    tried_wire_bytes_ += wire_bytes;
    tried_raw_bytes_ = raw_.size();
    part_ends_.push_back(tried_raw_bytes_);
  }

  body finish() override {
    assert(!rows_.empty());
    const std::size_t bound = wire_bytes_bound();
    assert(bound <= out_.capacity());
    std::size_t end = raw_.size();
    raw_.resize(end + 1);
    raw_.data()[end++] = ']';
    std::size_t wire_bytes = compress(raw_.view(), out_.data(), bound);
    if (wire_bytes == 0) wire_bytes = compress_parts();
    assert(wire_bytes != 0 && wire_bytes <= bound);
    body out = rows_.close({out_.data(), wire_bytes}, true, pool_);
    reset();
    return out;
  }

  void reset() override {
    rows_.clear();
    raw_.clear();
    part_ends_.clear();
    tried_raw_bytes_ = 0;
    tried_wire_bytes_ = 0;
    outgrown_ = false;
  }

 private:
  // 0: does not fit.
  std::size_t compress(byte_view text, char* out, std::size_t room) {
    return libdeflate_gzip_compress(compressor_.get(), text.data(), text.size(), out, room);
  }
  std::size_t bound_of(std::size_t raw_bytes) const {
    return libdeflate_gzip_compress_bound(compressor_.get(), raw_bytes);
  }

  std::size_t compress_parts() {
    std::size_t wire_bytes = 0;
    std::size_t from = 0;
    part_ends_.push_back(raw_.size());
    for (const std::size_t end : part_ends_) {
      const byte_view part = raw_.view().substr(from, end - from);
      wire_bytes += compress(part, out_.data() + wire_bytes, out_.capacity() - wire_bytes);
      from = end;
    }
    return wire_bytes;
  }

  engine::buffer_pool& pool_;
  open_body rows_;
  std::unique_ptr<libdeflate_compressor, free_compressor> compressor_;
  engine::buffer raw_;  // the body but for its last bracket
  engine::buffer out_;
  std::vector<std::size_t> part_ends_;  // of raw_, where trials ended
  std::size_t tried_raw_bytes_ = 0;
  std::size_t tried_wire_bytes_ = 0;
  bool outgrown_ = false;
};

}  // namespace

std::unique_ptr<encoder> make_deflate_encoder(int level, const encoder_limits& limits, engine::buffer_pool& pool) {
  return std::make_unique<deflate_encoder>(level, limits, pool);
}

std::size_t deflate_encoder_bytes(const encoder_limits& limits) {
  return sizeof(deflate_encoder) + compressor_bytes + limits.raw_bytes_max + limits.wire_bytes_max;
}

}  // namespace stages
