#include "stages/json_escape.hpp"

#include <array>
#include <cassert>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace stages {
namespace {

using engine::byte_view;

char* escape_byte(char c, char* out) {
  switch (c) {
    case '"':
    case '\\':
      break;
    case '\b':
      c = 'b';
      break;
    case '\f':
      c = 'f';
      break;
    case '\n':
      c = 'n';
      break;
    case '\r':
      c = 'r';
      break;
    case '\t':
      c = 't';
      break;
    default: {
      constexpr const char* digits = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(c);
      if (byte >= 0x20) {
        *out = c;
        return out + 1;
      }
      std::memcpy(out, "\\u00", 4);
      out[4] = digits[byte >> 4];
      out[5] = digits[byte & 15];
      return out + 6;
    }
  }
  out[0] = '\\';
  out[1] = c;
  return out + 2;
}

char* escape_portable(byte_view text, char* out) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && c != '"' && c != '\\') [[likely]] {
      *out++ = c;
    } else {
      out = escape_byte(c, out);
    }
  }
  return out;
}

#if defined(__x86_64__)

// Where the eight bytes go for each set of bytes to escape, and the backslashes between them. 8 KiB, which stay in L1.
struct spread_tables {
  alignas(16) std::array<std::array<unsigned char, 16>, 256> source{};
  alignas(16) std::array<std::array<unsigned char, 16>, 256> backslashes{};
};

constexpr spread_tables make_spread_tables() {
  constexpr unsigned char nothing = 0x80;  // pshufb writes 0 for an index with the top bit
  spread_tables tables;
  for (unsigned set = 0; set < 256; ++set) {
    unsigned at = 0;
    tables.source[set].fill(nothing);
    for (unsigned i = 0; i < 8; ++i) {
      if ((set >> i & 1) != 0) tables.backslashes[set][at++] = '\\';
      tables.source[set][at++] = static_cast<unsigned char>(i);
    }
  }
  return tables;
}

constexpr spread_tables spread = make_spread_tables();

__attribute__((target("avx2,popcnt"))) char* escape_avx2(byte_view text, char* out) {
  const __m256i quotes = _mm256_set1_epi8('"');
  const __m256i backslashes = _mm256_set1_epi8('\\');
  const __m256i last_control = _mm256_set1_epi8(0x1f);
  const char* at = text.data();
  std::size_t left = text.size();
  for (; left >= 32; at += 32, left -= 32) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
    const __m256i controls = _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, last_control), bytes);
    if (_mm256_movemask_epi8(controls) != 0) [[unlikely]] {
      out = escape_portable({at, 32}, out);
      continue;
    }
    const __m256i special = _mm256_or_si256(_mm256_cmpeq_epi8(bytes, quotes), _mm256_cmpeq_epi8(bytes, backslashes));
    const auto mask = static_cast<unsigned>(_mm256_movemask_epi8(special));
    if (mask == 0) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), bytes);
      out += 32;
      continue;
    }
    for (unsigned i = 0; i < 4; ++i) {
      const unsigned set = mask >> (8 * i) & 0xff;
      const __m128i eight = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(at + 8 * i));
      const __m128i places = _mm_load_si128(reinterpret_cast<const __m128i*>(spread.source[set].data()));
      const __m128i between = _mm_load_si128(reinterpret_cast<const __m128i*>(spread.backslashes[set].data()));
      const __m128i wide = _mm_or_si128(_mm_shuffle_epi8(eight, places), between);
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out), wide);
      out += 8 + __builtin_popcount(set);
    }
  }
  return escape_portable({at, left}, out);
}

// 32 bytes become 32 pairs (backslash, byte); vpcompressb drops the backslashes not wanted.
__attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi2,bmi2,popcnt"))) char* escape_avx512(byte_view text,
                                                                                                 char* out) {
  const __m256i quotes = _mm256_set1_epi8('"');
  const __m256i backslashes = _mm256_set1_epi8('\\');
  const __m256i first_text = _mm256_set1_epi8(0x20);
  const __m512i pairs_of_backslash = _mm512_set1_epi16('\\');
  constexpr unsigned long long bytes_of_pairs = 0xaaaaaaaaaaaaaaaa;
  constexpr unsigned long long backslashes_of_pairs = 0x5555555555555555;
  const char* at = text.data();
  std::size_t left = text.size();
  for (; left >= 32; at += 32, left -= 32) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
    if (_mm256_cmplt_epu8_mask(bytes, first_text) != 0) [[unlikely]] {
      out = escape_portable({at, 32}, out);
      continue;
    }
    const unsigned mask = _mm256_cmpeq_epi8_mask(bytes, quotes) | _mm256_cmpeq_epi8_mask(bytes, backslashes);
    const __m512i pairs = _mm512_or_si512(_mm512_slli_epi16(_mm512_cvtepu8_epi16(bytes), 8), pairs_of_backslash);
    const unsigned long long kept = _pdep_u64(mask, backslashes_of_pairs) | bytes_of_pairs;
    _mm512_storeu_si512(out, _mm512_maskz_compress_epi8(kept, pairs));
    out += 32 + __builtin_popcount(mask);
  }
  return escape_portable({at, left}, out);
}

#endif

}  // namespace

escape_function escape_with(kernel kind) {
  assert(runs_here(kind));
  switch (kind) {
    case kernel::portable:
      break;
#if defined(__x86_64__)
    case kernel::avx2:
      return escape_avx2;
    case kernel::avx512:
      return escape_avx512;
#else
    case kernel::avx2:
    case kernel::avx512:
      break;
#endif
  }
  return escape_portable;
}

}  // namespace stages
