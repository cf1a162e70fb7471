// penstock-bench [--corpus FILE.ndjson] [--benchmark_filter=REGEX] [--benchmark_format=json] ...
//
// Rows  stage/NAME/CORPUS      one stage alone; fetch_tls and upload_tls: over TLS on loopback
//       chain/FORMAT/CORPUS    decompress to compress on one core, LZ4 in, gzip out
//       primitive/NAME         queue, budget, permits, acknowledgement line, CPU pool
// --corpus adds the corpus `file`: one event per line.
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "bench/row.hpp"

namespace {

// Takes --corpus FILE or --corpus=FILE out of the arguments; the rest belongs to the benchmark library.
std::string take_corpus_file(std::vector<char*>& arguments) {
  std::string file;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string_view word = arguments[i];
    std::size_t words = 0;
    if (word == "--corpus" && i + 1 < arguments.size()) {
      file = arguments[i + 1];
      words = 2;
    } else if (word.starts_with("--corpus=")) {
      file = word.substr(9);
      words = 1;
    }
    if (words == 0) continue;
    const auto at = arguments.begin() + static_cast<std::ptrdiff_t>(i);
    arguments.erase(at, at + static_cast<std::ptrdiff_t>(words));
    --i;
  }
  return file;
}

int run(std::vector<char*>& arguments) {
  bench::corpora all(take_corpus_file(arguments));
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
  bench::add_primitive_rows();
  if (benchmark::RunSpecifiedBenchmarks() == 0) return 2;
  benchmark::Shutdown();
  return 0;
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
