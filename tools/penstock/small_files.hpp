// Small files others wait for: written beside their place and renamed into it, so that a reader never sees half of one.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace penstock {

std::expected<void, std::string> write_whole_file(const std::string& path, std::string_view text);

}  // namespace penstock
