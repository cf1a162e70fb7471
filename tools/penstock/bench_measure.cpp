#include "tools/penstock/bench_measure.hpp"

#include <algorithm>
#include <cstddef>
#include <ctime>
#include <utility>

namespace penstock {
namespace {

double seconds_of(clockid_t which) {
  timespec now{};
  clock_gettime(which, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

double slice(const bench_task& task, double seconds, const bench_clocks& clocks) {
  const double wall_end = clocks.wall_s() + seconds;
  const double cpu_begin = clocks.cpu_s();
  std::uint64_t units = 0;
  do {
    task.pass();
    units += task.units;
  } while (clocks.wall_s() < wall_end);
  return (clocks.cpu_s() - cpu_begin) * 1e9 / static_cast<double>(units);
}

}  // namespace

bench_figure figure_of(std::string name, std::vector<double> ns_per_unit) {
  std::ranges::sort(ns_per_unit);
  const auto at = [&](double share) {
    const double place = share * static_cast<double>(ns_per_unit.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, ns_per_unit.size() - 1);
    return ns_per_unit[below] + (place - static_cast<double>(below)) * (ns_per_unit[above] - ns_per_unit[below]);
  };
  const double median = at(0.5);
  return {
      .name = std::move(name), .ns_per_unit = median, .spread = median > 0 ? (at(0.75) - at(0.25)) / 2 / median : 0};
}

bench_clocks thread_clocks() {
  return {.wall_s = [] { return seconds_of(CLOCK_MONOTONIC); },
          .cpu_s = [] { return seconds_of(CLOCK_THREAD_CPUTIME_ID); }};
}

std::vector<bench_figure> measure(const std::vector<bench_task>& tasks, double seconds, unsigned rounds,
                                  const bench_clocks& clocks) {
  const double slice_s = seconds / static_cast<double>(rounds) / static_cast<double>(tasks.size());
  std::vector<std::vector<double>> found(tasks.size());
  for (const bench_task& task : tasks) task.pass();
  for (unsigned round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < tasks.size(); ++i) found[i].push_back(slice(tasks[i], slice_s, clocks));
  }
  std::vector<bench_figure> out;
  for (std::size_t i = 0; i < tasks.size(); ++i) out.push_back(figure_of(tasks[i].name, std::move(found[i])));
  return out;
}

}  // namespace penstock
