// What this process has cost so far.
#pragma once

#include <cstddef>

namespace penstock {

struct process_usage {
  double cpu_s = 0;
  std::size_t peak_rss_bytes = 0;
};
process_usage usage_now();

}  // namespace penstock
