// Which column a key of an event names, for parse.
//
// A perfect hash over the names of row_columns, which the compiler finds; keys written with escapes are read first.
// Pure; no byte outside the key is read.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <stdexcept>

#include "engine/base/bytes.hpp"
#include "stages/json_grammar.hpp"
#include "stages/row_columns.hpp"

namespace stages::json {

inline constexpr std::size_t name_bytes_min = 7;
inline constexpr std::size_t name_bytes_max = 20;

// A name of 4 to 24 bytes as three words that overlap as needed: two names are equal when length and words are, and no
// byte outside the name is read.
struct name_words {
  std::uint64_t first = 0;
  std::uint64_t middle = 0;
  std::uint64_t last = 0;
  friend bool operator==(const name_words&, const name_words&) = default;
};

template <class word>
constexpr word word_at(const char* p) {
  std::array<char, sizeof(word)> bytes{};
  std::copy_n(p, sizeof(word), bytes.begin());
  return std::bit_cast<word>(bytes);
}

constexpr name_words words_of(engine::byte_view name) {
  const char* const p = name.data();
  const std::size_t n = name.size();
  if (n < 8) return {.first = word_at<std::uint32_t>(p), .last = word_at<std::uint32_t>(p + n - 4)};
  return {.first = word_at<std::uint64_t>(p),
          .middle = word_at<std::uint64_t>(p + (n - 8) / 2),
          .last = word_at<std::uint64_t>(p + n - 8)};
}

// The words of a name tell the names apart; the multiplier is found by the compiler, not by luck.
class column_table {
 public:
  consteval column_table() {
    for (std::uint64_t i = 1; i < 4'096; ++i) {
      multiplier_ = i * 0x9e37'79b9'7f4a'7c15 | 1;
      if (fill()) return;
    }
    throw std::logic_error("no perfect hash for the column names");
  }

  // column_count when the key is no column.
  [[nodiscard]] std::size_t find(engine::byte_view key) const {
    if (key.size() < name_bytes_min || key.size() > name_bytes_max) return column_count;
    const name_words words = words_of(key);
    const slot& candidate = slots_[hash(words)];
    return candidate.size == key.size() && candidate.words == words ? candidate.column : column_count;
  }

 private:
  struct slot {
    name_words words;
    std::uint32_t size = 0;
    std::uint32_t column = column_count;
  };

  [[nodiscard]] constexpr std::size_t hash(const name_words& words) const {
    return (words.first + words.middle * 3 + words.last * 5) * multiplier_ >> (64 - slot_bits);
  }
  consteval bool fill() {
    slots_.fill({});
    for (std::uint32_t i = 0; i < column_count; ++i) {
      const engine::byte_view name = row_columns[i].name;
      if (name.size() < name_bytes_min || name.size() > name_bytes_max)
        throw std::logic_error("name of another length");
      slot& found = slots_[hash(words_of(name))];
      if (found.size != 0) return false;
      found = {.words = words_of(name), .size = static_cast<std::uint32_t>(name.size()), .column = i};
    }
    return true;
  }

  static constexpr unsigned slot_bits = 7;
  std::array<slot, 1 << slot_bits> slots_{};
  std::uint64_t multiplier_ = 0;
};
inline constexpr column_table columns;

// A key with escapes names what it reads as. Escapes that make no ASCII character make no column name either.
inline std::size_t find_escaped(engine::byte_view key) {
  std::array<char, name_bytes_max> plain{};
  std::size_t size = 0;
  for (std::size_t i = 0; i < key.size(); ++i) {
    char c = key[i];
    if (c == '\\') {
      if (i + 6 > key.size() || key[i + 1] != 'u') return column_count;
      const std::uint32_t unit = hex4(key.data() + i + 2);
      if (unit >= 0x80) return column_count;
      c = static_cast<char>(unit);
      i += 5;
    }
    if (size == plain.size()) return column_count;
    plain[size++] = c;
  }
  return columns.find({plain.data(), size});
}

// Apart, so that what nearly every key takes stays small enough to stand in the loop over members.
[[gnu::noinline]] inline std::size_t find_unknown(engine::byte_view key) {
  return key.find('\\') == engine::byte_view::npos ? column_count : find_escaped(key);
}

inline std::size_t find_column(engine::byte_view key) {
  const std::size_t found = columns.find(key);
  return found != column_count ? found : find_unknown(key);
}

}  // namespace stages::json
