// kernel/NAME/CORPUS: code of ours of which there is one kind per instruction set, each forced. A kernel that the
// counting tool cannot run is held to its portable twin in the same run.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/row.hpp"
#include "stages/escape_check.hpp"
#include "stages/json_escape.hpp"

namespace bench {
namespace {

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

// Texts one behind the other, as a block has them; what follows the last one is readable.
struct joined_texts {
  explicit joined_texts(const std::vector<std::string>& texts) {
    for (const std::string& text : texts) bytes += text;
    bytes.append(64, ' ');
    for (std::size_t at = 0; const std::string& text : texts) {
      places.emplace_back(at, text.size());
      at += text.size();
    }
  }
  [[nodiscard]] std::string_view text(std::size_t i) const {
    return std::string_view(bytes).substr(places[i].first, places[i].second);
  }
  std::string bytes;
  std::vector<std::pair<std::size_t, std::size_t>> places;
};

void escape_check_row(benchmark::State& state, bool check, const corpus& in, stages::escape_check sound) {
  std::vector<joined_texts> blocks(in.events.begin(), in.events.end());
  bool needs_repair = false;
  walk(
      state, blocks.size(), check,
      [&](std::size_t i) {
        const joined_texts& block = blocks[i];
        for (std::size_t n = 0; n < block.places.size(); ++n) {
          benchmark::DoNotOptimize(sound(block.text(n), needs_repair));
        }
      },
      [&](std::size_t i) {
        for (std::size_t n = 0; n < blocks[i].places.size(); ++n) {
          demand(sound(blocks[i].text(n), needs_repair), "kernel/escape_check: a sound text is refused");
        }
        joined_texts broken = blocks[i];
        const std::size_t escape = broken.text(0).find('\\');
        if (escape == std::string_view::npos) return;
        broken.bytes[escape + 1] = 'x';
        demand(!sound(broken.text(0), needs_repair), "kernel/escape_check: a text with a bad escape passes");
      },
      in.event_counts, in.plain_bytes);
}

}  // namespace

void add_kernel_rows(corpora& all) {
  for (const stages::kernel kind : stages::kernels_here()) {
    const std::string name(stages::name_of(kind));
    add_corpus_rows("kernel/escape_" + name, all, [kind](benchmark::State& state, bool check, const corpus& in) {
      escape_row(state, check, in, stages::escape_with(kind));
    });
    if (kind == stages::kernel::avx512) continue;  // has no escape check of its own
    add_corpus_rows("kernel/escape_check_" + name, all, [kind](benchmark::State& state, bool check, const corpus& in) {
      escape_check_row(state, check, in, stages::escape_check_with(kind));
    });
  }
}

}  // namespace bench
