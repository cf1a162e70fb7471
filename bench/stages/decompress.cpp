#include "stages/decompress.hpp"

#include "bench/row.hpp"

namespace bench {

void add_decompress_rows(corpora& all) {
  add_corpus_rows("stage/decompress", all, [](benchmark::State& state, bool check, const corpus& in) {
    engine::buffer_pool pool(16 * engine::mib);
    stages::decompress decompress(pool);
    engine::buffer storage;
    walk(
        state, in.blocks.size(), check,
        [&](std::size_t i) {
          auto plain = decompress(in.blocks[i], storage);
          demand(plain.has_value(), "stage/decompress: a block is refused");
          benchmark::DoNotOptimize(storage.data());
        },
        [&](std::size_t i) {
          demand(storage.view().substr(0, in.plain_bytes[i]) == in.plain[i], "stage/decompress: other bytes came out");
        },
        in.event_counts, in.wire_bytes);
  });
}

}  // namespace bench
