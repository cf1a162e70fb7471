// A row of the benchmark: its name, what is timed, its three counters, and the check that what it timed is right.
//
//   events_per_second      events (for primitives: operations) per second of CPU time of the timed thread
//   bytes_per_second       bytes that enter the stage, likewise: of the compressed block for fetch, decompress and
//   chain,
//                          of the LogGroupList for decode, parse and transform, of the rows' text for batch and
//                          compress, of the compressed body for upload
//   allocations_per_event  calls of operator new on the timed thread, after one untimed pass over all inputs
//   ratio                  of rows that compress: bytes of the raw JSON bodies to bytes on the wire
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "bench/corpus.hpp"

namespace bench {

// Ends the program, with the reason, when a row's output is not what it must be: a fast wrong answer is no result.
void demand(bool holds, std::string_view what);

// For a tool that counts instructions: rows added from now on run just so many iterations, once, without their check,
// and under callgrind only the loop that is otherwise timed is instrumented (--instr-atstart=no). The counter `events`
// says what to divide by.
void count_iterations(std::uint64_t iterations);

// `check` is true in the first call of a row: then its output is compared, outside the timing.
using row_function = std::function<void(benchmark::State&, bool check)>;
benchmark::internal::Benchmark* add_row(const std::string& name, row_function);
// One row per corpus: `prefix`/CORPUS.
using corpus_row_function = std::function<void(benchmark::State&, bool check, const corpus&)>;
void add_corpus_rows(const std::string& prefix, corpora&, corpus_row_function);

// Made after the untimed pass, asked after the timed loop.
class meter {
 public:
  explicit meter(benchmark::State&);
  void add(std::size_t events, std::size_t bytes) {
    events_ += events;
    bytes_ += bytes;
  }
  void report();

 private:
  benchmark::State& state_;
  std::uint64_t allocations_before_;
  std::uint64_t events_ = 0;
  std::uint64_t bytes_ = 0;
};

// Calls `one(i)` for the inputs 0 to count - 1 in turn: once each untimed, then timed. `one` returns nothing; what it
// made is compared by `check_one(i)` in the untimed pass when asked for.
template <class One, class Check>
void walk(benchmark::State& state, std::size_t count, bool check, One one, Check check_one,
          const std::vector<std::size_t>& events, const std::vector<std::size_t>& bytes) {
  for (std::size_t i = 0; i < count; ++i) {
    one(i);
    if (check) check_one(i);
  }
  meter counts(state);
  std::size_t i = 0;
  for (auto _ : state) {
    one(i);
    counts.add(events[i], bytes[i]);
    if (++i == count) i = 0;
  }
  counts.report();
}

// Every file's rows, in the order of the data path.
void add_fetch_rows(corpora&);
void add_decompress_rows(corpora&);
void add_decode_rows(corpora&);
void add_parse_rows(corpora&);
void add_transform_rows(corpora&);
void add_batch_rows(corpora&);
void add_compress_rows(corpora&);
void add_upload_rows(corpora&);
void add_data_path_rows(corpora&);
void add_primitive_rows();
void add_kernel_rows(corpora&);

}  // namespace bench
