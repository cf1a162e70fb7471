#include "bench/shared_chain.hpp"

#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <fstream>
#include <memory>
#include <string>

#include "bench/row.hpp"
#include "stages/compress.hpp"

namespace bench {
namespace {

constexpr std::uint32_t accounts = 4;
constexpr std::size_t spare_encoders = 2;  // as the data path keeps them

}  // namespace

void ready_times::add_this_thread() {
  thread_local const ready_times* added_to = nullptr;
  if (added_to == this) return;
  added_to = this;
  const std::lock_guard lock(mutex_);
  threads_.push_back(gettid());
}

double ready_times::seconds() const {
  const std::lock_guard lock(mutex_);
  double out = 0;
  for (const pid_t thread : threads_) {
    std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/schedstat");
    double ran_ns = 0;
    double ready_ns = 0;
    demand(static_cast<bool>(file >> ran_ns >> ready_ns), "scaling: the kernel does not count how long threads wait");
    out += ready_ns / 1e9;
  }
  return out;
}

shared_chain::shared_chain(const corpus& in, stages::row_format format, unsigned workers)
    : in_(in),
      format_(format),
      counts_(metrics_),
      pool_(64 * engine::mib),
      converters_({}, pool_, clock_, counts_),
      lanes_([this] { return stages::make_encoder(stages::compression_level::fast, {}, pool_); },
             workers + spare_encoders, {}),
      cpu_(workers, engine::mib, metrics_) {}

void shared_chain::pass(std::uint32_t routes, std::size_t blocks, row_check* seen) {
  seen_ = seen;
  while (lines_.size() < routes) lines_.emplace_back("", [] {});
  for (std::uint32_t i = 0; i < routes; ++i) {
    ++running_;
    engine::asio::co_spawn(context_, walk(i, blocks), [this](const std::exception_ptr& failure) {
      demand(!failure, "scaling: a route threw");
      --running_;
    });
  }
  context_.restart();
  context_.run();
  demand(running_ == 0, "scaling: a route waits for ever");
}

void shared_chain::finish() {
  std::vector<stages::closed_body> closed;
  lanes_.close_due(clock_.now(), true, closed);
  accept(closed);
  demand(events_out_ == events_in_, "scaling: events were lost or doubled");
}

engine::task<> shared_chain::walk(std::uint32_t route, std::size_t blocks) {
  const engine::cpu_flow flow{.account = route % accounts, .logstore = route};
  for (std::size_t i = 0; i < blocks; ++i) {
    const std::size_t number = (route + i) % in_.blocks.size();
    std::vector<stages::closed_body> closed;
    co_await cpu_.enter(flow, in_.plain_bytes[number]);
    work_in_slot(route, number, closed);
    co_await cpu_.leave();
    accept(closed);
    events_in_ += in_.event_counts[number];
  }
}

// On a worker.
void shared_chain::work_in_slot(std::uint32_t route, std::size_t number, std::vector<stages::closed_body>& closed) {
  ready_.add_this_thread();
  const stages::fetched_block& block = in_.blocks[number];
  auto with = converters_.take();
  const auto made = (*with)(block, format_);
  demand(made.has_value(), "scaling: a block does not decompress or decode");
  const stages::rows& rows = *made->rows;
  auto held = std::make_shared<stages::held_block>();
  auto units = lines_[route].open(block.next_cursor, static_cast<std::uint32_t>(rows.refs.size()), held);
  const auto left = lanes_.append(0, rows, std::move(units), held, clock_.now(), false, closed);
  demand(left.rows.empty(), "scaling: a row fits no body");
  converters_.give(std::move(with));
}

void shared_chain::accept(std::vector<stages::closed_body>& closed) {
  for (auto& body : closed) {
    if (seen_ != nullptr) seen_->add_body(body.out.body.wire.view(), body.out.body.gzip);
    events_out_ += body.out.row_count();
    for (auto& part : body.out.parts) part.rows.delivered();
  }
  closed.clear();
}

}  // namespace bench
