#include "bench/plain_chain.hpp"

#include <log_group_list.pb.h>
#include <lz4.h>
#include <zlib.h>

#include <cstdio>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bench/check.hpp"
#include "bench/plain_rows.hpp"
#include "bench/row.hpp"

namespace bench {
namespace {

constexpr std::size_t body_bytes_max = 1'000'000;
constexpr int zlib_level = 6;

std::string decompressed(const stages::fetched_block& block) {
  std::string out(block.plain_bytes, '\0');
  const int size = LZ4_decompress_safe(block.bytes.data(), out.data(), static_cast<int>(block.bytes.size()),
                                       static_cast<int>(out.size()));
  if (size < 0 || static_cast<std::size_t>(size) != out.size()) throw std::runtime_error("a block does not decompress");
  return out;
}

std::string gzipped(std::string& text) {
  z_stream stream{};
  constexpr int gzip_window_bits = 15 + 16;
  if (deflateInit2(&stream, zlib_level, Z_DEFLATED, gzip_window_bits, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("zlib does not start");
  }
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(text.data());
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int outcome = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (outcome != Z_STREAM_END) throw std::runtime_error("zlib does not finish");
  return out;
}

class plain_chain {
 public:
  // Bodies that got full stand in closed() until the next call.
  void put(const stages::fetched_block& block) {
    closed_.clear();
    plain_proto::LogGroupList list;
    if (!list.ParseFromString(decompressed(block))) throw std::runtime_error("a block does not decode");
    for (const auto& group : list.log_groups()) {
      for (const auto& log : group.logs()) add_log(log);
    }
  }
  void close() {
    closed_.clear();
    close_body();
  }
  [[nodiscard]] const std::vector<std::string>& closed() const { return closed_; }
  [[nodiscard]] std::size_t rows() const { return rows_; }
  [[nodiscard]] std::size_t left_out() const { return left_out_; }
  [[nodiscard]] std::size_t raw_bytes() const { return raw_bytes_; }
  [[nodiscard]] std::size_t wire_bytes() const { return wire_bytes_; }

 private:
  void add_log(const plain_proto::Log& log) {
    for (const auto& content : log.contents()) {
      if (content.key() != "event") continue;
      if (const auto row = make_row_(content.value(), log.time(), log.time_ns())) {
        add_row(*row);
      } else {
        ++left_out_;
      }
    }
  }
  void add_row(const std::string& row) {
    constexpr std::size_t comma_and_end = 2;
    if (!body_.empty() && body_.size() + row.size() + comma_and_end > body_bytes_max) close_body();
    body_ += body_.empty() ? '[' : ',';
    body_ += row;
    ++rows_;
  }
  void close_body() {
    if (body_.empty()) return;
    body_ += ']';
    closed_.push_back(gzipped(body_));
    raw_bytes_ += body_.size();
    wire_bytes_ += closed_.back().size();
    body_.clear();
  }

  plain_rows make_row_;
  std::string body_;
  std::vector<std::string> closed_;
  std::size_t rows_ = 0;
  std::size_t left_out_ = 0;
  std::size_t raw_bytes_ = 0;
  std::size_t wire_bytes_ = 0;
};

void check_plain(const corpus& in) {
  plain_chain path;
  row_check expected(in);
  const auto take = [&] {
    for (const std::string& body : path.closed()) expected.add_body(body, true);
  };
  for (const stages::fetched_block& block : in.blocks) {
    path.put(block);
    take();
  }
  path.close();
  take();
  demand(path.left_out() == 0 || !in.generated, "chain/plain: an event made by the benchmark is left out");
  expected.demand_all("chain/plain", path.left_out());
  if (path.left_out() > 0) {
    std::fprintf(stderr, "penstock-bench: chain/plain leaves out %zu of %zu events: above 64 KiB, or beyond a DOM\n",
                 path.left_out(), path.rows() + path.left_out());
  }
}

void plain_row(benchmark::State& state, bool check, const corpus& in) {
  if (check) check_plain(in);
  plain_chain path;
  for (const stages::fetched_block& block : in.blocks) path.put(block);
  const std::size_t rows_before = path.rows();
  meter counts(state);
  std::size_t i = 0;
  std::size_t events = 0;
  for (auto _ : state) {
    path.put(in.blocks[i]);
    counts.add(in.event_counts[i], in.wire_bytes[i]);
    events += in.event_counts[i];
    if (++i == in.blocks.size()) i = 0;
  }
  counts.report();
  state.counters["ratio"] = static_cast<double>(path.raw_bytes()) / static_cast<double>(path.wire_bytes());
  state.counters["repeats"] = in.repeats;
  // Below 1 only for a file's events that the plain chain leaves out.
  state.counters["rows_per_event"] = static_cast<double>(path.rows() - rows_before) / static_cast<double>(events);
}

}  // namespace

void add_plain_chain_rows(corpora& all) { add_corpus_rows("chain/plain", all, plain_row); }

}  // namespace bench
