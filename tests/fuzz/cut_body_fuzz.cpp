// A body's rows come back whole from every cut; a spoilt body is reported, never read out of bounds.
//
// Input: compression level, place and change of the spoilt byte (three bytes), first and last row, then rows: a byte of
// length and as many bytes each.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "stages/compress.hpp"
#include "stages/cut_body.hpp"

namespace {

constexpr std::size_t head_bytes = 6;

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < head_bytes + 1) return 0;
  static engine::buffer_pool pool(engine::mib);
  static const stages::encoder_limits limits{.wire_bytes_max = 200'000, .raw_bytes_max = 300'000};
  static const std::unique_ptr<stages::encoder> encoders[] = {
      make_encoder(stages::compression_level::fast, limits, pool),
      make_encoder(stages::compression_level::small, limits, pool),
      make_encoder(stages::compression_level::none, limits, pool)};
  static stages::cut_body cut({.wire_bytes_max = 200'000, .raw_bytes_max = 300'000});
  if (size > 100'000) return 0;

  std::string text;
  std::vector<std::uint32_t> row_bytes;
  for (std::size_t at = head_bytes; at < size;) {
    const std::size_t bytes = std::min<std::size_t>(data[at], size - at - 1);
    text.append(",").append(reinterpret_cast<const char*>(data) + at + 1, bytes);
    row_bytes.push_back(static_cast<std::uint32_t>(bytes));
    at += 1 + bytes;
  }
  stages::encoder& encoder = *encoders[data[0] % 3];
  encoder.append(text, row_bytes);
  stages::body whole = encoder.finish();

  const std::size_t first = data[4] % row_bytes.size();
  const std::size_t last = first + 1 + data[5] % (row_bytes.size() - first);
  std::vector<std::string> rows;
  std::size_t at = 0;
  for (const std::uint32_t bytes : row_bytes) {
    rows.push_back(text.substr(at + 1, bytes));
    at += bytes + 1;
  }
  const auto part = cut(whole, first, last, encoder);
  require(part.has_value() && part->row_bytes.size() == last - first);
  for (std::size_t i = first; i < last; ++i) require(cut.row(*part, i - first) == rows[i]);

  const std::size_t place = (std::size_t{data[1]} << 8 | data[2]) % whole.wire.size();
  whole.wire.data()[place] = static_cast<char>(whole.wire.data()[place] ^ data[3]);
  const auto spoilt = cut.row(whole, first);
  if (whole.gzip && spoilt.has_value()) require(*spoilt == rows[first]);  // a byte of the header that says nothing
  static_cast<void>(cut(whole, first, last, encoder));
  require(encoder.row_count() == 0);
  return 0;
}
