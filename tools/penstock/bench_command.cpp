// penstock bench: what this machine can do, without a network or a configuration.
#include <sys/utsname.h>

#include <csignal>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <thread>
#include <utility>

#include "stages/kernels.hpp"
#include "tools/penstock/bench_report.hpp"
#include "tools/penstock/bench_stages.hpp"
#include "tools/penstock/bench_tls.hpp"
#include "tools/penstock/commands.hpp"

namespace penstock {
namespace {

constexpr std::uint64_t seed = 20'261'120;
// 16 MiB of plain bytes: more than the second-level cache, so that stages walk over memory as they do in service.
constexpr std::size_t block_count = 8;
constexpr std::size_t block_bytes = 2 * engine::mib;
constexpr unsigned rounds = 10;

std::string processor_here() {
  std::ifstream file("/proc/cpuinfo");
  const std::string cpuinfo{std::istreambuf_iterator<char>(file), {}};
  utsname system{};
  return processor_name(cpuinfo, ::uname(&system) == 0 ? system.machine : "unknown processor");
}

std::vector<bench_kernel> kernels_in_use(const std::string& tls_protocol) {
  std::vector<bench_kernel> out;
  bench_kernel escape{
      .family = "JSON escape", .active = std::string(stages::name_of(stages::best_kernel())), .available = {}};
  for (const auto kind : stages::kernels_here()) escape.available.emplace_back(stages::name_of(kind));
  out.push_back(std::move(escape));
  bench_kernel index{.family = "JSON index", .active = std::string(stages::index_kernel_name()), .available = {}};
  for (const auto name : stages::index_kernel_names()) index.available.emplace_back(name);
  out.push_back(std::move(index));
  using level = stages::compression_level;
  out.push_back({.family = "gzip fast", .active = std::string(stages::encoder_name(level::fast)), .available = {}});
  out.push_back({.family = "gzip small", .active = std::string(stages::encoder_name(level::small)), .available = {}});
  const std::string aes = aes_instructions_here();
  out.push_back(
      {.family = "TLS", .active = (aes.empty() ? "no AES instructions" : aes) + "; " + tls_protocol, .available = {}});
  return out;
}

}  // namespace

int bench_command(const command_line& line) {
  std::signal(SIGPIPE, SIG_IGN);  // a connection that breaks is a failed write, with a sentence
  const bench_blocks blocks = make_bench_blocks(seed, block_count, block_bytes);
  bench_stages all(blocks);
  auto tasks = all.tasks();
  const std::size_t stage_count = tasks.size();
  const auto tls = tls_loopback::open();
  if (tls) {
    for (auto& task : (*tls)->tasks()) tasks.push_back(std::move(task));
  }
  auto figures = measure(tasks, line.seconds, rounds, thread_clocks());
  const auto first_tls = figures.begin() + static_cast<std::ptrdiff_t>(stage_count);
  const auto events = static_cast<double>(blocks.events);
  bench_result result{.version = PENSTOCK_VERSION,
                      .processor = processor_here(),
                      .cores = std::max(1U, std::thread::hardware_concurrency()),
                      .seed = seed,
                      .events = blocks.events,
                      .event_bytes = static_cast<double>(blocks.text_bytes) / events,
                      .received_bytes = static_cast<double>(blocks.wire_bytes) / events,
                      .typed_wire_bytes = all.typed_wire_bytes_per_event(),
                      .value_wire_bytes = all.value_wire_bytes_per_event(),
                      .kernels = {},
                      .stages = {figures.begin(), first_tls},
                      .tls = {first_tls, figures.end()},
                      .tls_protocol = tls ? (*tls)->protocol() : tls.error()};
  result.kernels = kernels_in_use(tls ? result.tls_protocol : "not measured");
  std::cout << (line.json ? bench_json(result, reference_figures()) : bench_text(result, reference_figures()));
  return exit_done;
}

}  // namespace penstock
