// stage/transform/CORPUS makes typed rows, stage/transform_value/CORPUS those of the format `value`.
#include "stages/transform.hpp"

#include "bench/check.hpp"
#include "bench/prepared.hpp"
#include "bench/row.hpp"

namespace bench {
namespace {

void transform_row(benchmark::State& state, bool check, const corpus& in, stages::row_format format) {
  const auto blocks = parsed_blocks(in);
  stages::transform transform({.format = format});
  stages::rows rows;
  walk(
      state, blocks.size(), check,
      [&](std::size_t i) {
        transform(blocks[i]->records, rows);
        benchmark::DoNotOptimize(rows.text.data());
      },
      [&](std::size_t i) {
        row_check expected(in, i);
        expected.add_body(body_of(rows.text), false);
        expected.demand_all("stage/transform");
      },
      in.event_counts, in.plain_bytes);
}

}  // namespace

void add_transform_rows(corpora& all) {
  add_corpus_rows("stage/transform", all, [](benchmark::State& state, bool check, const corpus& in) {
    transform_row(state, check, in, stages::row_format::typed);
  });
  add_corpus_rows("stage/transform_value", all, [](benchmark::State& state, bool check, const corpus& in) {
    transform_row(state, check, in, stages::row_format::value);
  });
}

}  // namespace bench
