// The cut rule (architecture, "Over-long fields"): what a row may hold in place of a field the service would truncate.
//
// A field is replaced by {"penstock_cut":{"bytes":N,"sha256":"hex"}}, as text in text columns. Whether N and the digest
// of a string are taken of its JSON token, of what stands between its quotes, or of its decoded bytes is not fixed:
// each passes.
#pragma once

#include <cstdint>
#include <string_view>

#include "typed_row.hpp"

namespace emulator {

struct log_time {
  std::uint32_t s = 0;
  std::uint32_t ns = 0;  // 0 when absent
};

// Whether `received` is `stored` (over field_bytes_max) with fields replaced in the rule's order until the text fits.
[[nodiscard]] bool value_cut_matches(std::string_view stored, std::string_view received);

// Whether each column of `received` is the stored event's, or its mark where that is over field_bytes_max.
[[nodiscard]] bool typed_cut_matches(std::string_view stored, log_time, const typed_row& received);

}  // namespace emulator
