// The byte budget: all memory that grows with the load is leased from it before it is used.
//
// A lease is acquired once, for the worst case of a block, before anything is fetched; it shrinks when more is known.
// Nobody waits for budget while holding budget: try_grow() takes from a reserve outside the line or says no at once.
//
// Who may have how much. Each lease is held by an account and a destination. One of them holds at most its cap (a share
// of the whole that depends on how many there are) or one block; a request beyond that stands in no line and re-enters
// when its holder is below the cap. A block larger than a cap is exempt from it, one such block at a time. The line
// itself is deficit round robin over accounts, then logstores; its head is never overtaken. Thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>

#include "engine/base/units.hpp"
#include "engine/flow/fair_queue.hpp"
#include "engine/flow/task.hpp"
#include "engine/flow/waiters.hpp"

namespace engine {

// Whose memory it is.
struct budget_holder {
  cpu_flow flow;  // account and logstore, for the turn
  std::uint32_t destination = 0;
};

class budget {
 public:
  class lease {
   public:
    lease() = default;
    lease(lease&&) noexcept;
    lease& operator=(lease&&) noexcept;
    ~lease() { release(); }

    [[nodiscard]] std::size_t bytes() const { return main_ + reserve_; }
    // Gives back all above `bytes`.
    void shrink_to(std::size_t bytes);
    // Up to `bytes` in all, from the reserve or from what nobody waits for; false changes nothing.
    bool try_grow_to(std::size_t bytes);
    void release();

   private:
    friend class budget;
    budget* from_ = nullptr;
    budget_holder holder_;
    std::size_t main_ = 0;
    std::size_t reserve_ = 0;
    bool exempt_ = false;  // the one block above a cap
  };

  // Sixteenth of `bytes_max` is the reserve. Accounts and destinations: how many will hold leases; sets the caps.
  budget(std::size_t bytes_max, std::size_t accounts, std::size_t destinations);
  ~budget();
  budget(const budget&) = delete;
  budget& operator=(const budget&) = delete;

  // nullopt: closed. bytes must be <= block_bytes_max().
  task<std::optional<lease>> acquire(budget_holder, std::size_t bytes);
  void close();
  // Called, outside the lock, whenever a request starts to wait: open batches are then closed early.
  void on_pressure(std::function<void()> call) { on_pressure_ = std::move(call); }

  // The largest single block: half of all.
  [[nodiscard]] std::size_t block_bytes_max() const { return bytes_max_ / 2; }
  [[nodiscard]] std::size_t bytes_max() const { return bytes_max_; }
  [[nodiscard]] std::size_t in_use() const;
  [[nodiscard]] std::size_t in_use_peak() const;
  [[nodiscard]] std::size_t waiting() const;
  [[nodiscard]] std::size_t held_by_destination(std::uint32_t) const;
  [[nodiscard]] std::size_t held_by_account(std::uint32_t) const;

 private:
  struct request {
    waiter parked;
    wait_list own;
    budget_holder holder;
    std::size_t bytes = 0;
    bool exempt = false;
    bool granted = false;
  };
  struct holding {
    std::size_t held = 0;
    std::size_t held_exempt = 0;  // part of held that does not count against the cap
    std::size_t in_line = 0;
    std::deque<request*> blocked;  // at its cap: in no line
  };
  [[nodiscard]] std::size_t free_main() const;
  // The holding whose cap forbids it now. `turn`: the holding whose first in waiting it is; there it passes nobody.
  holding* blocking(const request&, const holding* turn);
  bool enter_line(request&, const holding* turn);  // false: put among the blocked of a holding
  void readmit(holding&);
  void readmit_exempt();
  waiter* serve();
  void give_back(const budget_holder&, std::size_t main, std::size_t reserve, std::size_t exempt_before,
                 std::size_t exempt_after);

  const std::size_t bytes_max_;
  const std::size_t reserve_max_;
  const std::size_t account_cap_;
  const std::size_t destination_cap_;
  std::function<void()> on_pressure_;

  mutable std::mutex mutex_;
  std::size_t main_used_ = 0;
  std::size_t reserve_used_ = 0;
  std::size_t peak_ = 0;
  std::map<std::uint32_t, holding> accounts_;
  std::map<std::uint32_t, holding> destinations_;
  std::deque<request*> waiting_exempt_;  // blocks above a cap while another such block is out
  bool exempt_out_ = false;
  std::size_t blocked_count_ = 0;
  fair_queue<request*> line_;
  bool closed_ = false;
};

}  // namespace engine
