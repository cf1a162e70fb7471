// What OpenSSL says of the processor, in its own notation: bit 57 of the first word of ia32cap is AES-NI, bit 41 of the
// second VAES; bit 2 of armcap the AES instructions of ARMv8. An operator's OPENSSL_ia32cap is already applied.
#include <openssl/crypto.h>

#include <charconv>
#include <cstdint>
#include <string>

#include "tools/penstock/bench_tls.hpp"

namespace penstock {
namespace {

constexpr unsigned aes_ni_bit = 57;
constexpr unsigned vaes_bit = 41;
constexpr unsigned armv8_aes_bit = 2;

// The hexadecimal number after `name`, 0 when there is none.
std::uint64_t word_after(std::string_view text, std::string_view name) {
  std::uint64_t out = 0;
  if (const auto at = text.find(name); at != std::string_view::npos) {
    const std::string_view digits = text.substr(at + name.size());
    std::from_chars(digits.data(), digits.data() + digits.size(), out, 16);
  }
  return out;
}

bool has(std::uint64_t word, unsigned bit) { return (word >> bit & 1) != 0; }

}  // namespace

std::string aes_instructions(std::string_view openssl_cpu_settings) {
  if (has(word_after(openssl_cpu_settings, "OPENSSL_armcap=0x"), armv8_aes_bit)) return "ARMv8 AES";
  if (!has(word_after(openssl_cpu_settings, "OPENSSL_ia32cap=0x"), aes_ni_bit)) return "";
  return has(word_after(openssl_cpu_settings, ":0x"), vaes_bit) ? "AES-NI, VAES" : "AES-NI";
}

std::string aes_instructions_here() {
  const char* const settings = OPENSSL_info(OPENSSL_INFO_CPU_SETTINGS);
  return settings == nullptr ? "" : aes_instructions(settings);
}

}  // namespace penstock
