// Cursors: base64 of a decimal 64-bit integer that grows by one per log group.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace emulator::sls {

std::string base64(std::string_view bytes);
// With or without padding; nothing when it is not base64.
std::optional<std::string> unbase64(std::string_view text);

std::string cursor_text(std::int64_t number);
std::optional<std::int64_t> cursor_number(std::string_view text);

}  // namespace emulator::sls
