// The encoders behind make_encoder, and what they have in common.
#pragma once

#include <cassert>
#include <memory>
#include <vector>

#include "stages/compress.hpp"

namespace stages {

// What wire_bytes_bound() says of a body that can no longer be sent.
inline constexpr std::size_t outgrown = static_cast<std::size_t>(1) << 40;

// The rows of the open body, and the bytes that make them an array: the first separator becomes '[', the last thing is
// ']'.
class open_body {
 public:
  // Takes note of the rows; `head` and then `text` are the bytes to write.
  struct pieces {
    engine::byte_view head;
    engine::byte_view text;
  };
  pieces add(engine::byte_view text, std::span<const std::uint32_t> row_bytes) {
    const bool first = row_bytes_.empty();
    row_bytes_.insert(row_bytes_.end(), row_bytes.begin(), row_bytes.end());
    raw_bytes_ += text.size();
    assert(first || text[0] == ',');
    return first ? pieces{"[", text.substr(1)} : pieces{"", text};
  }
  [[nodiscard]] std::size_t raw_bytes() const { return empty() ? 0 : raw_bytes_ + 1; }
  [[nodiscard]] std::size_t rows() const { return row_bytes_.size(); }
  [[nodiscard]] bool empty() const { return row_bytes_.empty(); }
  // Makes the body of `wire` and is empty again.
  body close(engine::byte_view wire, bool gzip, engine::buffer_pool&);
  void clear() {
    row_bytes_.clear();
    raw_bytes_ = 0;
  }

 private:
  std::vector<std::uint32_t> row_bytes_;
  std::size_t raw_bytes_ = 0;  // without the ']'
};

// Not compressed.
class stored_encoder final : public encoder {
 public:
  stored_encoder(const encoder_limits&, engine::buffer_pool&);
  static std::size_t held_bytes(const encoder_limits& limits) { return limits.wire_bytes_max; }

  void append(engine::byte_view text, std::span<const std::uint32_t> row_bytes) override;
  [[nodiscard]] std::size_t raw_bytes() const override { return rows_.raw_bytes(); }
  [[nodiscard]] std::size_t row_count() const override { return rows_.rows(); }
  [[nodiscard]] std::size_t wire_bytes_bound() const override { return rows_.raw_bytes(); }
  [[nodiscard]] std::size_t wire_bytes_bound_after(std::size_t text_bytes) const override {
    return (rows_.empty() ? 1 : rows_.raw_bytes()) + text_bytes;
  }
  void flush() override {}
  body finish() override;
  void reset() override;

 private:
  engine::buffer_pool& pool_;
  open_body rows_;
  engine::buffer text_;
};

std::unique_ptr<encoder> make_deflate_encoder(int level, const encoder_limits&, engine::buffer_pool&);
std::size_t deflate_encoder_bytes(const encoder_limits&);

#if defined(PENSTOCK_HAVE_ISAL)
std::unique_ptr<encoder> make_igzip_encoder(const encoder_limits&, engine::buffer_pool&);
std::size_t igzip_encoder_bytes(const encoder_limits&);
#endif

}  // namespace stages
