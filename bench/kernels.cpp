// kernel/NAME/CORPUS: code of ours of which there is one kind per instruction set, each forced. A kernel that the
// counting tool cannot run is held to its portable twin in the same run.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/row.hpp"
#include "stages/json_escape.hpp"

namespace bench {
namespace {

constexpr std::array<std::pair<std::string_view, stages::escape_kernel>, 3> escape_kernels{
    {{"portable", stages::escape_kernel::portable},
     {"avx2", stages::escape_kernel::avx2},
     {"avx512", stages::escape_kernel::avx512}}};

// The way back, one byte at a time. Control characters other than those with a letter do not stand in JSON texts.
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '\\' && i + 1 < text.size()) {
      c = text[++i];
      constexpr std::string_view letters = "bfnrt";
      const std::size_t letter = letters.find(c);
      if (letter != std::string_view::npos) c = "\b\f\n\r\t"[letter];
    }
    out += c;
  }
  return out;
}

void escape_row(benchmark::State& state, bool check, const corpus& in, stages::escape_function escape) {
  std::size_t bytes_max = 0;
  for (const auto& texts : in.events) {
    for (const std::string& text : texts) bytes_max = std::max(bytes_max, text.size());
  }
  std::vector<char> out(6 * bytes_max + stages::escape_slack);
  walk(
      state, in.events.size(), check,
      [&](std::size_t i) {
        for (const std::string& text : in.events[i]) benchmark::DoNotOptimize(escape(text, out.data()));
      },
      [&](std::size_t i) {
        for (const std::string& text : in.events[i]) {
          const char* const end = escape(text, out.data());
          demand(unescaped({out.data(), end}) == text, "kernel/escape: another text came out");
        }
      },
      in.event_counts, in.plain_bytes);
}

}  // namespace

void add_kernel_rows(corpora& all) {
  for (const auto& [name, kernel] : escape_kernels) {
    const stages::escape_function escape = stages::escape_with(kernel);
    if (escape == nullptr) continue;  // not on this machine
    add_corpus_rows(
        "kernel/escape_" + std::string(name), all,
        [escape](benchmark::State& state, bool check, const corpus& in) { escape_row(state, check, in, escape); });
  }
}

}  // namespace bench
