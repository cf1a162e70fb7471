// stage/compress/CORPUS is level fast, stage/compress_small/CORPUS level small: rows of a block to one body each.
#include "stages/compress.hpp"

#include <algorithm>

#include <span>
#include <string>

#include "bench/prepared.hpp"
#include "bench/row.hpp"
#include "tools/emulator/gunzip.hpp"

namespace bench {
namespace {

constexpr std::size_t piece_bytes_min = 16 * engine::kib;  // as batch appends them

void append_in_pieces(stages::encoder& encoder, const stages::rows& rows, std::span<const std::uint32_t> sizes) {
  std::size_t first = 0;
  while (first < rows.refs.size()) {
    std::size_t last = first + 1;
    while (last < rows.refs.size() && rows.begin_of(last) - rows.begin_of(first) < piece_bytes_min) ++last;
    encoder.append(rows.run(first, last), sizes.subspan(first, last - first));
    first = last;
  }
}

void compress_row(benchmark::State& state, bool check, const corpus& in, stages::compression_level level) {
  const auto blocks = rows_of(in, stages::row_format::typed);
  std::vector<std::vector<std::uint32_t>> sizes;
  for (const stages::rows& rows : blocks) sizes.push_back(row_bytes(rows));
  engine::buffer_pool pool(32 * engine::mib);
  // A body of a whole block may be larger than the service takes: what is cut is batch's business.
  const auto encoder =
      stages::make_encoder(level, {.wire_bytes_max = 8 * engine::mib, .raw_bytes_max = 8 * engine::mib}, pool);
  stages::body body;
  std::size_t raw_bytes = 0;
  std::size_t wire_bytes = 0;
  walk(
      state, blocks.size(), check,
      [&](std::size_t i) {
        body = {};  // its buffer goes back to the pool
        append_in_pieces(*encoder, blocks[i], sizes[i]);
        body = encoder->finish();
        raw_bytes += body.raw_bytes;
        wire_bytes += body.wire.size();
      },
      [&](std::size_t i) {
        std::string plain;
        const auto outcome = emulator::gunzip(body.wire.view(), plain, 16 * engine::mib);
        demand(outcome == emulator::gunzip_outcome::ok && plain == body_of(blocks[i].text),
               "stage/compress: the body does not decompress to the rows");
        demand(std::ranges::equal(body.row_bytes, sizes[i]), "stage/compress: wrong sizes of rows");
      },
      in.event_counts, text_bytes(blocks));
  state.counters["ratio"] = static_cast<double>(raw_bytes) / static_cast<double>(wire_bytes);
}

}  // namespace

void add_compress_rows(corpora& all) {
  add_corpus_rows("stage/compress", all, [](benchmark::State& state, bool check, const corpus& in) {
    compress_row(state, check, in, stages::compression_level::fast);
  });
  add_corpus_rows("stage/compress_small", all, [](benchmark::State& state, bool check, const corpus& in) {
    compress_row(state, check, in, stages::compression_level::small);
  });
}

}  // namespace bench
