#include "engine/flow/permits.hpp"

#include <algorithm>

namespace engine {

permits::permits(std::size_t count, std::size_t account_max)
    : account_max_(std::max<std::size_t>(account_max, 1)), free_(static_cast<std::int64_t>(count)), line_(1) {
  assert(count > 0);
}

task<std::optional<permits::permit>> permits::acquire(cpu_flow flow) {
  std::unique_lock lock(mutex_);
  if (closed_) co_return std::nullopt;
  request mine{.parked = {}, .own = {}, .flow = flow, .granted = false};
  auto& account = accounts_[flow.account];
  if (account.in_use + account.in_line < account_max_) {
    ++account.in_line;
    line_.push(flow, 1, &mine);
  } else {
    account.over.push_back(&mine);
    ++over_count_;
  }
  waiter* chain = serve();  // may grant this very request: then it was not parked and is not in the chain
  if (!mine.granted) {
    assert(chain == nullptr || free_ >= 0);
    if (chain != nullptr) {
      lock.unlock();
      wake(chain);
      lock.lock();
    }
    if (!mine.granted && !closed_) co_await park(lock, mine.own, mine.parked);
  } else {
    lock.unlock();
    wake(chain);
  }
  if (!mine.granted) co_return std::nullopt;
  co_return permit(*this, flow.account);
}

permits::permit permits::take_by_force(cpu_flow flow) {
  const std::lock_guard lock(mutex_);
  --free_;
  ++in_use_;
  ++accounts_[flow.account].in_use;
  return {*this, flow.account};
}

void permits::close() {
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
      --accounts_[(*r)->flow.account].in_line;
      gather(*r);
    }
    for (auto& [id, account] : accounts_) {
      for (request* r : account.over) gather(r);
      account.over.clear();
    }
    over_count_ = 0;
    chain = all.take_all();
  }
  wake(chain);
}

waiter* permits::serve() {
  wait_list granted;
  const auto grant = [&](request* r) {
    r->granted = true;
    --free_;
    ++in_use_;
    ++accounts_[r->flow.account].in_use;
    waiter* w = r->own.take_first();
    if (w != nullptr) granted.push(*w);
  };
  while (free_ > 0) {
    if (auto next = line_.pop()) {
      --accounts_[(*next)->flow.account].in_line;
      grant(*next);
      continue;
    }
    if (over_count_ == 0) break;
    // The account that has least of those beyond their share.
    account_state* least = nullptr;
    for (auto& [id, account] : accounts_) {
      if (!account.over.empty() && (least == nullptr || account.in_use < least->in_use)) least = &account;
    }
    request* r = least->over.front();
    least->over.pop_front();
    --over_count_;
    grant(r);
  }
  return granted.take_all();
}

void permits::put_back(std::uint32_t id) {
  waiter* chain = nullptr;
  {
    const std::lock_guard lock(mutex_);
    ++free_;
    --in_use_;
    auto& account = accounts_[id];
    --account.in_use;
    if (!account.over.empty() && account.in_use + account.in_line < account_max_) {
      request* r = account.over.front();
      account.over.pop_front();
      --over_count_;
      ++account.in_line;
      line_.push(r->flow, 1, r);
    }
    chain = serve();
  }
  wake(chain);
}

void permits::permit::give_back() {
  if (from_ != nullptr) std::exchange(from_, nullptr)->put_back(account_);
}

std::size_t permits::in_use() const {
  const std::lock_guard lock(mutex_);
  return in_use_;
}

std::size_t permits::waiting() const {
  const std::lock_guard lock(mutex_);
  return line_.size() + over_count_;
}

}  // namespace engine
