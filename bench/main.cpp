// penstock-bench [--corpus FILE.ndjson] [--count-iterations N] [--benchmark_filter=REGEX] [--benchmark_format=json] ...
//
// Rows  stage/NAME/CORPUS      one stage alone; fetch_tls and upload_tls: over TLS on loopback
//       chain/FORMAT/CORPUS    decompress to compress on one core, LZ4 in, gzip out
//       primitive/NAME         queue, budget, permits, acknowledgement line, CPU pool
//       scaling/NAME           the chain of one destination on 1 and 2 CPU workers
//       kernel/NAME/CORPUS     code of ours that is chosen at run time, each kind of it that this machine can run
// --corpus adds the corpus `file`: one event per line; what is left out or cut is said on stderr.
// Ends with 1 when a row's output is wrong, with 2 when it cannot run as asked.
// --count-iterations N runs one row exactly N iterations, once and unchecked, for tools/bench_counts.py.
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "bench/plain_chain.hpp"
#include "bench/row.hpp"
#include "bench/scaling.hpp"

namespace {

// Takes NAME VALUE or NAME=VALUE out of the arguments and returns the last value; the rest belongs to the benchmark
// library.
std::string take_option(std::vector<char*>& arguments, std::string_view name) {
  std::string value;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string_view word = arguments[i];
    std::size_t words = 0;
    if (word == name && i + 1 < arguments.size()) {
      value = arguments[i + 1];
      words = 2;
    } else if (word == name) {
      throw std::runtime_error(std::string(name) + " needs a value");
    } else if (word.starts_with(name) && word.substr(name.size()).starts_with('=')) {
      value = word.substr(name.size() + 1);
      words = 1;
    }
    if (words == 0) continue;
    if (value.empty()) throw std::runtime_error(std::string(name) + " needs a value");
    const auto at = arguments.begin() + static_cast<std::ptrdiff_t>(i);
    arguments.erase(at, at + static_cast<std::ptrdiff_t>(words));
    --i;
  }
  return value;
}

// 0 when rows are to be timed.
std::uint64_t take_counted_iterations(std::vector<char*>& arguments) {
  const std::string text = take_option(arguments, "--count-iterations");
  if (text.empty()) return 0;
  std::uint64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size() || value == 0) {
    throw std::runtime_error("--count-iterations: " + text + " is not a whole number above 0");
  }
  return value;
}

int run(std::vector<char*>& arguments) {
  bench::corpora all(take_option(arguments, "--corpus"));
  const std::uint64_t counted_iterations = take_counted_iterations(arguments);
  bench::count_iterations(counted_iterations);
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 2;
  bench::add_fetch_rows(all);
  bench::add_decompress_rows(all);
  bench::add_decode_rows(all);
  bench::add_parse_rows(all);
  bench::add_transform_rows(all);
  bench::add_batch_rows(all);
  bench::add_compress_rows(all);
  bench::add_upload_rows(all);
  bench::add_data_path_rows(all);
  bench::add_plain_chain_rows(all);
  bench::add_primitive_rows();
  bench::add_scaling_rows(all);
  bench::add_kernel_rows(all);
  const std::size_t rows = benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  if (counted_iterations > 0 && rows != 1) throw std::runtime_error("--count-iterations is for one row at a time");
  return rows == 0 ? 2 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<char*> arguments(argv, argv + argc);
  try {
    return run(arguments);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "penstock-bench: %s\n", failure.what());
    return 2;
  }
}
