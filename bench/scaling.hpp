// scaling/threads_N and scaling/speedup: the in-memory chain of one destination on several CPU workers.
#pragma once

#include "bench/corpus.hpp"

namespace bench {

void add_scaling_rows(corpora&);

}  // namespace bench
