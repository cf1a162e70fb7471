#include "stages/escape_check.hpp"

#include <bit>
#include <cassert>
#include <cstdint>
#include <cstring>

#include "stages/json_grammar.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace stages {
namespace {

using engine::byte_view;
using json::hex4;

// Judges escapes one after the other, from left to right.
class escape_judge {
 public:
  // p: the byte after the backslash. False: no such escape.
  bool accept(const char* p) {
    switch (*p) {
      case '"':
      case '\\':
      case '/':
      case 'b':
      case 'f':
      case 'n':
      case 'r':
      case 't':
        return true;
      case 'u':
        return accept_unicode(p);
      default:
        return false;
    }
  }
  [[nodiscard]] bool lone_surrogate() const { return lone_surrogate_; }

 private:
  bool accept_unicode(const char* p) {
    const std::uint32_t unit = hex4(p + 1);
    if (unit > 0xffff) return false;
    if (unit >> 11 != 0xd800 >> 11) return true;
    if (unit < 0xdc00) {
      const bool paired = p[5] == '\\' && p[6] == 'u' && hex4(p + 7) >> 10 == 0xdc00 >> 10;
      if (paired) {
        low_half_ = p + 6;
      } else {
        lone_surrogate_ = true;
      }
    } else if (p != low_half_) {
      lone_surrogate_ = true;
    }
    return true;
  }

  const char* low_half_ = nullptr;  // the low surrogate that belongs to the high one just seen
  bool lone_surrogate_ = false;
};

bool check_portable(byte_view text, bool& needs_repair) {
  escape_judge judge;
  const char* const end = text.data() + text.size();
  for (const char* p = text.data();;) {
    p = static_cast<const char*>(std::memchr(p, '\\', static_cast<std::size_t>(end - p)));
    if (p == nullptr || ++p == end) break;
    if (!judge.accept(p)) return false;
    ++p;
  }
  if (judge.lone_surrogate()) needs_repair = true;
  return true;
}

#if defined(__x86_64__)

// Which of 64 bytes are backslashes and which are quotes: bit n for byte n.
struct block_masks {
  std::uint64_t backslashes;
  std::uint64_t quotes;
};

// masks_of is compiled for the caller's instruction set and inlined there, and so must this be.
template <block_masks masks_of(const char*)>
[[gnu::always_inline]] inline bool check_blocks(byte_view text, bool& needs_repair) {
  constexpr std::uint64_t odd_bits = 0xaaaa'aaaa'aaaa'aaaa;
  escape_judge judge;
  const char* const end = text.data() + text.size();
  std::uint64_t first_is_escaped = 0;  // the block before ended in the middle of an escape
  for (const char* p = text.data(); p < end; p += 64) {
    const auto left = static_cast<std::size_t>(end - p);
    const std::uint64_t inside = left >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << left) - 1;
    const block_masks masks = masks_of(p);
    const std::uint64_t backslashes = masks.backslashes & inside;
    if ((backslashes | first_is_escaped) == 0) continue;
    // Of a run of backslashes every second is escaped. The subtraction carries through each run and so finds its end
    // (simdjson's algorithm, json_escape_scanner).
    const std::uint64_t starting = backslashes & ~first_is_escaped;
    const std::uint64_t maybe_escaped = starting << 1;
    const std::uint64_t even_odd = ((maybe_escaped | odd_bits) - starting) ^ odd_bits;
    const std::uint64_t escaped = even_odd ^ (backslashes | first_is_escaped);
    first_is_escaped = (even_odd & backslashes) >> 63;
    for (std::uint64_t rest = escaped & inside & ~(backslashes | masks.quotes); rest != 0; rest &= rest - 1) {
      if (!judge.accept(p + std::countr_zero(rest))) return false;
    }
  }
  if (judge.lone_surrogate()) needs_repair = true;
  return true;
}

__attribute__((target("avx2,bmi"))) inline block_masks masks_avx2(const char* p) {
  const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 32));
  const auto mask_of = [low, high](char wanted) __attribute__((target("avx2,bmi"))) {
    const __m256i all = _mm256_set1_epi8(wanted);
    const auto first = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, all)));
    const auto second = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, all)));
    return first | std::uint64_t{second} << 32;
  };
  return {.backslashes = mask_of('\\'), .quotes = mask_of('"')};
}

__attribute__((target("avx2,bmi"))) bool check_avx2(byte_view text, bool& needs_repair) {
  return check_blocks<masks_avx2>(text, needs_repair);
}

#endif

}  // namespace

escape_check escape_check_with(kernel kind) {
  assert(runs_here(kind));
#if defined(__x86_64__)
  if (kind != kernel::portable) return check_avx2;
#endif
  return check_portable;
}

}  // namespace stages
