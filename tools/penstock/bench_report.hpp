// What `penstock bench` says: pure, from what was measured to text or JSON.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/penstock/bench_measure.hpp"

namespace penstock {

struct bench_kernel {
  std::string family;  // "escape"
  std::string active;
  std::vector<std::string> available;  // all this machine has, the best first; empty: cannot be asked
};

// A row as published: the figure on the reference machine.
struct reference_figure {
  std::string_view name;
  double ns_per_unit = 0;
};
// Of this program, this input and this method; the machine is in reference_machine.
std::span<const reference_figure> reference_figures();
std::string_view reference_machine();

struct bench_result {
  std::string version;
  std::string processor;
  unsigned cores = 1;
  std::uint64_t seed = 0;
  std::uint64_t events = 0;
  double event_bytes = 0;       // mean text
  double received_bytes = 0;    // of LZ4 for each event
  double typed_wire_bytes = 0;  // of request body for each event
  double value_wire_bytes = 0;
  std::vector<bench_kernel> kernels;
  std::vector<bench_figure> stages;  // ns for each event
  std::vector<bench_figure> tls;     // ns for each byte; empty: not measured
  std::string tls_protocol;          // or why it was not measured
};

// A chain with the TLS that an event's bytes cost both ways.
struct tls_estimate {
  std::string name;  // "chain/typed"
  double ns_per_event = 0;
};
// Of each chain that was measured; nothing without TLS figures.
std::vector<tls_estimate> with_tls(std::span<const bench_figure> stages, std::span<const bench_figure> tls,
                                   double received_bytes, double typed_wire_bytes, double value_wire_bytes);

// The reference figure divided by what was measured: above 1 is faster. 0 when there is none.
double times_reference(std::string_view name, double ns_per_unit, std::span<const reference_figure>);

// What Linux tells of the first processor: its name on x86-64; elsewhere the architecture, on ARM with the numbers of
// the core's maker and design.
std::string processor_name(std::string_view cpuinfo, std::string_view architecture);

std::string bench_text(const bench_result&, std::span<const reference_figure>);
std::string bench_json(const bench_result&, std::span<const reference_figure>);

}  // namespace penstock
