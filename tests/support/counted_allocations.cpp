#include "tests/support/counted_allocations.hpp"

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>

namespace {
std::atomic<std::size_t> count = 0;
}

[[gnu::weak]] void* operator new(std::size_t size) {
  ++count;
  void* const bytes = std::malloc(size == 0 ? 1 : size);
  if (bytes == nullptr) throw std::bad_alloc();
  return bytes;
}
[[gnu::weak]] void operator delete(void* bytes) noexcept { std::free(bytes); }
[[gnu::weak]] void operator delete(void* bytes, std::size_t) noexcept { std::free(bytes); }

namespace tests {

std::size_t allocations() { return count; }

bool counts_allocations() {
  const std::size_t before = count;
  delete new std::string(100, 'x');
  return count != before;
}

}  // namespace tests
