#include "engine/host/steady_clock.hpp"

#include <boost/asio/steady_timer.hpp>
#include <map>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace engine {

class steady_clock::timers : public std::enable_shared_from_this<timers> {
 public:
  explicit timers(const executor& ex) : timer_(ex) {}

  timer_id add(time_point when, std::move_only_function<void()> fire) {
    const std::lock_guard lock(mutex_);
    const timer_id id = ++last_id_;
    calls_.emplace(key{when, id}, std::move(fire));
    times_.emplace(id, when);
    arm();
    return id;
  }

  void remove(timer_id id) {
    std::move_only_function<void()> dropped;  // destroyed after the lock: it may own things that call us
    const std::lock_guard lock(mutex_);
    const auto time = times_.find(id);
    if (time == times_.end()) return;
    const auto call = calls_.find(key{time->second, id});
    dropped = std::move(call->second);
    calls_.erase(call);
    times_.erase(time);
    arm();
  }

  void close() {
    std::map<key, std::move_only_function<void()>> dropped;
    const std::lock_guard lock(mutex_);
    dropped.swap(calls_);
    times_.clear();
    arm();
  }

 private:
  using key = std::pair<time_point, timer_id>;

  // Waits for the earliest call, or for nothing; under the lock, which also guards timer_.
  void arm() {
    if (calls_.empty()) {
      if (armed_) timer_.cancel();
      armed_.reset();
      return;
    }
    const time_point first = calls_.begin()->first.first;
    if (armed_ == first) return;
    armed_ = first;
    timer_.expires_at(std::chrono::steady_clock::time_point(
        std::chrono::duration_cast<std::chrono::steady_clock::duration>(first.time_since_epoch())));
    timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error) self->fire_due();
    });
  }

  void fire_due() {
    const time_point now(std::chrono::steady_clock::now().time_since_epoch());
    while (true) {
      std::move_only_function<void()> fire;
      {
        const std::lock_guard lock(mutex_);
        if (calls_.empty() || calls_.begin()->first.first > now) {
          armed_.reset();
          arm();
          return;
        }
        fire = std::move(calls_.begin()->second);
        times_.erase(calls_.begin()->first.second);
        calls_.erase(calls_.begin());
      }
      fire();
    }
  }

  std::mutex mutex_;
  boost::asio::steady_timer timer_;
  std::map<key, std::move_only_function<void()>> calls_;
  std::unordered_map<timer_id, time_point> times_;
  std::optional<time_point> armed_;
  timer_id last_id_ = 0;
};

steady_clock::steady_clock(executor ex) : timers_(std::make_shared<timers>(ex)) {}
steady_clock::~steady_clock() { timers_->close(); }

time_point steady_clock::now() const { return time_point(std::chrono::steady_clock::now().time_since_epoch()); }

wall_time steady_clock::wall() const {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

clock::timer_id steady_clock::call_at(time_point when, std::move_only_function<void()> fire) {
  return timers_->add(when, std::move(fire));
}

void steady_clock::cancel(timer_id id) { timers_->remove(id); }

}  // namespace engine
