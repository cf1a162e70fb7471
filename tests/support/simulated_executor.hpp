// A seeded scheduler with virtual time: the executor, clock, CPU port and randomness of flow tests.
//
// Ready handlers run one at a time in an order drawn from the seed; time moves to the next timer only when nothing is
// ready. The same seed gives the same run, whatever the machine does. Single-threaded by construction.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/execution.hpp>
#include <boost/asio/execution_context.hpp>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <vector>

#include "engine/flow/ports.hpp"
#include "engine/flow/signal.hpp"

namespace support {

namespace asio = boost::asio;

class simulation : public asio::execution_context, public engine::clock, public engine::rng {
 public:
  explicit simulation(std::uint64_t seed) : random_(seed) {}
  ~simulation() override {
    ready_.clear();
    timers_.clear();
    shutdown();
    destroy();
  }

  [[nodiscard]] engine::time_point now() const override { return now_; }
  [[nodiscard]] engine::wall_time wall() const override {
    return engine::wall_time(std::chrono::milliseconds(1'767'225'600'000)) +
           std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch());
  }
  timer_id call_at(engine::time_point when, std::move_only_function<void()> fire) override {
    const timer_id id = ++last_id_;
    timers_.emplace(std::pair(std::max(when, now_), id), std::move(fire));
    return id;
  }
  void cancel(timer_id id) override {
    std::erase_if(timers_, [id](const auto& entry) { return entry.first.second == id; });
  }
  std::uint64_t next() override { return random_(); }

  // Runs until nothing is ready and no timer is left, or `until` is reached, or `steps_max` handlers have run.
  // False when the steps ran out: something spins.
  bool run(std::optional<engine::time_point> until = {}, std::uint64_t steps_max = 50'000'000) {
    for (std::uint64_t step = 0; step < steps_max; ++step) {
      if (!ready_.empty()) {
        const std::size_t i = random_() % ready_.size();
        std::swap(ready_[i], ready_.back());
        auto job = std::move(ready_.back());
        ready_.pop_back();
        job();
        continue;
      }
      if (timers_.empty()) return true;
      const auto when = timers_.begin()->first.first;
      if (until && when > *until) {
        now_ = *until;
        return true;
      }
      now_ = when;
      while (!timers_.empty() && timers_.begin()->first.first == when) {
        auto node = timers_.extract(timers_.begin());
        ready_.push_back(std::move(node.mapped()));
      }
    }
    return false;
  }
  bool run_for(engine::duration d) { return run(now_ + d); }

  void post(std::move_only_function<void()> job) { ready_.push_back(std::move(job)); }

  struct executor_type {
    simulation* owner;
    asio::execution_context& query(asio::execution::context_t) const noexcept { return *owner; }
    static constexpr asio::execution::blocking_t query(asio::execution::blocking_t) noexcept {
      return asio::execution::blocking.never;
    }
    [[nodiscard]] executor_type require(asio::execution::blocking_t::never_t) const { return *this; }
    template <class F>
    void execute(F f) const {
      owner->post(std::move(f));
    }
    friend bool operator==(executor_type a, executor_type b) noexcept { return a.owner == b.owner; }
    friend bool operator!=(executor_type a, executor_type b) noexcept { return a.owner != b.owner; }
  };
  [[nodiscard]] engine::executor get_executor() { return executor_type{this}; }

  // Starts a coroutine; an exception that leaves it is kept and thrown by check().
  void spawn(engine::task<> child) {
    ++running_;
    asio::co_spawn(get_executor(), std::move(child), [this](std::exception_ptr failure) {
      --running_;
      if (failure && !failure_) failure_ = failure;
    });
  }
  [[nodiscard]] std::size_t running() const { return running_; }
  void check() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  std::mt19937_64 random_;
  engine::time_point now_{};
  timer_id last_id_ = 0;
  std::vector<std::move_only_function<void()>> ready_;
  std::map<std::pair<engine::time_point, timer_id>, std::move_only_function<void()>> timers_;
  std::size_t running_ = 0;
  std::exception_ptr failure_;
};

// CPU slots in virtual time: `workers` at once, bytes_per_second each, turns as the seed has it.
class simulated_cpu : public engine::cpu {
 public:
  simulated_cpu(simulation& sim, unsigned workers, double bytes_per_second = 500e6)
      : sim_(sim), workers_(workers), bytes_per_second_(bytes_per_second), free_(workers) {}
  engine::task<> enter(engine::cpu_flow, std::size_t cost) override {
    for (;;) {
      const auto seen = changed_.version();
      if (free_ > 0) break;
      co_await changed_.wait(seen);
    }
    --free_;
    const auto done =
        sim_.now() + engine::duration(static_cast<std::int64_t>(1e9 * static_cast<double>(cost) / bytes_per_second_));
    co_await timer_.sleep_until(sim_, done);
  }
  engine::task<> leave() override {
    ++free_;
    changed_.notify();
    co_return;
  }
  [[nodiscard]] unsigned workers() const override { return workers_; }

 private:
  simulation& sim_;
  unsigned workers_;
  double bytes_per_second_;
  unsigned free_;
  engine::signal changed_;
  engine::signal timer_;
};

}  // namespace support
