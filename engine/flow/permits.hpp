// A fixed number of permits, given out by deficit round robin over accounts, then logstores.
//
// While others wait, no account is given more than `account_max`; what nobody else wants it may have beyond that. A
// permit may also be taken by force (the count then goes below zero and nobody is served until it is back): for what
// must go on although the line is full. close() ends all waiting. Thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>

#include "engine/flow/fair_queue.hpp"
#include "engine/flow/task.hpp"
#include "engine/flow/waiters.hpp"

namespace engine {

class permits {
 public:
  // One permit; back in the pool when destroyed. The pool outlives it.
  class permit {
   public:
    permit() = default;
    permit(permit&& other) noexcept : from_(std::exchange(other.from_, nullptr)), account_(other.account_) {}
    permit& operator=(permit&& other) noexcept {
      if (this != &other) {
        give_back();
        from_ = std::exchange(other.from_, nullptr);
        account_ = other.account_;
      }
      return *this;
    }
    ~permit() { give_back(); }
    [[nodiscard]] bool held() const { return from_ != nullptr; }
    void give_back();

   private:
    friend class permits;
    permit(permits& from, std::uint32_t account) : from_(&from), account_(account) {}
    permits* from_ = nullptr;
    std::uint32_t account_ = 0;
  };

  permits(std::size_t count, std::size_t account_max);
  permits(const permits&) = delete;
  permits& operator=(const permits&) = delete;

  // nullopt: closed.
  task<std::optional<permit>> acquire(cpu_flow);
  permit take_by_force(cpu_flow);
  void close();
  [[nodiscard]] std::size_t in_use() const;
  [[nodiscard]] std::size_t waiting() const;

 private:
  struct request {
    waiter parked;
    wait_list own;  // each request waits alone, so that exactly the chosen one is woken
    cpu_flow flow;
    bool granted = false;
  };
  struct account_state {
    std::size_t in_use = 0;
    std::size_t in_line = 0;
    std::deque<request*> over;  // beyond account_max: served only when the line is empty
  };
  waiter* serve();  // grants what can be granted; the chain to wake
  void put_back(std::uint32_t account);

  const std::size_t account_max_;
  mutable std::mutex mutex_;
  std::int64_t free_;
  std::size_t in_use_ = 0;
  fair_queue<request*> line_;
  std::map<std::uint32_t, account_state> accounts_;
  std::size_t over_count_ = 0;
  bool closed_ = false;
};

}  // namespace engine
