#include "engine/host/cpu_pool.hpp"

#include <algorithm>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "engine/host/thread_name.hpp"

namespace engine {
namespace {

using real_clock = std::chrono::steady_clock;

double seconds(real_clock::duration d) { return std::chrono::duration<double>(d).count(); }

}  // namespace

cpu_pool::cpu_pool(unsigned workers, std::size_t quantum, metric_registry& metrics)
    : worker_count_(std::max(workers, 1u)),
      busy_seconds_(metrics.counter("penstock_cpu_busy_seconds_total", "Time CPU workers spent on blocks.")),
      wait_seconds_(metrics.histogram("penstock_cpu_wait_seconds", "Time blocks waited for a CPU worker.", {},
                                      {0.0001, 0.001, 0.01, 0.05, 0.1, 0.5, 1, 5, 30})),
      waiting_(metrics.gauge("penstock_cpu_waiting", "Blocks that wait for a CPU worker.")),
      queue_(quantum) {
  for (unsigned i = 0; i < worker_count_; ++i) {
    threads_.emplace_back([this, i]() noexcept { run(i); });
  }
}

cpu_pool::~cpu_pool() { stop(); }

task<void> cpu_pool::enter(cpu_flow flow, std::size_t cost) {
  if (stopped()) co_return;
  cpu_pool* const self = this;
  // Pointers and numbers only in the capture; after push() the frame may already run elsewhere, so nothing follows it.
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(
      [self, flow, cost](handler resume) { self->push(flow, cost, std::move(resume)); }, asio::use_awaitable);
}

task<void> cpu_pool::leave() {
  const auto own = co_await asio::this_coro::executor;
  co_await asio::post(own, asio::use_awaitable);
}

void cpu_pool::push(cpu_flow flow, std::size_t cost, handler resume) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_) {
      waiting_.add(1);
      queue_.push(flow, cost, job{std::move(resume), real_clock::now()});
      wake_.notify_one();
      return;
    }
  }
  // stop() came between the question and the answer; the workers may be gone.
  const auto own = asio::get_associated_executor(resume);
  asio::post(own, std::move(resume));
}

void cpu_pool::run(unsigned number) {
  name_this_thread("cpu-", number);
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    std::optional<job> next = queue_.pop();
    if (!next) return;
    lock.unlock();
    waiting_.add(-1);
    const auto started_at = real_clock::now();
    wait_seconds_.observe(seconds(started_at - next->queued_at));
    std::move(next->resume)();
    next.reset();
    busy_seconds_.add(seconds(real_clock::now() - started_at));
    lock.lock();
  }
}

void cpu_pool::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  const std::lock_guard lock(join_mutex_);
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

bool cpu_pool::stopped() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

}  // namespace engine
