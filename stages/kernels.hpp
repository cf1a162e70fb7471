// Which of the kernels that do the same work in different ways runs on this machine. For people: nothing decides by it.
//
// Escape (ours) and JSON index (simdjson's) are compiled per target into one binary and chosen at run time; ISA-L
// chooses within itself and cannot be asked. Pure but for what the processor says of itself; safe from any thread.
#pragma once

#include <string_view>
#include <vector>

#include "stages/config.hpp"
#include "stages/json_escape.hpp"

namespace stages {

std::string_view name_of(escape_kernel);
// What best_escape() gives here.
escape_kernel best_escape_kernel();
// All that this machine can run, the best first; `portable` is always the last.
std::vector<escape_kernel> escape_kernels();

// The one that parse finds its tokens with, in simdjson's words: icelake, haswell, westmere, arm64, fallback.
std::string_view index_kernel_name();
// All that this machine can run, the best first.
std::vector<std::string_view> index_kernel_names();

// The library and level that make_encoder gives for a setting of --compression.
std::string_view encoder_name(compression_level);

}  // namespace stages
