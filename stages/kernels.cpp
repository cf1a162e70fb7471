#include "stages/kernels.hpp"

#include <simdjson.h>

namespace stages {

std::string_view name_of(escape_kernel kernel) {
  switch (kernel) {
    case escape_kernel::portable:
      return "portable";
    case escape_kernel::avx2:
      return "avx2";
    case escape_kernel::avx512:
      return "avx512";
  }
  return "unknown";
}

std::vector<escape_kernel> escape_kernels() {
  std::vector<escape_kernel> out;
  for (const auto kernel : {escape_kernel::avx512, escape_kernel::avx2, escape_kernel::portable}) {
    if (escape_with(kernel) != nullptr) out.push_back(kernel);
  }
  return out;
}

escape_kernel best_escape_kernel() {
  for (const auto kernel : escape_kernels()) {
    if (escape_with(kernel) == best_escape()) return kernel;
  }
  return escape_kernel::portable;
}

// The library's names are members of objects that live as long as the program. Asked before its first use, its place
// keeper looks at the processor and answers for what it chose.
std::string_view index_kernel_name() { return simdjson::get_active_implementation()->name(); }

std::vector<std::string_view> index_kernel_names() {
  std::vector<std::string_view> out;
  for (const simdjson::implementation* one : simdjson::get_available_implementations()) {
    if (one->supported_by_runtime_system()) out.push_back(one->name());
  }
  return out;
}

std::string_view encoder_name(compression_level level) {
  switch (level) {
    case compression_level::none:
      return "none";
    case compression_level::small:
      return "libdeflate, level 6";
    case compression_level::fast:
      break;
  }
#if defined(PENSTOCK_HAVE_ISAL)
  return "ISA-L igzip, level 1";
#else
  return "libdeflate, level 1";
#endif
}

}  // namespace stages
