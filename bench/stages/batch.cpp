// batch with an encoder that does nothing: what it costs to decide.
#include "stages/batch.hpp"

#include "bench/prepared.hpp"
#include "bench/row.hpp"

namespace bench {
namespace {

// Counts what is appended as if it shrank to a quarter, and half of that only after a flush.
class null_encoder final : public stages::encoder {
 public:
  void append(engine::byte_view text, std::span<const std::uint32_t> row_bytes) override {
    held_ += text.size();
    raw_ += text.size();
    rows_ += row_bytes.size();
    all_rows_ += row_bytes.size();
    all_bytes_ += text.size();
  }
  [[nodiscard]] std::size_t raw_bytes() const override { return rows_ == 0 ? 0 : raw_ + 1; }
  [[nodiscard]] std::size_t row_count() const override { return rows_; }
  [[nodiscard]] std::size_t wire_bytes_bound() const override { return wire_bytes_bound_after(0); }
  [[nodiscard]] std::size_t wire_bytes_bound_after(std::size_t text_bytes) const override {
    return out_ + (held_ + text_bytes) / 2 + 1'024;
  }
  void flush() override {
    out_ += held_ / 4;
    held_ = 0;
  }
  stages::body finish() override {
    stages::body out;
    out.raw_bytes = raw_bytes();
    largest_wire_bytes_ = std::max(largest_wire_bytes_, wire_bytes_bound());
    reset();
    return out;
  }
  void reset() override { held_ = raw_ = out_ = rows_ = 0; }

  [[nodiscard]] std::size_t all_rows() const { return all_rows_; }
  [[nodiscard]] std::size_t all_bytes() const { return all_bytes_; }
  [[nodiscard]] std::size_t largest_wire_bytes() const { return largest_wire_bytes_; }

 private:
  std::size_t held_ = 0;
  std::size_t raw_ = 0;
  std::size_t out_ = 0;
  std::size_t rows_ = 0;
  std::size_t all_rows_ = 0;
  std::size_t all_bytes_ = 0;
  std::size_t largest_wire_bytes_ = 0;
};

void add_all(stages::batch& batch, const stages::rows& rows) {
  std::size_t row = 0;
  while (row < rows.refs.size()) {
    const auto added = batch.add(rows, row, {});
    demand(!added.next_fits_nowhere, "stage/batch: a row fits nowhere");
    row += added.rows;
    if (row < rows.refs.size() || batch.full()) benchmark::DoNotOptimize(batch.close());
  }
}

}  // namespace

void add_batch_rows(corpora& all) {
  add_corpus_rows("stage/batch", all, [](benchmark::State& state, bool check, const corpus& in) {
    const auto blocks = rows_of(in, stages::row_format::typed);
    const stages::batch_options options;
    null_encoder encoder;
    stages::batch batch(options, encoder);
    std::size_t rows = 0;
    std::size_t bytes = 0;
    walk(
        state, blocks.size(), check, [&](std::size_t i) { add_all(batch, blocks[i]); },
        [&](std::size_t i) {
          rows += blocks[i].refs.size();
          bytes += blocks[i].text.size();
          demand(encoder.all_rows() == rows && encoder.all_bytes() == bytes, "stage/batch: rows were lost or doubled");
          demand(encoder.largest_wire_bytes() <= options.wire_bytes_max, "stage/batch: a body above the limit");
        },
        in.event_counts, text_bytes(blocks));
  });
}

}  // namespace bench
