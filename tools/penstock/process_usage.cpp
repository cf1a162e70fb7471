#include "tools/penstock/process_usage.hpp"

#include <sys/resource.h>

namespace penstock {

process_usage usage_now() {
  rusage r{};
  getrusage(RUSAGE_SELF, &r);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return {.cpu_s = seconds(r.ru_utime) + seconds(r.ru_stime),
          .peak_rss_bytes = static_cast<std::size_t>(r.ru_maxrss) * 1024};  // Linux counts KiB
}

}  // namespace penstock
