// Whole small files as text: configuration and secrets.
#pragma once

#include <cstddef>
#include <expected>
#include <filesystem>
#include <string>

namespace engine {

// The file's bytes, or why not in words ("is larger than 4MiB", "cannot be read: Permission denied"). Only regular
// files (links to them included): a pipe or device could hold us up for ever or never end.
std::expected<std::string, std::string> read_small_file(const std::filesystem::path&, std::size_t bytes_max);

}  // namespace engine
