// The faults that prove the ledger sees: one row of an accepted body lost, changed in one byte, or doubled.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "../fault_plan.hpp"

namespace emulator {

// The body as it is stored instead; nothing when the kind is another one or no row can be spoilt so. body: a JSON array
// of objects. draw chooses the row and the byte. A changed byte leaves the body JSON and the row's event id as it was.
[[nodiscard]] std::optional<std::string> spoil_rows(std::string_view body, fault_kind kind, std::uint64_t draw);

}  // namespace emulator
