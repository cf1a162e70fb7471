// Files other processes wait for: they appear whole or not at all.
#pragma once

#include <string>
#include <string_view>

namespace emulator {

// Writes beside the path and renames into place; readable by the owner only, since keys and secrets go through here.
// Throws std::runtime_error naming the path.
void write_renamed(const std::string& path, std::string_view content);

}  // namespace emulator
