// How often the program has called operator new. Weak, so that another counter (a sanitizer's allocator) may take its
// place: then nothing is counted, and counts_allocations() says so.
#pragma once

#include <cstddef>

namespace tests {

[[nodiscard]] std::size_t allocations();
[[nodiscard]] bool counts_allocations();

}  // namespace tests
