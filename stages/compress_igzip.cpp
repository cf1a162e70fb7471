// ISA-L igzip, level 1, as one stream per body.
//
// The bound: bytes out + what is held inside. Held raw of h bytes makes at most h * k bytes, k = 33/32 with 1,024 for
// the block's header and the end of the stream: blocks that do not compress are stored. And however much raw text is
// held, it is held as at most tokens_max tokens, each a literal or a match: log2(256 + 255 * 32,768) = 23 bits of
// information, at most one more for each of two Huffman codes, so less than 32 bits.
#include "stages/compress_parts.hpp"

#if defined(PENSTOCK_HAVE_ISAL)

#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <array>
#include <cassert>

namespace stages {
namespace {

using engine::byte_view;

// 32,768 tokens: 0.1 % larger bodies than with the largest level buffer, half of what is held inside and of its memory.
constexpr std::size_t level_bytes = ISAL_DEF_LVL1_MEDIUM;
constexpr std::size_t tokens_max = 32 * engine::kib;
constexpr std::size_t held_wire_bytes_max = tokens_max * 32 / 8;
constexpr std::size_t unflushed_slack = 1'024;
constexpr std::size_t flushed_slack = 64;  // an empty last block and the trailer
// Smaller pieces cost speed: 15 % at 2 KiB.
constexpr std::size_t piece_bytes_min = 16 * engine::kib;

// Near the end of its output igzip writes through a buffer of its own and may have to be called again: kept away from
// there.
constexpr std::size_t out_spare_bytes = 256;

constexpr std::size_t wire_bytes_of(std::size_t raw_bytes) { return raw_bytes + raw_bytes / 32; }

class igzip_encoder final : public encoder {
 public:
  igzip_encoder(const encoder_limits& limits, engine::buffer_pool& pool)
      : pool_(pool),
        wire_bytes_max_(limits.wire_bytes_max),
        level_(level_bytes),
        out_(limits.wire_bytes_max + out_spare_bytes) {
    begin();
  }

  void append(byte_view text, std::span<const std::uint32_t> row_bytes) override {
    if (row_bytes.empty()) return;
    const auto [head, rest] = rows_.add(text, row_bytes);
    put(head);
    put(rest);
    promised_bytes_ = std::min(promised_bytes_ + wire_bytes_of(text.size()), streaming_bound());
  }

  [[nodiscard]] std::size_t raw_bytes() const override { return rows_.raw_bytes(); }
  [[nodiscard]] std::size_t row_count() const override { return rows_.rows(); }
  [[nodiscard]] std::size_t wire_bytes_bound() const override { return wire_bytes_bound_after(0); }
  [[nodiscard]] std::size_t wire_bytes_bound_after(std::size_t text_bytes) const override {
    if (outgrown_) return outgrown;
    if (unflushed_bytes_ + staged_bytes_ + text_bytes == 0) return stream_.total_out + flushed_slack;
    return promised_bytes_ + wire_bytes_of(text_bytes);
  }

  void flush() override {
    if (unflushed_bytes_ + staged_bytes_ == 0) return;
    feed({staged_.data(), staged_bytes_}, SYNC_FLUSH);
    staged_bytes_ = 0;
    unflushed_bytes_ = 0;
    promised_bytes_ = streaming_bound();
  }

  body finish() override {
    assert(!rows_.empty());
    const std::size_t bound = wire_bytes_bound();
    assert(bound <= wire_bytes_max_);
    put("]");
    stream_.end_of_stream = 1;
    feed({staged_.data(), staged_bytes_}, NO_FLUSH);
    assert(stream_.internal_state.state == ZSTATE_END && stream_.total_out <= bound);
    static_cast<void>(bound);
    body out = rows_.close({out_.data(), stream_.total_out}, true, pool_);
    begin();
    return out;
  }

  void reset() override {
    rows_.clear();
    begin();
  }

 private:
  void begin() {
    isal_deflate_init(&stream_);
    stream_.level = 1;
    stream_.level_buf = reinterpret_cast<std::uint8_t*>(level_.data());
    stream_.level_buf_size = static_cast<std::uint32_t>(level_.capacity());
    stream_.gzip_flag = IGZIP_GZIP;
    stream_.next_out = reinterpret_cast<std::uint8_t*>(out_.data());
    stream_.avail_out = static_cast<std::uint32_t>(out_.capacity());
    staged_bytes_ = 0;
    unflushed_bytes_ = 0;
    outgrown_ = false;
    promised_bytes_ = streaming_bound();
  }

  // What is known from the stream alone. It can rise by more than what is appended: output comes while no less is held.
  [[nodiscard]] std::size_t streaming_bound() const {
    const std::size_t held = std::min(wire_bytes_of(unflushed_bytes_), held_wire_bytes_max);
    return stream_.total_out + held + wire_bytes_of(staged_bytes_) + unflushed_slack;
  }

  // Large runs go in as they are, small ones by way of staged_; nothing smaller than that goes in.
  void put(byte_view text) {
    if (staged_bytes_ != 0) stage(text);
    if (staged_bytes_ == staged_.size()) {
      feed({staged_.data(), staged_bytes_}, NO_FLUSH);
      staged_bytes_ = 0;
    }
    if (text.size() >= staged_.size()) {
      feed(text, NO_FLUSH);
    } else {
      stage(text);
    }
  }

  // Takes from the front of `text` what there is room for.
  void stage(byte_view& text) {
    const std::size_t bytes = text.copy(staged_.data() + staged_bytes_, staged_.size() - staged_bytes_);
    staged_bytes_ += bytes;
    text.remove_prefix(bytes);
  }

  void feed(byte_view text, std::uint16_t flush) {
    if (outgrown_) return;
    // The interface is not const-correct; the input is only read.
    stream_.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
    stream_.avail_in = static_cast<std::uint32_t>(text.size());
    stream_.flush = flush;
    const int status = isal_deflate(&stream_);
    assert(status == COMP_OK);
    static_cast<void>(status);
    unflushed_bytes_ += text.size();
    if (stream_.avail_out < out_spare_bytes) outgrown_ = true;
    assert(outgrown_ || stream_.avail_in == 0);
  }

  engine::buffer_pool& pool_;
  const std::size_t wire_bytes_max_;
  open_body rows_;
  engine::buffer level_;
  engine::buffer out_;
  std::array<char, piece_bytes_min> staged_;
  std::size_t staged_bytes_ = 0;
  std::size_t unflushed_bytes_ = 0;  // fed since the last flush: the most that can be held inside
  std::size_t promised_bytes_ = 0;   // the least bound known so far, of a body not flushed
  bool outgrown_ = false;
  isal_zstream stream_;
};

}  // namespace

std::unique_ptr<encoder> make_igzip_encoder(const encoder_limits& limits, engine::buffer_pool& pool) {
  return std::make_unique<igzip_encoder>(limits, pool);
}

std::size_t igzip_encoder_bytes(const encoder_limits& limits) {
  return sizeof(igzip_encoder) + level_bytes + limits.wire_bytes_max + out_spare_bytes;
}

}  // namespace stages

#endif
