#include "tools/penstock/bench_stages.hpp"

#include <chrono>
#include <optional>
#include <stdexcept>
#include <utility>

#include "engine/base/metrics.hpp"
#include "engine/flow/ports.hpp"
#include "stages/batch.hpp"
#include "stages/compress.hpp"
#include "stages/convert.hpp"

namespace penstock {
namespace {

void demand(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

// For code that only reads the time.
class read_only_clock final : public engine::clock {
 public:
  [[nodiscard]] engine::time_point now() const override {
    return engine::time_point(std::chrono::steady_clock::now().time_since_epoch());
  }
  [[nodiscard]] engine::wall_time wall() const override {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  }
  timer_id call_at(engine::time_point, std::move_only_function<void()>) override {
    throw std::logic_error("a pure stage wants to wait");
  }
  void cancel(timer_id) override {}
};

// A block at every step, each made by the stage before. Views go from one to the next: it stays where it is.
struct prepared {
  prepared() = default;
  prepared(const prepared&) = delete;
  prepared& operator=(const prepared&) = delete;

  engine::buffer storage;
  stages::plain_block plain;
  stages::log_groups groups;
  stages::parse parse;
  stages::records records;
  stages::rows typed;
  std::vector<std::uint32_t> row_bytes;
};

// Decompress to compress of one format, bodies thrown away as soon as they are closed.
class chain {
 public:
  chain(stages::row_format format, engine::clock& clock, stages::telemetry& counts)
      : format_(format),
        clock_(clock),
        pool_(64 * engine::mib),
        convert_({}, pool_, clock, counts),
        encoder_(stages::make_encoder(stages::compression_level::fast, {}, pool_)),
        batch_({}, *encoder_) {}

  void pass(const bench_blocks& all) {
    wire_bytes_ = rows_ = 0;
    for (const bench_block& block : all.blocks) {
      const auto made = convert_(block.fetched, format_);
      demand(made.has_value(), "chain: a block is refused");
      put(*made->rows);
    }
    if (!batch_.empty()) close();
    demand(rows_ == all.events, "chain: rows are missing from the bodies");
  }
  [[nodiscard]] std::size_t wire_bytes() const { return wire_bytes_; }

 private:
  void put(const stages::rows& rows) {
    for (std::size_t row = 0; row < rows.refs.size();) {
      const auto added = batch_.add(rows, row, clock_.now());
      demand(!added.next_fits_nowhere, "chain: a row fits no body");
      row += added.rows;
      if (row < rows.refs.size()) close();
    }
  }
  void close() {
    const stages::body body = batch_.close();
    wire_bytes_ += body.wire.size();
    rows_ += body.row_bytes.size();
  }

  const stages::row_format format_;
  engine::clock& clock_;
  engine::buffer_pool pool_;
  stages::converter convert_;
  std::unique_ptr<stages::encoder> encoder_;
  stages::batch batch_;
  std::size_t wire_bytes_ = 0;
  std::uint64_t rows_ = 0;
};

}  // namespace

struct bench_stages::parts {
  explicit parts(const bench_blocks& given) : all(given) {
    for (const bench_block& block : all.blocks) {
      auto& one = *blocks.emplace_back(std::make_unique<prepared>());
      const auto plain = decompress(block.fetched, one.storage);
      demand(plain.has_value(), "decompress: a block is refused");
      one.plain = *plain;
      demand(stages::decode(one.plain, block.fetched.group_count, one.groups).has_value(),
             "decode: a block is refused");
      one.parse(one.groups, one.records);
      demand(one.records.events.size() == block.events, "parse: an event is refused");
      typed_rows(one.records, one.typed);
      demand(one.typed.refs.size() == block.events, "transform: an event is refused");
      for (std::size_t i = 0; i < one.typed.refs.size(); ++i) {
        one.row_bytes.push_back(static_cast<std::uint32_t>(one.typed.row(i).size()));
      }
    }
  }

  void decompress_all() {
    for (const bench_block& block : all.blocks) {
      demand(decompress(block.fetched, storage).has_value(), "decompress: a block is refused");
    }
  }
  void decode_all() {
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      const auto done = stages::decode(blocks[i]->plain, all.blocks[i].fetched.group_count, groups);
      demand(done && groups.logs.size() == all.blocks[i].events, "decode: events are missing");
    }
  }
  void parse_all() {
    for (const auto& block : blocks) {
      parse(block->groups, records);
      demand(records.events.size() == block->groups.logs.size(), "parse: events are missing");
    }
  }
  void transform_all(stages::transform& with) {
    for (const auto& block : blocks) {
      with(block->records, rows);
      demand(rows.refs.size() == block->records.events.size(), "transform: rows are missing");
    }
  }
  void compress_all() {
    for (const auto& block : blocks) {
      encoder->append(block->typed.text, block->row_bytes);
      demand(encoder->finish().row_bytes.size() == block->row_bytes.size(), "compress: rows are missing");
    }
  }

  const bench_blocks& all;
  read_only_clock clock;
  engine::metric_registry metrics;
  stages::telemetry counts{metrics};
  engine::buffer_pool pool{64 * engine::mib};
  stages::decompress decompress{pool};
  stages::transform typed_rows{{.format = stages::row_format::typed}};
  stages::transform value_rows{{.format = stages::row_format::value}};
  std::vector<std::unique_ptr<prepared>> blocks;
  // What the stages write to when they are measured.
  engine::buffer storage;
  stages::log_groups groups;
  stages::parse parse;
  stages::records records;
  stages::rows rows;
  // A whole block is one body here: where to cut is the chain's business.
  std::unique_ptr<stages::encoder> encoder = stages::make_encoder(
      stages::compression_level::fast, {.wire_bytes_max = 8 * engine::mib, .raw_bytes_max = 8 * engine::mib}, pool);
  chain typed_chain{stages::row_format::typed, clock, counts};
  chain value_chain{stages::row_format::value, clock, counts};
};

bench_stages::bench_stages(const bench_blocks& all) : parts_(std::make_unique<parts>(all)) {}
bench_stages::~bench_stages() = default;

std::vector<bench_task> bench_stages::tasks() {
  parts& p = *parts_;
  const std::uint64_t events = p.all.events;
  return {{"decompress", events, [&p] { p.decompress_all(); }},
          {"decode", events, [&p] { p.decode_all(); }},
          {"parse", events, [&p] { p.parse_all(); }},
          {"transform/typed", events, [&p] { p.transform_all(p.typed_rows); }},
          {"transform/value", events, [&p] { p.transform_all(p.value_rows); }},
          {"compress", events, [&p] { p.compress_all(); }},
          {"chain/typed", events, [&p] { p.typed_chain.pass(p.all); }},
          {"chain/value", events, [&p] { p.value_chain.pass(p.all); }}};
}

double bench_stages::typed_wire_bytes_per_event() const {
  return static_cast<double>(parts_->typed_chain.wire_bytes()) / static_cast<double>(parts_->all.events);
}
double bench_stages::value_wire_bytes_per_event() const {
  return static_cast<double>(parts_->value_chain.wire_bytes()) / static_cast<double>(parts_->all.events);
}

}  // namespace penstock
