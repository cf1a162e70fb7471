// chain/FORMAT/CORPUS: the pure stages fused on one core, as a CPU slot runs them: converter (decompress, decode,
// parse, transform), then the lanes with their batches and encoders. LZ4 blocks in, gzip bodies out, each accepted at
// once.
#include <memory>
#include <vector>

#include "bench/check.hpp"
#include "bench/real_clock.hpp"
#include "bench/row.hpp"
#include "stages/compress.hpp"
#include "stages/convert.hpp"
#include "stages/lanes.hpp"
#include "stages/telemetry.hpp"

namespace bench {
namespace {

class chain {
 public:
  explicit chain(stages::row_format format)
      : format_(format),
        counts_(metrics_),
        pool_(64 * engine::mib),
        convert_({}, pool_, clock_, counts_),
        lanes_([this] { return stages::make_encoder(stages::compression_level::fast, {}, pool_); }, 1, {}),
        line_("", [] {}) {}

  // Bodies that got full stand in closed() until the next call.
  void put(const stages::fetched_block& block) {
    accept();
    auto converted = convert_(block, format_);
    demand(converted.has_value(), "chain: a block does not decompress or decode");
    const stages::rows& rows = *converted->rows;
    auto held = std::make_shared<stages::held_block>();
    auto units = line_.open(block.next_cursor, static_cast<std::uint32_t>(rows.refs.size()), held);
    auto misfits = lanes_.append(0, rows, std::move(units), held, clock_.now(), false, closed_);
    demand(misfits.rows.empty(), "chain: a row fits no body");
  }
  void close() {
    accept();
    lanes_.close_due(clock_.now(), true, closed_);
  }
  [[nodiscard]] const std::vector<stages::closed_body>& closed() const { return closed_; }
  [[nodiscard]] const engine::ack_line& line() const { return line_; }
  [[nodiscard]] std::size_t raw_bytes() const { return raw_bytes_; }
  [[nodiscard]] std::size_t wire_bytes() const { return wire_bytes_; }
  void accept() {
    for (auto& body : closed_) {
      raw_bytes_ += body.out.body.raw_bytes;
      wire_bytes_ += body.out.body.wire.size();
      for (auto& part : body.out.parts) part.rows.delivered();
    }
    closed_.clear();
  }

 private:
  const stages::row_format format_;
  real_clock clock_;
  engine::metric_registry metrics_;
  stages::telemetry counts_;
  engine::buffer_pool pool_;
  stages::converter convert_;
  stages::lanes lanes_;
  engine::ack_line line_;
  std::vector<stages::closed_body> closed_;
  std::size_t raw_bytes_ = 0;
  std::size_t wire_bytes_ = 0;
};

void check_chain(const corpus& in, stages::row_format format) {
  chain path(format);
  row_check expected(in);
  const auto take = [&] {
    for (const auto& body : path.closed()) expected.add_body(body.out.body.wire.view(), body.out.body.gzip);
  };
  for (const stages::fetched_block& block : in.blocks) {
    path.put(block);
    take();
  }
  path.close();
  take();
  path.accept();
  expected.demand_all("chain");
  demand(path.line().committable() == in.blocks.back().next_cursor, "chain: the last position is not committable");
}

void chain_row(benchmark::State& state, bool check, const corpus& in, stages::row_format format) {
  if (check) check_chain(in, format);
  chain path(format);
  for (const stages::fetched_block& block : in.blocks) path.put(block);
  meter counts(state);
  const std::size_t wire_before = path.wire_bytes();
  std::size_t i = 0;
  std::size_t events = 0;
  for (auto _ : state) {
    path.put(in.blocks[i]);
    counts.add(in.event_counts[i], in.wire_bytes[i]);
    events += in.event_counts[i];
    if (++i == in.blocks.size()) i = 0;
  }
  counts.report();
  path.accept();
  // Of the untimed pass too: a short run may close no body.
  state.counters["ratio"] = static_cast<double>(path.raw_bytes()) / static_cast<double>(path.wire_bytes());
  state.counters["wire_bytes_per_event"] =
      static_cast<double>(path.wire_bytes() - wire_before) / static_cast<double>(events);
}

}  // namespace

void add_data_path_rows(corpora& all) {
  add_corpus_rows("chain/typed", all, [](benchmark::State& state, bool check, const corpus& in) {
    chain_row(state, check, in, stages::row_format::typed);
  });
  add_corpus_rows("chain/value", all, [](benchmark::State& state, bool check, const corpus& in) {
    chain_row(state, check, in, stages::row_format::value);
  });
}

}  // namespace bench
