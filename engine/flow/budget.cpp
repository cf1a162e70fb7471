#include "engine/flow/budget.hpp"

#include <algorithm>

namespace engine {
namespace {
constexpr std::size_t turn_bytes = mib;  // what a flow may take per round: about one block
constexpr std::size_t shares_max = 8;    // with many holders each may have an eighth
// The whole for one holder; else an equal share, and never so much that the largest block does not fit beside it: at
// the head of the line it would wait for a holder that gives nothing back.
std::size_t cap_for(std::size_t bytes_max, std::size_t holders) {
  const std::size_t main = bytes_max - bytes_max / 16;
  if (holders <= 1) return main;
  return std::min(main / std::min(holders, shares_max), main - bytes_max / 2);
}
}  // namespace

budget::budget(std::size_t bytes_max, std::size_t accounts, std::size_t destinations)
    : bytes_max_(bytes_max),
      reserve_max_(bytes_max / 16),
      account_cap_(cap_for(bytes_max, accounts)),
      destination_cap_(cap_for(bytes_max, destinations)),
      line_(turn_bytes) {}

budget::~budget() { assert(main_used_ == 0 && reserve_used_ == 0); }

std::size_t budget::free_main() const { return bytes_max_ - reserve_max_ - main_used_; }

task<std::optional<budget::lease>> budget::acquire(budget_holder holder, std::size_t bytes) {
  assert(bytes <= block_bytes_max());
  std::unique_lock lock(mutex_);
  if (closed_) co_return std::nullopt;
  request mine{.parked = {}, .own = {}, .holder = holder, .bytes = bytes, .exempt = false, .granted = false};
  mine.exempt = bytes > std::min(account_cap_, destination_cap_);
  enter_line(mine, nullptr);
  waiter* chain = serve();
  if (!mine.granted) {
    lock.unlock();
    wake(chain);
    if (on_pressure_) on_pressure_();
    lock.lock();
    if (!mine.granted && !closed_) co_await park(lock, mine.own, mine.parked);
  } else {
    lock.unlock();
    wake(chain);
  }
  if (!mine.granted) co_return std::nullopt;
  lease out;
  out.from_ = this;
  out.holder_ = holder;
  out.main_ = bytes;
  out.exempt_ = mine.exempt;
  co_return out;
}

budget::holding* budget::blocking(const request& r, const holding* turn) {
  const std::size_t all = bytes_max_ - reserve_max_;
  if (r.exempt) {
    // Above its cap, but never beside other blocks of its destination: a silent one would not make room for it, and at
    // the head of the line it would keep everybody waiting.
    auto& h = destinations_[r.holder.destination];
    if (destination_cap_ == all) return nullptr;
    const bool alone = h.held - h.held_exempt + h.in_line == 0;
    return alone && (&h == turn || h.blocked.empty()) ? nullptr : &h;
  }
  const auto over = [&](const holding& h, std::size_t cap) {
    if (cap == all) return false;                       // alone: the line itself is the bound
    if (&h != turn && !h.blocked.empty()) return true;  // nobody passes those who wait already
    const std::size_t has = h.held - h.held_exempt + h.in_line;
    return has != 0 && has + r.bytes > cap;
  };
  auto& account = accounts_[r.holder.flow.account];
  if (over(account, account_cap_)) return &account;
  auto& destination = destinations_[r.holder.destination];
  if (over(destination, destination_cap_)) return &destination;
  return nullptr;
}

bool budget::enter_line(request& r, const holding* turn) {
  if (r.exempt && exempt_out_) {
    waiting_exempt_.push_back(&r);
    ++blocked_count_;
    return false;
  }
  if (holding* at_cap = blocking(r, turn)) {
    at_cap->blocked.push_back(&r);
    ++blocked_count_;
    return false;
  }
  if (r.exempt) exempt_out_ = true;
  if (!r.exempt) {
    accounts_[r.holder.flow.account].in_line += r.bytes;
    destinations_[r.holder.destination].in_line += r.bytes;
  }
  line_.push(r.holder.flow, r.bytes, &r);
  return true;
}

void budget::readmit(holding& h) {
  // Each turn either enters the line, moves to the other holding's blocked list, or is still blocked here: then stop.
  while (!h.blocked.empty()) {
    request* r = h.blocked.front();
    if (blocking(*r, &h) == &h) return;
    h.blocked.pop_front();
    --blocked_count_;
    enter_line(*r, &h);
  }
}

void budget::readmit_exempt() {
  exempt_out_ = false;
  while (!exempt_out_ && !waiting_exempt_.empty()) {
    request* r = waiting_exempt_.front();
    waiting_exempt_.pop_front();
    --blocked_count_;
    enter_line(*r, nullptr);
  }
}

waiter* budget::serve() {
  wait_list granted;
  std::size_t cost = 0;
  while (request** head = line_.peek(&cost)) {
    if (cost > free_main()) break;  // the head keeps its turn
    request* r = *head;
    static_cast<void>(line_.pop());
    auto& account = accounts_[r->holder.flow.account];
    auto& destination = destinations_[r->holder.destination];
    for (holding* h : {&account, &destination}) {
      h->held += r->bytes;
      if (r->exempt)
        h->held_exempt += r->bytes;
      else
        h->in_line -= r->bytes;
    }
    main_used_ += r->bytes;
    peak_ = std::max(peak_, main_used_ + reserve_used_);
    r->granted = true;
    waiter* w = r->own.take_first();
    if (w != nullptr) granted.push(*w);
  }
  return granted.take_all();
}

void budget::give_back(const budget_holder& holder, std::size_t main, std::size_t reserve, std::size_t exempt_before,
                       std::size_t exempt_after) {
  waiter* chain = nullptr;
  {
    const std::lock_guard lock(mutex_);
    auto& account = accounts_[holder.flow.account];
    auto& destination = destinations_[holder.destination];
    assert(account.held >= main + reserve && destination.held >= main + reserve);
    for (holding* h : {&account, &destination}) {
      h->held -= main + reserve;
      h->held_exempt -= exempt_before - exempt_after;
    }
    main_used_ -= main;
    reserve_used_ -= reserve;
    if (closed_) return;
    if (exempt_before > 0 && exempt_after == 0) readmit_exempt();
    readmit(account);
    readmit(destination);
    chain = serve();
  }
  wake(chain);
}

void budget::close() {
  waiter* chain = nullptr;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    wait_list all;
    const auto gather = [&all](request* r) {
      waiter* w = r->own.take_first();
      if (w != nullptr) all.push(*w);
    };
    while (auto r = line_.pop()) {
      gather(*r);
    }
    for (auto* holdings : {&accounts_, &destinations_}) {
      for (auto& [id, h] : *holdings) {
        for (request* r : h.blocked) gather(r);
        h.blocked.clear();
      }
    }
    for (request* r : waiting_exempt_) gather(r);
    waiting_exempt_.clear();
    blocked_count_ = 0;
    chain = all.take_all();
  }
  wake(chain);
}

budget::lease::lease(lease&& other) noexcept
    : from_(std::exchange(other.from_, nullptr)),
      holder_(other.holder_),
      main_(std::exchange(other.main_, 0)),
      reserve_(std::exchange(other.reserve_, 0)),
      exempt_(std::exchange(other.exempt_, false)) {}

budget::lease& budget::lease::operator=(lease&& other) noexcept {
  if (this != &other) {
    release();
    from_ = std::exchange(other.from_, nullptr);
    holder_ = other.holder_;
    main_ = std::exchange(other.main_, 0);
    reserve_ = std::exchange(other.reserve_, 0);
    exempt_ = std::exchange(other.exempt_, false);
  }
  return *this;
}

void budget::lease::shrink_to(std::size_t target) {
  if (from_ == nullptr || target >= bytes()) return;
  const std::size_t before = exempt_ ? bytes() : 0;
  std::size_t surplus = bytes() - target;
  const std::size_t from_reserve = std::min(surplus, reserve_);  // the reserve is freed first: it is the scarcer
  surplus -= from_reserve;
  reserve_ -= from_reserve;
  main_ -= surplus;
  if (bytes() <= std::min(from_->account_cap_, from_->destination_cap_)) exempt_ = false;
  from_->give_back(holder_, surplus, from_reserve, before, exempt_ ? bytes() : 0);
}

bool budget::lease::try_grow_to(std::size_t target) {
  if (target <= bytes()) return true;
  assert(from_ != nullptr);
  const std::size_t more = target - bytes();
  const std::lock_guard lock(from_->mutex_);
  const bool nobody_waits = from_->line_.empty() && from_->blocked_count_ == 0;
  if (from_->reserve_used_ + more <= from_->reserve_max_) {
    from_->reserve_used_ += more;
    reserve_ += more;
  } else if (nobody_waits && more <= from_->free_main()) {
    from_->main_used_ += more;
    main_ += more;
  } else {
    return false;
  }
  for (holding* h : {&from_->accounts_[holder_.flow.account], &from_->destinations_[holder_.destination]}) {
    h->held += more;
    if (exempt_) h->held_exempt += more;
  }
  from_->peak_ = std::max(from_->peak_, from_->main_used_ + from_->reserve_used_);
  return true;
}

void budget::lease::release() {
  if (from_ == nullptr) return;
  budget* from = std::exchange(from_, nullptr);
  const std::size_t before = exempt_ ? bytes() : 0;
  exempt_ = false;
  from->give_back(holder_, std::exchange(main_, 0), std::exchange(reserve_, 0), before, 0);
}

std::size_t budget::in_use() const {
  const std::lock_guard lock(mutex_);
  return main_used_ + reserve_used_;
}
std::size_t budget::in_use_peak() const {
  const std::lock_guard lock(mutex_);
  return peak_;
}
std::size_t budget::waiting() const {
  const std::lock_guard lock(mutex_);
  return line_.size() + blocked_count_;
}
std::size_t budget::held_by_destination(std::uint32_t id) const {
  const std::lock_guard lock(mutex_);
  const auto found = destinations_.find(id);
  return found == destinations_.end() ? 0 : found->second.held;
}
std::size_t budget::held_by_account(std::uint32_t id) const {
  const std::lock_guard lock(mutex_);
  const auto found = accounts_.find(id);
  return found == accounts_.end() ? 0 : found->second.held;
}

}  // namespace engine
