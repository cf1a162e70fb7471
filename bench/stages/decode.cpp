#include "stages/decode.hpp"

#include "bench/prepared.hpp"
#include "bench/row.hpp"

namespace bench {

void add_decode_rows(corpora& all) {
  add_corpus_rows("stage/decode", all, [](benchmark::State& state, bool check, const corpus& in) {
    auto blocks = padded_blocks(in);
    stages::log_groups groups;
    walk(
        state, blocks.size(), check,
        [&](std::size_t i) {
          const auto decoded = stages::decode(block_of(blocks[i]), in.blocks[i].group_count, groups);
          demand(decoded.has_value(), "stage/decode: a block is refused");
          benchmark::DoNotOptimize(groups.logs.data());
        },
        [&](std::size_t i) {
          bool same = groups.logs.size() == in.events[i].size();
          for (std::size_t n = 0; same && n < groups.logs.size(); ++n) same = groups.logs[n].event == in.events[i][n];
          demand(same, "stage/decode: the logs hold other events");
        },
        in.event_counts, in.plain_bytes);
  });
}

}  // namespace bench
