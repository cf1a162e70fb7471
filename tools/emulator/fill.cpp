#include "fill.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <utility>

namespace emulator {

namespace {

constexpr std::size_t group_bytes_max = 1U << 20U;
constexpr auto feed_interval = std::chrono::milliseconds(10);

std::int64_t unix_now_s() { return std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()); }

// Most groups are small, some hold up to 200 logs, as log producers make them.
std::size_t group_size(seeded_random& random) {
  const auto kind = random.below(10);
  if (kind < 6) return 1 + random.below(10);
  return kind < 9 ? 11 + random.below(50) : 61 + random.below(140);
}

}  // namespace

group_builder::group_builder(const event_source& source, fill_target target, double duplicate_rate, std::uint64_t seed)
    : source_(source), target_(std::move(target)), duplicate_rate_(duplicate_rate), random_(seed) {
  wanted_ = group_size(random_);
}

void group_builder::put(const event_record& event) {
  if (writer_.logs() == 0) time_min_ = time_max_ = event.time_s;
  time_min_ = std::min(time_min_, event.time_s);
  time_max_ = std::max(time_max_, event.time_s);
  const auto draw = random_.next();
  std::optional<std::uint32_t> time_ns;
  if (draw % 4 == 0) time_ns = static_cast<std::uint32_t>((draw >> 8U) % 1'000'000'000);
  writer_.add_log(event.time_s, time_ns, "event", event.text);
  bytes_ += event.text.size();
}

void group_builder::add(std::uint64_t index, std::int64_t now_s) {
  auto event = source_.make(target_.account, index);
  put(event);
  if (duplicate_rate_ > 0 && random_.unit() < duplicate_rate_) copies_.push_back(std::move(event));
  if (writer_.logs() >= wanted_ || bytes_ >= group_bytes_max) flush(now_s);
}

void group_builder::flush(std::int64_t now_s) {
  if (writer_.logs() == 0) return;
  std::vector<sls::new_group> one;
  one.push_back(
      {writer_.finish("actiontrail_audit_event", "actiontrail_internal", {{"__receive_time__", std::to_string(now_s)}}),
       now_s, time_min_, time_max_});
  target_.holder->append(std::move(one));
  bytes_ = 0;
  wanted_ = group_size(random_);
  for (const auto& copy : std::exchange(copies_, {})) put(copy);
}

void group_builder::finish(std::int64_t now_s) {
  flush(now_s);
  flush(now_s);  // copies of the last group's events
}

void fill(const std::vector<fill_target>& targets, const event_source& source, const fill_options& options,
          std::size_t threads) {
  if (targets.empty() || options.events == 0) return;
  const std::uint64_t each = options.events / targets.size();
  const std::uint64_t extra = options.events % targets.size();
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t t = next.fetch_add(1); t < targets.size(); t = next.fetch_add(1)) {
      const std::uint64_t first = t == 0 ? 0 : extra + each * t;
      const std::uint64_t last = extra + each * (t + 1);
      group_builder builder(source, targets[t], options.duplicate_rate, seed_for(options.seed + t, "groups"));
      for (auto i = first; i < last; ++i) builder.add(i, unix_now_s());
      builder.finish(unix_now_s());
      for (const auto& info : targets[t].holder->shards()) targets[t].holder->find(info.id)->seal();
    }
  };
  std::vector<std::thread> workers;
  for (std::size_t i = 0; i < std::max<std::size_t>(threads, 1); ++i) workers.emplace_back(work);
  for (auto& worker : workers) worker.join();
}

event_feeder::event_feeder(const std::vector<fill_target>& targets, const event_source& source,
                           const fill_options& options, double events_per_s)
    : options_(options), events_per_s_(events_per_s) {
  for (std::size_t t = 0; t < targets.size(); ++t) {
    builders_.push_back(std::make_unique<group_builder>(source, targets[t], options.duplicate_rate,
                                                        seed_for(options.seed + t, "groups")));
  }
  thread_ = std::thread([this] { run(); });
}

event_feeder::~event_feeder() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopping_.notify_all();
  thread_.join();
}

void event_feeder::run() {
  const auto begin = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  while (!stop_ && fed_ < options_.events) {
    stopping_.wait_for(lock, feed_interval, [&] { return stop_; });
    if (stop_) return;
    const std::chrono::duration<double> run_time = std::chrono::steady_clock::now() - begin;
    const auto due = std::min(options_.events, static_cast<std::uint64_t>(run_time.count() * events_per_s_));
    lock.unlock();
    feed_until(due);
    lock.lock();
  }
}

void event_feeder::feed_until(std::uint64_t due) {
  if (due == fed_) return;
  const auto now_s = unix_now_s();
  for (; fed_ < due; ++fed_) builders_[fed_ % builders_.size()]->add(fed_, now_s);
  // Nothing waits for its group to fill up: an event is there when it is due.
  for (auto& builder : builders_) builder->finish(now_s);
}

}  // namespace emulator
