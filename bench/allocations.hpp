// How often the calling thread has called operator new. malloc() of C libraries is not counted.
#pragma once

#include <cstdint>

namespace bench {

[[nodiscard]] std::uint64_t allocations();

}  // namespace bench
