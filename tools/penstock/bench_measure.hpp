// How a thing is measured that is done over and over: in slices, by the CPU time of the calling thread, which other
// programs on the machine disturb least. Several things take turns, so that a slow moment hits all of them alike.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace penstock {

// One thing to measure. `pass` does all of it once and throws when its result is wrong.
struct bench_task {
  std::string name;
  std::uint64_t units = 0;  // events or bytes in a pass
  std::function<void()> pass;
};

struct bench_figure {
  std::string name;
  double ns_per_unit = 0;  // median of the slices
  double spread = 0;       // half of what lies between the quartiles, as a share of the median
};

// Of the slices' figures, at least one.
bench_figure figure_of(std::string name, std::vector<double> ns_per_unit);

// Seconds since some moment.
struct bench_clocks {
  std::function<double()> wall_s;
  std::function<double()> cpu_s;  // used by the calling thread
};
bench_clocks thread_clocks();

// Each task runs once untimed, then `rounds` times for its share of `seconds` of wall time, whole passes only.
std::vector<bench_figure> measure(const std::vector<bench_task>&, double seconds, unsigned rounds, const bench_clocks&);

}  // namespace penstock
