#include "stages/kernels.hpp"

#include <simdjson.h>

namespace stages {

// avx512: what Ice Lake and Zen 4 brought together. A kernel may use less of it.
bool runs_here(kernel kind) {
  switch (kind) {
    case kernel::portable:
      return true;
#if defined(__x86_64__)
    case kernel::avx2:
      return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("bmi") != 0 &&
             __builtin_cpu_supports("popcnt") != 0;
    case kernel::avx512:
      return __builtin_cpu_supports("avx512vbmi2") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
             __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("bmi2") != 0;
#else
    case kernel::avx2:
    case kernel::avx512:
      break;
#endif
  }
  return false;
}

std::vector<kernel> kernels_here() {
  std::vector<kernel> out;
  for (const auto kind : {kernel::avx512, kernel::avx2, kernel::portable}) {
    if (runs_here(kind)) out.push_back(kind);
  }
  return out;
}

kernel best_kernel() {
  static const kernel best = kernels_here().front();
  return best;
}

std::string_view name_of(kernel kind) {
  switch (kind) {
    case kernel::portable:
      return "portable";
    case kernel::avx2:
      return "avx2";
    case kernel::avx512:
      return "avx512";
  }
  return "unknown";
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
