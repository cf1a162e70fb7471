// The in-memory chain of one destination with what its workers share: CPU pool, converters, buffers and lanes of the
// product, fed by routes of several accounts. Checks itself that all events come out.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <mutex>
#include <vector>

#include "bench/check.hpp"
#include "bench/corpus.hpp"
#include "bench/real_clock.hpp"
#include "engine/flow/ack.hpp"
#include "engine/host/cpu_pool.hpp"
#include "stages/convert.hpp"
#include "stages/lanes.hpp"
#include "stages/telemetry.hpp"

namespace bench {

// How long threads were ready to run while other programs had their cores: what the kernel counts for each thread.
class ready_times {
 public:
  // Called by each of the threads; the first call of a thread counts.
  void add_this_thread();
  // Summed over the threads.
  [[nodiscard]] double seconds() const;

 private:
  mutable std::mutex mutex_;
  std::vector<pid_t> threads_;
};

// One thread uses it; the work is done by its workers.
class shared_chain {
 public:
  shared_chain(const corpus&, stages::row_format, unsigned workers);
  ~shared_chain() { cpu_.stop(); }
  shared_chain(const shared_chain&) = delete;
  shared_chain& operator=(const shared_chain&) = delete;

  // Routes 0 to `routes` - 1 convert `blocks` blocks each, route i beginning with the block i; returns when all are
  // done. Bodies that get full are accepted at once, and shown to `seen` when that is given.
  void pass(std::uint32_t routes, std::size_t blocks, row_check* seen);
  // What is still open is closed; then every event that went in has come out.
  void finish();

  [[nodiscard]] std::uint64_t events_in() const { return events_in_; }
  // On average over the workers.
  [[nodiscard]] double ready_s() const { return ready_.seconds() / cpu_.workers(); }

 private:
  engine::task<> walk(std::uint32_t route, std::size_t blocks);
  void work_in_slot(std::uint32_t route, std::size_t number, std::vector<stages::closed_body>& closed);
  void accept(std::vector<stages::closed_body>& closed);

  const corpus& in_;
  const stages::row_format format_;
  real_clock clock_;
  engine::metric_registry metrics_;
  stages::telemetry counts_;
  engine::buffer_pool pool_;
  stages::converter_pool converters_;
  stages::lanes lanes_;
  std::vector<engine::ack_line> lines_;
  ready_times ready_;
  engine::asio::io_context context_{1};
  engine::cpu_pool cpu_;  // after the context of its coroutines, which must outlive its threads
  row_check* seen_ = nullptr;
  std::uint32_t running_ = 0;
  std::uint64_t events_in_ = 0;
  std::uint64_t events_out_ = 0;
};

}  // namespace bench
