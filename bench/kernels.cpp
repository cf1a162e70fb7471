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

// Texts one behind the other, as a block has them, and readable beyond the last one. No more than the second-level
// cache holds: kernels are compared by how many times one is as fast as another, and memory would be the same for all.
class cached_texts {
 public:
  explicit cached_texts(const corpus& in) {
    constexpr std::size_t bytes_wanted = 256 * engine::kib;
    for (const std::string& text : in.events.front()) {
      places_.emplace_back(bytes_.size(), text.size());
      bytes_ += text;
      bytes_max_ = std::max(bytes_max_, text.size());
      if (bytes_.size() >= bytes_wanted) break;
    }
    plain_bytes_ = bytes_.size();
    bytes_.append(64, ' ');
  }
  template <class use>
  void each(use one) const {
    for (const auto& [at, size] : places_) one(std::string_view(bytes_).substr(at, size));
  }
  [[nodiscard]] std::size_t text_bytes_max() const { return bytes_max_; }
  // The only block.
  template <class one_fn, class check_fn>
  void walk(benchmark::State& state, bool check, one_fn one, check_fn check_one) const {
    bench::walk(
        state, 1, check, [&](std::size_t) { each(one); }, [&](std::size_t) { each(check_one); }, {places_.size()},
        {plain_bytes_});
  }

 private:
  std::string bytes_;
  std::vector<std::pair<std::size_t, std::size_t>> places_;
  std::size_t plain_bytes_ = 0;
  std::size_t bytes_max_ = 0;
};

void escape_row(benchmark::State& state, bool check, const corpus& in, stages::escape_function escape) {
  const cached_texts texts(in);
  std::vector<char> out(6 * texts.text_bytes_max() + stages::escape_slack);
  texts.walk(
      state, check, [&](std::string_view text) { benchmark::DoNotOptimize(escape(text, out.data())); },
      [&](std::string_view text) {
        const char* const end = escape(text, out.data());
        demand(unescaped({out.data(), end}) == text, "kernel/escape: another text came out");
      });
}

void escape_check_row(benchmark::State& state, bool check, const corpus& in, stages::escape_check sound) {
  const cached_texts texts(in);
  bool needs_repair = false;
  texts.walk(
      state, check, [&](std::string_view text) { benchmark::DoNotOptimize(sound(text, needs_repair)); },
      [&](std::string_view text) {
        demand(sound(text, needs_repair), "kernel/escape_check: a sound text is refused");
        const std::size_t escape = text.find('\\');
        if (escape == std::string_view::npos) return;
        std::string broken(text);
        broken[escape + 1] = 'x';
        broken.append(64, ' ');
        demand(!sound(std::string_view(broken).substr(0, text.size()), needs_repair),
               "kernel/escape_check: a text with a bad escape passes");
      });
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
