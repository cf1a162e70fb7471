// Code that does the same work in different ways for different processors: chosen when the program runs, so that one
// binary serves x86-64-v2 and newer, and other processors by the portable way.
//
// Ours are compiled per `kernel` (json_escape, escape_check); the JSON index is simdjson's, which chooses for itself;
// ISA-L chooses within itself and cannot be asked. Pure but for what the processor says of itself; safe from any
// thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "stages/config.hpp"

namespace stages {

enum class kernel : std::uint8_t { portable, avx2, avx512 };

// This processor and its system have what the kernel needs.
bool runs_here(kernel);
// All that run here, the best first; `portable` is always the last.
std::vector<kernel> kernels_here();
// What a stage uses when it is not told otherwise.
kernel best_kernel();
std::string_view name_of(kernel);

// The one that parse finds its tokens with, in simdjson's words: icelake, haswell, westmere, arm64, fallback.
std::string_view index_kernel_name();
// All that this machine can run, the best first.
std::vector<std::string_view> index_kernel_names();

// The library and level that make_encoder gives for a setting of --compression.
std::string_view encoder_name(compression_level);

}  // namespace stages
