// The Cpu port: worker threads behind a fair queue.
#pragma once

#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/base/metrics.hpp"
#include "engine/flow/fair_queue.hpp"
#include "engine/flow/ports.hpp"

namespace engine {

// Thread-safe. A coroutine that awaited enter() runs on a worker until its next await, which has to be leave(); it must
// not end there. How many jobs of one logstore wait or run at once is the caller's business.
//
// The contexts of the coroutines are destroyed after stop() has returned: a worker may still be inside the post that
// sends the last coroutine home.
//
// After stop() no coroutine hangs: those that wait get their turn on the workers, and a later enter() returns at once
// on the caller's own executor. The work is then done there; stopped() tells a caller that would rather not.
class cpu_pool final : public cpu {
 public:
  // `quantum`: bytes one flow may use per round, about one block. Metrics: penstock_cpu_busy_seconds_total,
  // penstock_cpu_wait_seconds, penstock_cpu_waiting.
  cpu_pool(unsigned workers, std::size_t quantum, metric_registry&);
  ~cpu_pool() override;  // stop()

  task<void> enter(cpu_flow, std::size_t cost) override;
  task<void> leave() override;
  [[nodiscard]] unsigned workers() const override { return worker_count_; }

  // Waits until everything that was queued has run and the threads have ended. Not from a worker; twice is allowed.
  void stop();
  [[nodiscard]] bool stopped() const;

 private:
  // The concrete type: a type-erased handler would allocate on every call.
  using handler = asio::async_result<asio::use_awaitable_t<>, void()>::handler_type;
  struct job {
    handler resume;
    std::chrono::steady_clock::time_point queued_at;
  };

  void push(cpu_flow, std::size_t cost, handler);
  void run(unsigned number);

  const unsigned worker_count_;
  counter& busy_seconds_;
  histogram& wait_seconds_;
  gauge& waiting_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  fair_queue<job> queue_;  // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_
  std::mutex join_mutex_;
  std::vector<std::thread> threads_;  // guarded by join_mutex_
};

}  // namespace engine
