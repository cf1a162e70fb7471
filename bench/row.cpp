#include "bench/row.hpp"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "bench/allocations.hpp"

namespace bench {

void demand(bool holds, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "penstock-bench: %.*s\n", static_cast<int>(what.size()), what.data());
  std::exit(1);
}

benchmark::internal::Benchmark* add_row(const std::string& name, row_function run) {
  // The library calls a row several times, with growing numbers of iterations.
  auto call = [run = std::move(run), first = true](benchmark::State& state) mutable {
    run(state, std::exchange(first, false));
  };
  return benchmark::RegisterBenchmark(name.c_str(), std::move(call));
}

void add_corpus_rows(const std::string& prefix, corpora& all, corpus_row_function run) {
  for (const std::string& name : all.names()) {
    add_row(prefix + "/" + name,
            [&all, name, run](benchmark::State& state, bool check) { run(state, check, all.get(name)); });
  }
}

meter::meter(benchmark::State& state) : state_(state), allocations_before_(allocations()) {}

void meter::report() {
  const auto made = static_cast<double>(allocations() - allocations_before_);
  const auto events = static_cast<double>(events_);
  state_.counters["events_per_second"] = benchmark::Counter(events, benchmark::Counter::kIsRate);
  state_.counters["bytes_per_second"] =
      benchmark::Counter(static_cast<double>(bytes_), benchmark::Counter::kIsRate, benchmark::Counter::kIs1024);
  state_.counters["allocations_per_event"] = events > 0 ? made / events : 0;
}

}  // namespace bench
