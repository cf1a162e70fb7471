// chain/plain/CORPUS: the yardstick. The chain as a good engineer writes it first: libprotobuf, a simdjson DOM,
// nlohmann objects dumped, zlib level 6. Same input, flags and check as chain/typed; its rows are equal to ours. Our
// speed is told as a multiple of it, so it is neither tuned nor slowed.
#pragma once

#include "bench/corpus.hpp"

namespace bench {

void add_plain_chain_rows(corpora&);

}  // namespace bench
