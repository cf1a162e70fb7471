#include "tools/penstock/bench_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "tools/penstock/json_writer.hpp"

namespace penstock {
namespace {

constexpr double ns_per_s = 1e9;
constexpr double quiet_spread_max = 0.1;  // above it a figure tells more of other programs than of the machine

std::optional<double> found(std::span<const bench_figure> all, std::string_view name) {
  const auto at = std::ranges::find(all, name, &bench_figure::name);
  return at == all.end() ? std::nullopt : std::optional(at->ns_per_unit);
}

double per_second(double ns_per_unit) { return ns_per_unit > 0 ? ns_per_s / ns_per_unit : 0; }

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

// 387,512
std::string grouped(double value) {
  std::string out = fmt::format("{:.0f}", value);
  for (std::size_t at = out.size(); at > 3;) out.insert(at -= 3, ",");
  return out;
}

// The value of the first line `key\t: value`.
std::string_view value_of(std::string_view cpuinfo, std::string_view key) {
  constexpr std::string_view mark = ": ";
  while (!cpuinfo.empty()) {
    const std::string_view line = cpuinfo.substr(0, cpuinfo.find('\n'));
    const auto colon = line.find(mark);
    if (line.starts_with(key) && colon != std::string_view::npos) return line.substr(colon + mark.size());
    cpuinfo.remove_prefix(std::min(line.size() + 1, cpuinfo.size()));
  }
  return {};
}

std::string ratio_text(double ratio) { return ratio > 0 ? fmt::format("{:.2f}", ratio) : "-"; }

std::string stage_line(std::string_view name, double ns, std::string_view spread, double ratio) {
  return fmt::format("{:<18}{:>13}{:>11.0f}{:>9}{:>11}\n", name, grouped(per_second(ns)), ns, spread,
                     ratio_text(ratio));
}

void write_figure(json_writer& out, std::string_view name, double ns, double ratio) {
  out.member("name", name).member("events_per_second", std::llround(per_second(ns))).member("ns_per_event", ns);
  out.key("times_reference");
  if (ratio > 0) {
    out.value(ratio);
  } else {
    out.value(std::numeric_limits<double>::quiet_NaN());  // null
  }
}

std::vector<tls_estimate> estimates(const bench_result& r) {
  return with_tls(r.stages, r.tls, r.received_bytes, r.typed_wire_bytes, r.value_wire_bytes);
}

// The same sum of the reference figures, for the same bytes.
std::vector<tls_estimate> reference_estimates(const bench_result& r, std::span<const reference_figure> references) {
  std::vector<bench_figure> all;
  for (const auto& one : references) all.push_back({.name = std::string(one.name), .ns_per_unit = one.ns_per_unit});
  return with_tls(all, all, r.received_bytes, r.typed_wire_bytes, r.value_wire_bytes);
}

double estimate_ratio(const tls_estimate& here, const std::vector<tls_estimate>& there) {
  const auto at = std::ranges::find(there, here.name, &tls_estimate::name);
  return at == there.end() || here.ns_per_event <= 0 ? 0 : at->ns_per_event / here.ns_per_event;
}

}  // namespace

std::vector<tls_estimate> with_tls(std::span<const bench_figure> stages, std::span<const bench_figure> tls,
                                   double received_bytes, double typed_wire_bytes, double value_wire_bytes) {
  std::vector<tls_estimate> out;
  const auto send = found(tls, "tls/send");
  const auto receive = found(tls, "tls/receive");
  if (!send || !receive) return out;
  for (const auto& [name, wire_bytes] :
       {std::pair("chain/typed", typed_wire_bytes), {"chain/value", value_wire_bytes}}) {
    if (const auto chain = found(stages, name)) {
      out.push_back({.name = name, .ns_per_event = *chain + received_bytes * *receive + wire_bytes * *send});
    }
  }
  return out;
}

double times_reference(std::string_view name, double ns_per_unit, std::span<const reference_figure> references) {
  const auto at = std::ranges::find(references, name, &reference_figure::name);
  return at == references.end() || ns_per_unit <= 0 ? 0 : at->ns_per_unit / ns_per_unit;
}

std::string processor_name(std::string_view cpuinfo, std::string_view architecture) {
  if (const auto name = value_of(cpuinfo, "model name"); !name.empty()) return std::string(name);
  const auto maker = value_of(cpuinfo, "CPU implementer");
  const auto design = value_of(cpuinfo, "CPU part");
  if (maker.empty() || design.empty()) return std::string(architecture);
  return fmt::format("{}, implementer {}, part {}", architecture, maker, design);
}

std::string bench_text(const bench_result& r, std::span<const reference_figure> references) {
  std::string out =
      fmt::format("penstock {} bench: {}, {} {}\n", r.version, r.processor, r.cores, r.cores == 1 ? "core" : "cores");
  out += fmt::format("{} generated events of {:.0f} bytes (seed {}), one thread, CPU time\n\nkernels\n",
                     grouped(static_cast<double>(r.events)), r.event_bytes, r.seed);
  for (const bench_kernel& kernel : r.kernels) {
    out += fmt::format("  {:<12} {}", kernel.family, kernel.active);
    if (kernel.available.size() > 1) out += fmt::format("  (this machine has {})", joined(kernel.available));
    out += '\n';
  }
  out += fmt::format("\n{:<18}{:>13}{:>11}{:>9}{:>11}\n", "stage", "events/s", "ns/event", "spread", "reference");
  for (const bench_figure& one : r.stages) {
    out += stage_line(one.name, one.ns_per_unit, fmt::format("±{:.1f}%", one.spread * 100),
                      times_reference(one.name, one.ns_per_unit, references));
  }
  const auto there = reference_estimates(r, references);
  for (const tls_estimate& one : estimates(r)) {
    out += stage_line(one.name + " + TLS", one.ns_per_event, "", estimate_ratio(one, there));
  }
  out += '\n';
  if (r.tls.empty()) {
    out += "TLS was not measured: " + r.tls_protocol + '\n';
  } else {
    for (const bench_figure& one : r.tls) {
      const double ratio = times_reference(one.name, one.ns_per_unit, references);
      out += fmt::format("{:<18}{:>10.2f} GB/s{:>9.2f}  ±{:.1f}%{:>11}\n", one.name, per_second(one.ns_per_unit) / 1e9,
                         one.ns_per_unit, one.spread * 100, ratio_text(ratio));
    }
    out += fmt::format(
        "+ TLS: the chain, and {:.0f} bytes received and {:.0f} (typed) or {:.0f} (value) sent for each event at these "
        "rates.\n"
        "HTTP, hand-over between threads and saved positions come on top of it: see docs/tuning.md.\n",
        r.received_bytes, r.typed_wire_bytes, r.value_wire_bytes);
  }
  const auto disturbed = [](const bench_figure& one) { return one.spread > quiet_spread_max; };
  if (std::ranges::any_of(r.stages, disturbed) || std::ranges::any_of(r.tls, disturbed)) {
    out += fmt::format("The machine was busy: figures with a spread above ±{:.0f}% are to be measured again.\n",
                       quiet_spread_max * 100);
  }
  out += fmt::format("reference: times the speed of {}; 1.00 is as fast.\n", reference_machine());
  return out;
}

std::string bench_json(const bench_result& r, std::span<const reference_figure> references) {
  json_writer out;
  out.begin_object().member("version", std::string_view(r.version)).member("processor", std::string_view(r.processor));
  out.member("cores", r.cores).member("seed", r.seed).member("events", r.events).member("event_bytes", r.event_bytes);
  out.member("received_bytes_per_event", r.received_bytes);
  out.member("typed_wire_bytes_per_event", r.typed_wire_bytes).member("value_wire_bytes_per_event", r.value_wire_bytes);
  out.key("kernels").begin_array();
  for (const bench_kernel& kernel : r.kernels) {
    out.begin_object()
        .member("family", std::string_view(kernel.family))
        .member("active", std::string_view(kernel.active));
    out.key("available").begin_array();
    for (const std::string& one : kernel.available) out.value(std::string_view(one));
    out.end_array().end_object();
  }
  out.end_array().key("stages").begin_array();
  for (const bench_figure& one : r.stages) {
    out.begin_object();
    write_figure(out, one.name, one.ns_per_unit, times_reference(one.name, one.ns_per_unit, references));
    out.member("spread", one.spread).end_object();
  }
  out.end_array().key("with_tls").begin_array();
  const auto there = reference_estimates(r, references);
  for (const tls_estimate& one : estimates(r)) {
    out.begin_object();
    write_figure(out, one.name, one.ns_per_event, estimate_ratio(one, there));
    out.end_object();
  }
  out.end_array().key("tls").begin_object().member("measured", !r.tls.empty());
  out.member(r.tls.empty() ? "reason" : "protocol", std::string_view(r.tls_protocol));
  for (const bench_figure& one : r.tls) {
    const std::string name = one.name == "tls/send" ? "send" : "receive";
    out.member(name + "_ns_per_byte", one.ns_per_unit).member(name + "_spread", one.spread);
  }
  out.end_object().member("reference_machine", reference_machine()).end_object();
  return out.text() + "\n";
}

}  // namespace penstock
