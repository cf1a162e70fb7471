// What workers of one destination gain together. Typed rows, or value rows where the name ends so.
//
// scaling/threads_N: N workers; real time, and CPU time of the whole process.
// scaling/speedup: 1 and 2 workers in turn within one iteration, so that both see the same machine. Of each the best
// pass counts, as other load can only make a pass slower. Its counters:
//   speedup           by the clock; wants two free cores.
//   speedup_unloaded  without the time in which a worker was ready to run and another program had its core, which the
//                     kernel counts for each thread. Time at locks stays in, and so does waiting for a worker that was
//                     itself kept from running: on a busy machine it says too little rather than too much.
//   cpu_us_per_event  what sharing costs in work: cache lines that move, locks that spin.
#include "bench/scaling.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <limits>
#include <string>

#include "bench/check.hpp"
#include "bench/row.hpp"
#include "bench/shared_chain.hpp"

namespace bench {
namespace {

constexpr std::uint32_t routes = 16;
constexpr std::size_t blocks_each = 4;  // in a pass; short, so that some pass meets a quiet moment

// CPU time of all threads of the process.
double process_cpu_s() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// Every block once, each by a route of its own, on two workers: compared event by event.
void check_events(const corpus& in, stages::row_format format) {
  shared_chain chain(in, format, 2);
  row_check expected(in);
  chain.pass(static_cast<std::uint32_t>(in.blocks.size()), 1, &expected);
  chain.finish();
  expected.demand_all("scaling");
}

struct pass_cost {
  double real_s = 0;
  double unloaded_s = 0;
  double cpu_s = 0;
  double events = 0;
};

pass_cost timed_pass(shared_chain& chain) {
  const std::uint64_t events_before = chain.events_in();
  const double cpu_before = process_cpu_s();
  const double ready_before = chain.ready_s();
  const auto begun = std::chrono::steady_clock::now();
  chain.pass(routes, blocks_each, nullptr);
  pass_cost out;
  out.real_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  out.unloaded_s = out.real_s - (chain.ready_s() - ready_before);
  out.cpu_s = process_cpu_s() - cpu_before;
  out.events = static_cast<double>(chain.events_in() - events_before);
  return out;
}

void threads_row(benchmark::State& state, bool check, const corpus& in, stages::row_format format, unsigned workers) {
  if (check) check_events(in, format);
  shared_chain chain(in, format, workers);
  chain.pass(routes, blocks_each, nullptr);  // scratch and encoders exist before the clock runs
  double events = 0;
  double cpu_s = 0;
  for (auto _ : state) {
    const pass_cost cost = timed_pass(chain);
    events += cost.events;
    cpu_s += cost.cpu_s;
  }
  chain.finish();
  state.counters["events_per_second"] = benchmark::Counter(events, benchmark::Counter::kIsRate);
  state.counters["cpu_us_per_event"] = cpu_s * 1e6 / events;
}

// The passes of one number of workers: the quickest by the clock, the cheapest by CPU time.
struct best_pass {
  double events_per_second = 0;
  double events_per_second_unloaded = 0;
  double cpu_us_per_event = std::numeric_limits<double>::infinity();
  void add(const pass_cost& cost) {
    events_per_second = std::max(events_per_second, cost.events / cost.real_s);
    events_per_second_unloaded = std::max(events_per_second_unloaded, cost.events / cost.unloaded_s);
    cpu_us_per_event = std::min(cpu_us_per_event, cost.cpu_s * 1e6 / cost.events);
  }
};

void speedup_row(benchmark::State& state, bool check, const corpus& in, stages::row_format format) {
  if (check) check_events(in, format);
  shared_chain one(in, format, 1);
  shared_chain two(in, format, 2);
  one.pass(routes, blocks_each, nullptr);
  two.pass(routes, blocks_each, nullptr);
  best_pass best_one;
  best_pass best_two;
  for (auto _ : state) {
    best_one.add(timed_pass(one));
    best_two.add(timed_pass(two));
  }
  one.finish();
  two.finish();
  state.counters["speedup"] = best_two.events_per_second / best_one.events_per_second;
  state.counters["speedup_unloaded"] = best_two.events_per_second_unloaded / best_one.events_per_second_unloaded;
  state.counters["events_per_second_1"] = best_one.events_per_second;
  state.counters["events_per_second_2"] = best_two.events_per_second;
  state.counters["events_per_second_unloaded_1"] = best_one.events_per_second_unloaded;
  state.counters["events_per_second_unloaded_2"] = best_two.events_per_second_unloaded;
  state.counters["cpu_us_per_event_1"] = best_one.cpu_us_per_event;
  state.counters["cpu_us_per_event_2"] = best_two.cpu_us_per_event;
}

void add_format(corpora& all, stages::row_format format, const std::string& ending) {
  for (const unsigned workers : {1U, 2U}) {
    add_row("scaling/threads_" + std::to_string(workers) + ending,
            [&all, format, workers](benchmark::State& state, bool check) {
              threads_row(state, check, all.get("typical"), format, workers);
            })
        ->UseRealTime()
        ->MeasureProcessCPUTime();
  }
  add_row(
      "scaling/speedup" + ending,
      [&all, format](benchmark::State& state, bool check) { speedup_row(state, check, all.get("typical"), format); })
      ->UseRealTime()
      ->MeasureProcessCPUTime();
}

}  // namespace

void add_scaling_rows(corpora& all) {
  add_format(all, stages::row_format::typed, "");
  add_format(all, stages::row_format::value, "/value");
}

}  // namespace bench
