// scope: child tasks end before it does. An exception in a child is never swallowed: the first one is kept, on_failure
// is called once so that the owner can close what the others wait on, and join() throws it.
//
// Thread-safe. The scope must outlive its children: join() before destroying it.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <cassert>
#include <exception>
#include <functional>
#include <mutex>
#include <string>

#include "engine/flow/signal.hpp"
#include "engine/flow/task.hpp"

namespace engine {

class scope {
 public:
  explicit scope(executor where, std::function<void()> on_failure = {})
      : where_(std::move(where)), on_failure_(std::move(on_failure)) {}
  scope(const scope&) = delete;
  scope& operator=(const scope&) = delete;
  ~scope() { assert(running_ == 0); }

  void spawn(task<> child) {
    {
      const std::lock_guard lock(mutex_);
      ++running_;
    }
    asio::co_spawn(where_, std::move(child), [this](std::exception_ptr failure) { child_ended(failure); });
  }

  // Waits until no child runs, then rethrows the first failure. Children may be added until it returns.
  task<> join() {
    for (;;) {
      const auto seen = ended_.version();
      if (running() == 0) break;
      co_await ended_.wait(seen);
    }
    std::exception_ptr failure;
    {
      const std::lock_guard lock(mutex_);
      failure = first_failure_;
    }
    if (failure) std::rethrow_exception(failure);
  }
  [[nodiscard]] std::size_t running() const {
    const std::lock_guard lock(mutex_);
    return running_;
  }

 private:
  void child_ended(std::exception_ptr failure) {
    bool first = false;
    {
      const std::lock_guard lock(mutex_);
      if (failure && !first_failure_) {
        first_failure_ = failure;
        first = true;
      }
    }
    if (first && on_failure_) on_failure_();
    // Last: after running_ reaches 0 the scope may be destroyed, so the notification happens under the count.
    const std::lock_guard lock(mutex_);
    --running_;
    ended_.notify();
  }

  executor where_;
  std::function<void()> on_failure_;
  mutable std::mutex mutex_;
  std::size_t running_ = 0;
  std::exception_ptr first_failure_;
  signal ended_;
};

}  // namespace engine
