#include "stages/gate.hpp"

#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "engine/flow/waiters.hpp"

namespace stages {
namespace {

struct request {
  engine::waiter parked;
  engine::wait_list own;  // each waits alone, so that exactly the chosen one is woken
  std::optional<gate::pass> answer;
  std::uint64_t round = 0;  // in which it was answered
};

}  // namespace

struct gate::core : std::enable_shared_from_this<core> {
  core(engine::clock& c, engine::duration every) : clock(c), probe_interval(every) {}

  // Looks at the state after a change: lets the next prober go, or plans the look at which one may. Under the lock;
  // returns whom to wake after it.
  engine::waiter* settle();
  engine::waiter* let_go(std::deque<request*>& from, pass answer);  // the first of them
  engine::waiter* let_all_go(pass answer);
  void new_round();
  void look_again_at(engine::time_point);

  engine::clock& clock;
  const engine::duration probe_interval;
  mutable std::mutex mutex;
  status now;
  bool closed = false;
  bool probe_out = false;
  reopens how = reopens::by_probe;
  std::uint64_t round = 1;  // one per interval
  engine::time_point next_probe{};
  std::deque<request*> waiting;         // without a turn in this round yet, the longest waiting first
  std::deque<request*> had_turn;        // handed theirs on
  engine::clock::timer_id planned = 0;  // of the last look_again_at()
};

gate::gate(engine::clock& clock, engine::duration probe_interval)
    : core_(std::make_shared<core>(clock, probe_interval)) {}

gate::~gate() = default;

engine::task<gate::pass> gate::enter(std::uint64_t& round_seen) {
  const auto shared = core_;
  core& c = *shared;
  request mine;
  std::unique_lock lock(c.mutex);
  if (c.closed) co_return pass::closed;
  if (!c.now.parked) co_return pass::open;
  (round_seen == c.round ? c.had_turn : c.waiting).push_back(&mine);
  engine::waiter* next = c.settle();  // it may be our own turn: then there is nobody to wake
  if (next != nullptr) {
    lock.unlock();
    wake(next);
    lock.lock();
  }
  if (!mine.answer) co_await engine::park(lock, mine.own, mine.parked);
  if (mine.answer == pass::probe) round_seen = mine.round;
  co_return *mine.answer;
}

engine::waiter* gate::core::let_go(std::deque<request*>& from, pass answer) {
  request* first = from.front();
  from.pop_front();
  first->answer = answer;
  first->round = round;
  return first->own.take_first();
}

engine::waiter* gate::core::let_all_go(pass answer) {
  engine::wait_list all;
  for (auto* from : {&waiting, &had_turn}) {
    while (!from->empty()) {
      engine::waiter* w = let_go(*from, answer);
      if (w != nullptr) all.push(*w);
    }
  }
  return all.take_all();
}

void gate::core::new_round() {
  ++round;
  waiting.insert(waiting.end(), had_turn.begin(), had_turn.end());
  had_turn.clear();
}

engine::waiter* gate::core::settle() {
  if (closed || !now.parked || probe_out) return nullptr;
  const auto time = clock.now();
  if (waiting.empty() && time >= next_probe + probe_interval) {  // all handed on: a new turn for everybody
    new_round();
    next_probe = time;
  }
  if (time < next_probe) {
    look_again_at(next_probe);
  } else if (!waiting.empty()) {
    probe_out = true;
    return let_go(waiting, pass::probe);
  } else {
    look_again_at(next_probe + probe_interval);
  }
  return nullptr;
}

void gate::core::look_again_at(engine::time_point when) {
  if (planned != 0) clock.cancel(planned);
  planned = clock.call_at(when, [weak = weak_from_this()] {
    const auto alive = weak.lock();
    if (alive == nullptr) return;
    engine::waiter* next = nullptr;
    {
      const std::lock_guard lock(alive->mutex);
      next = alive->settle();
    }
    wake(next);
  });
}

bool gate::open() const {
  const std::lock_guard lock(core_->mutex);
  return !core_->now.parked;
}

gate::status gate::now() const {
  const std::lock_guard lock(core_->mutex);
  return core_->now;
}

bool gate::park(std::string reason, bool by_probe, reopens how) {
  core& c = *core_;
  const std::lock_guard lock(c.mutex);
  const bool was_open = !c.now.parked;
  // One of those under way when it was parked, or another body of a probe that was counted: says nothing new.
  if (!was_open && !(by_probe && c.probe_out)) return false;
  if (was_open) {
    c.how = how;
    c.now = {.parked = true, .reason = std::move(reason), .probes_failed = 0};
  } else {
    c.now.reason = std::move(reason);
    ++c.now.probes_failed;
  }
  c.probe_out = false;
  c.new_round();
  c.next_probe = c.clock.now() + c.probe_interval;
  c.look_again_at(c.next_probe);
  return was_open;
}

bool gate::accepted(bool by_probe) {
  core& c = *core_;
  engine::waiter* all = nullptr;
  bool was_parked = false;
  {
    const std::lock_guard lock(c.mutex);
    was_parked = c.now.parked;
    if (was_parked && !by_probe && c.how == reopens::by_probe) return false;
    c.now = {};
    c.probe_out = false;
    all = c.let_all_go(pass::open);
  }
  wake(all);
  return was_parked;
}

void gate::hand_on() {
  core& c = *core_;
  engine::waiter* next = nullptr;
  {
    const std::lock_guard lock(c.mutex);
    c.probe_out = false;
    next = c.settle();
  }
  wake(next);
}

void gate::close() {
  core& c = *core_;
  engine::waiter* all = nullptr;
  {
    const std::lock_guard lock(c.mutex);
    c.closed = true;
    if (c.planned != 0) c.clock.cancel(c.planned);
    all = c.let_all_go(pass::closed);
  }
  wake(all);
}

}  // namespace stages
