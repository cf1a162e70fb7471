#include "bench/row.hpp"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "bench/allocations.hpp"

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else  // the build needs no valgrind; only counting does
#define CALLGRIND_START_INSTRUMENTATION static_cast<void>(0)
#define CALLGRIND_STOP_INSTRUMENTATION static_cast<void>(0)
#endif

namespace bench {
namespace {

std::uint64_t counted_iterations = 0;  // 0: rows are timed

}  // namespace

void count_iterations(std::uint64_t iterations) { counted_iterations = iterations; }

void demand(bool holds, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "penstock-bench: %.*s\n", static_cast<int>(what.size()), what.data());
  std::exit(1);
}

benchmark::internal::Benchmark* add_row(const std::string& name, row_function run) {
  // The library calls a row several times, with growing numbers of iterations.
  auto call = [run = std::move(run), first = true](benchmark::State& state) mutable {
    run(state, std::exchange(first, false) && counted_iterations == 0);
  };
  auto* const row = benchmark::RegisterBenchmark(name.c_str(), std::move(call));
  if (counted_iterations > 0) row->Iterations(static_cast<benchmark::IterationCount>(counted_iterations));
  return row;
}

void add_corpus_rows(const std::string& prefix, corpora& all, corpus_row_function run) {
  for (const std::string& name : all.names()) {
    add_row(prefix + "/" + name,
            [&all, name, run](benchmark::State& state, bool check) { run(state, check, all.get(name)); });
  }
}

// Callgrind turns instrumentation off by forgetting its translated code: a row that is only timed must not do it.
meter::meter(benchmark::State& state) : state_(state), allocations_before_(allocations()) {
  if (counted_iterations > 0) CALLGRIND_START_INSTRUMENTATION;
}

void meter::report() {
  if (counted_iterations > 0) CALLGRIND_STOP_INSTRUMENTATION;
  const auto made = static_cast<double>(allocations() - allocations_before_);
  const auto events = static_cast<double>(events_);
  state_.counters["events_per_second"] = benchmark::Counter(events, benchmark::Counter::kIsRate);
  state_.counters["bytes_per_second"] =
      benchmark::Counter(static_cast<double>(bytes_), benchmark::Counter::kIsRate, benchmark::Counter::kIs1024);
  state_.counters["allocations_per_event"] = events > 0 ? made / events : 0;
  if (counted_iterations > 0) state_.counters["events"] = events;
}

}  // namespace bench
