#include "engine/net/http_pool.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cassert>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "engine/flow/waiters.hpp"
#include "engine/net/http_client.hpp"

namespace engine {
namespace {

using client_ptr = std::shared_ptr<http_client>;

const char* name_of(http_errc code) {
  switch (code) {
    case http_errc::resolve:
      return "resolve";
    case http_errc::connect:
      return "connect";
    case http_errc::tls:
      return "tls";
    case http_errc::timeout:
      return "timeout";
    case http_errc::reset:
      return "reset";
    case http_errc::malformed:
      return "malformed";
    case http_errc::too_large:
      return "too_large";
    case http_errc::cancelled:
      return "cancelled";
    case http_errc::refused_by_caller:
      return "refused_by_caller";
  }
  return "unknown";
}

// A strand made for the context itself fits into an executor without an allocation of its own, and runs faster than one
// made for the type-erased executor.
executor strand_on(const executor& io) {
  const auto* context = io.target<asio::io_context::executor_type>();
  if (context != nullptr) return asio::make_strand(*context);
  return asio::make_strand(io);
}

// What may only be done once the lock is released.
struct aftermath {
  std::vector<client_ptr> dropped;
  std::ptrdiff_t change = 0;  // in open connections
  std::size_t opened = 0;
  std::size_t reused = 0;
  waiter* woken = nullptr;
  std::optional<time_point> sweep_at;
};

struct grant {
  client_ptr client;
  bool reused = false;
};

// One exchange in the waiting line; lives in its coroutine.
struct request_in_line {
  const http_origin* origin = nullptr;
  waiter parked;
  wait_list own;  // each waits alone, so that exactly the chosen one is woken
  grant granted;
};

struct idle_connection {
  client_ptr client;
  time_point since;
};

struct origin_state {
  std::vector<idle_connection> idle;  // the last one parked is the last here
  std::size_t open = 0;               // idle ones included
  std::size_t in_line = 0;
};

}  // namespace

struct http_pool::core : std::enable_shared_from_this<core> {
  core(executor at, http_pool_options o, metric_registry& registry, clock& c);

  client_ptr open_client(const http_origin&, aftermath&);
  std::optional<grant> try_grant(const http_origin&, aftermath&);
  bool make_room(aftermath&);
  void drop_idle(origin_state&, std::size_t index, aftermath&);
  void forget_if_unused(const http_origin&);
  void serve_line(aftermath&);
  void give_back(const client_ptr&, bool reusable);
  client_ptr replace(const client_ptr&);
  void sweep();
  void plan_sweep(aftermath&);
  void carry_out(aftermath&&);
  void close();
  void count(http_errc code) { failures.at(code)->add(); }

  const executor io;
  const http_pool_options options;
  clock& time;
  counter& opened_total;
  counter& reused_total;
  gauge& open_now;
  std::map<http_errc, counter*> failures;
  tls_trusts trusts;
  resolve_function resolve;

  mutable std::mutex mutex;
  bool closed = false;
  bool sweep_planned = false;
  std::optional<clock::timer_id> sweep_timer;  // the last one planned; it may have fired
  std::size_t open = 0;
  std::map<http_origin, origin_state> origins;  // only those with a connection or somebody in line
  std::set<client_ptr> running;
  std::list<request_in_line*> line;
  name_resolver names;  // last: gone before anything its answers could reach
};

http_pool::core::core(executor at, http_pool_options o, metric_registry& registry, clock& c)
    : io(std::move(at)),
      options(std::move(o)),
      time(c),
      opened_total(registry.counter("penstock_http_connections_opened_total", "Connections opened.")),
      reused_total(
          registry.counter("penstock_http_connections_reused_total", "Requests that went over a kept connection.")),
      open_now(registry.gauge("penstock_http_connections_open", "Connections open now, idle ones included.")),
      resolve(options.resolve) {
  assert(options.connections_max > 0 && options.per_origin_max > 0);
  for (const auto code :
       {http_errc::resolve, http_errc::connect, http_errc::tls, http_errc::timeout, http_errc::reset,
        http_errc::malformed, http_errc::too_large, http_errc::refused_by_caller, http_errc::cancelled}) {
    failures[code] = &registry.counter("penstock_http_failures_total", "HTTP exchanges that ended without an answer.",
                                       {{"code", name_of(code)}});
  }
  if (!resolve) resolve = [this](const std::string& name, resolve_done done) { names.resolve(name, std::move(done)); };
}

// A connection in use. Closed when destroyed, unless given back in good order before.
class http_pool::lease {
 public:
  lease() = default;
  lease(std::shared_ptr<core> from, grant what) : from_(std::move(from)), what_(std::move(what)) {}
  lease(lease&& other) noexcept : from_(std::exchange(other.from_, nullptr)), what_(std::move(other.what_)) {}
  lease& operator=(lease&&) = delete;
  ~lease() { give_back(false); }

  [[nodiscard]] bool held() const { return from_ != nullptr; }
  [[nodiscard]] bool reused() const { return what_.reused; }
  [[nodiscard]] const client_ptr& client() const { return what_.client; }
  // A new connection in the place of this one; false when the pool was closed.
  bool renew() {
    auto fresh = from_->replace(what_.client);
    if (fresh == nullptr) return false;
    what_ = grant{.client = std::move(fresh), .reused = false};
    return true;
  }
  void give_back(bool reusable) {
    const auto from = std::exchange(from_, nullptr);
    if (from != nullptr) from->give_back(what_.client, reusable);
    what_.client.reset();
  }

 private:
  std::shared_ptr<core> from_;
  grant what_;
};

client_ptr http_pool::core::open_client(const http_origin& origin, aftermath& after) {
  const executor where = options.strands ? strand_on(io) : io;
  ++after.opened;
  return std::make_shared<http_client>(where, origin, trusts, resolve);
}

std::optional<grant> http_pool::core::try_grant(const http_origin& origin, aftermath& after) {
  auto& mine = origins[origin];
  while (!mine.idle.empty()) {
    auto& last = mine.idle.back();
    if (time.now() - last.since >= options.idle_max || !last.client->quiet()) {
      drop_idle(mine, mine.idle.size() - 1, after);
      continue;
    }
    grant kept{.client = std::move(last.client), .reused = true};
    mine.idle.pop_back();
    ++after.reused;
    running.insert(kept.client);
    return kept;
  }
  if (mine.open >= options.per_origin_max) return std::nullopt;
  if (open >= options.connections_max && !make_room(after)) return std::nullopt;
  grant fresh{.client = open_client(origin, after), .reused = false};
  ++open;
  ++mine.open;
  ++after.change;
  running.insert(fresh.client);
  return fresh;
}

// Closes the connection that has been idle for longest, whoever's it is.
bool http_pool::core::make_room(aftermath& after) {
  auto oldest = origins.end();
  for (auto at = origins.begin(); at != origins.end(); ++at) {
    if (at->second.idle.empty()) continue;
    if (oldest == origins.end() || at->second.idle.front().since < oldest->second.idle.front().since) oldest = at;
  }
  if (oldest == origins.end()) return false;
  drop_idle(oldest->second, 0, after);
  if (oldest->second.open == 0 && oldest->second.in_line == 0) origins.erase(oldest);
  return true;
}

void http_pool::core::drop_idle(origin_state& of, std::size_t index, aftermath& after) {
  const auto at = of.idle.begin() + static_cast<std::ptrdiff_t>(index);
  after.dropped.push_back(std::move(at->client));
  of.idle.erase(at);
  --of.open;
  --open;
  --after.change;
}

void http_pool::core::forget_if_unused(const http_origin& origin) {
  const auto found = origins.find(origin);
  if (found != origins.end() && found->second.open == 0 && found->second.in_line == 0) origins.erase(found);
}

// The longest waiting that can be served comes first; within one origin that is the order of arrival.
void http_pool::core::serve_line(aftermath& after) {
  wait_list woken;
  for (auto at = line.begin(); at != line.end();) {
    request_in_line& next = **at;
    auto granted = try_grant(*next.origin, after);
    if (!granted) {
      ++at;
      continue;
    }
    next.granted = *std::move(granted);
    --origins[*next.origin].in_line;
    woken.push(*next.own.take_first());
    at = line.erase(at);
  }
  after.woken = woken.take_all();
}

void http_pool::core::give_back(const client_ptr& client, bool reusable) {
  aftermath after;
  {
    const std::lock_guard lock(mutex);
    running.erase(client);
    auto& mine = origins[client->origin()];
    if (reusable && !closed) {
      mine.idle.push_back({.client = client, .since = time.now()});
    } else {
      --mine.open;
      --open;
      --after.change;
      after.dropped.push_back(client);
    }
    if (!closed) serve_line(after);
    forget_if_unused(client->origin());
    plan_sweep(after);
  }
  carry_out(std::move(after));
}

client_ptr http_pool::core::replace(const client_ptr& old) {
  aftermath after;
  client_ptr fresh;
  {
    const std::lock_guard lock(mutex);
    if (closed) return nullptr;
    fresh = open_client(old->origin(), after);
    running.erase(old);
    running.insert(fresh);
    after.dropped.push_back(old);
  }
  carry_out(std::move(after));
  return fresh;
}

void http_pool::core::plan_sweep(aftermath& after) {
  if (sweep_planned || closed) return;
  for (const auto& [origin, state] : origins) {
    if (state.idle.empty()) continue;
    const auto due = state.idle.front().since + options.idle_max;
    if (!after.sweep_at || due < *after.sweep_at) after.sweep_at = due;
  }
  sweep_planned = after.sweep_at.has_value();
}

void http_pool::core::sweep() {
  aftermath after;
  {
    const std::lock_guard lock(mutex);
    sweep_planned = false;
    const auto now = time.now();
    for (auto at = origins.begin(); at != origins.end();) {
      auto& state = at->second;
      while (!state.idle.empty() && now - state.idle.front().since >= options.idle_max) drop_idle(state, 0, after);
      at = state.open == 0 && state.in_line == 0 ? origins.erase(at) : std::next(at);
    }
    if (!closed) serve_line(after);
    plan_sweep(after);
  }
  carry_out(std::move(after));
}

void http_pool::core::carry_out(aftermath&& after) {
  for (auto& client : after.dropped) http_client::dispose(std::move(client));
  if (after.change != 0) open_now.add(static_cast<double>(after.change));
  if (after.opened > 0) opened_total.add(static_cast<double>(after.opened));
  if (after.reused > 0) reused_total.add(static_cast<double>(after.reused));
  if (after.sweep_at) {
    const auto timer = time.call_at(*after.sweep_at, [weak = weak_from_this()] {
      const auto alive = weak.lock();
      if (alive != nullptr) alive->sweep();
    });
    std::unique_lock lock(mutex);
    sweep_timer = timer;
    const bool too_late = closed;
    lock.unlock();
    if (too_late) time.cancel(timer);
  }
  wake(after.woken);
}

void http_pool::core::close() {
  aftermath after;
  std::optional<clock::timer_id> timer;
  {
    const std::lock_guard lock(mutex);
    if (closed) return;
    closed = true;
    for (auto& [origin, state] : origins) {
      while (!state.idle.empty()) drop_idle(state, state.idle.size() - 1, after);
    }
    wait_list woken;
    for (auto* waits : line) {
      --origins[*waits->origin].in_line;
      woken.push(*waits->own.take_first());
    }
    line.clear();
    after.woken = woken.take_all();
    for (const auto& client : running) http_client::cancel(client);
    timer = std::exchange(sweep_timer, std::nullopt);
  }
  if (timer) time.cancel(*timer);  // a pending timer could keep the context running for as long as connections may idle
  carry_out(std::move(after));
}

task<http_pool::lease> http_pool::acquire(std::shared_ptr<core> from, const http_origin& origin) {
  std::unique_lock lock(from->mutex);
  if (from->closed) co_return lease();
  aftermath after;
  auto& mine = from->origins[origin];
  if (mine.in_line == 0) {
    auto granted = from->try_grant(origin, after);
    if (granted) {
      from->plan_sweep(after);
      lock.unlock();
      from->carry_out(std::move(after));
      co_return lease(std::move(from), *std::move(granted));
    }
  }
  // Whatever was dropped above made room, and then there was a grant.
  assert(after.dropped.empty() && after.change == 0);
  request_in_line waits;
  waits.origin = &origin;
  ++mine.in_line;
  from->line.push_back(&waits);
  co_await park(lock, waits.own, waits.parked);
  if (waits.granted.client == nullptr) co_return lease();
  co_return lease(std::move(from), std::move(waits.granted));
}

http_pool::http_pool(executor io, http_pool_options options, metric_registry& registry, clock& time)
    : core_(std::make_shared<core>(std::move(io), std::move(options), registry, time)) {}

http_pool::~http_pool() { core_->close(); }

void http_pool::close() { core_->close(); }

std::size_t http_pool::open_connections() const {
  const std::lock_guard lock(core_->mutex);
  return core_->open;
}

std::size_t http_pool::waiting() const {
  const std::lock_guard lock(core_->mutex);
  return core_->line.size();
}

task<std::expected<http_response, http_failure>> http_pool::exchange(http_request request, exchange_options options) {
  const auto core = core_;  // the pool itself may be gone before this coroutine is
  auto connection = co_await acquire(core, request.origin);
  if (!connection.held()) {
    core->count(http_errc::cancelled);
    co_return std::unexpected(http_failure{
        .code = http_errc::cancelled, .message = "the pool is closed", .request_sent = false, .head = std::nullopt});
  }
  const bool repeatable = request.method == "GET" || request.method == "HEAD";
  for (;;) {
    auto work = http_client::exchange(connection.client(), request, options);
    auto running = asio::co_spawn(connection.client()->where(), std::move(work), asio::use_awaitable);
    auto ended = co_await std::move(running);
    if (ended.answer) {
      connection.give_back(ended.reusable);
      co_return std::move(ended.answer);
    }
    const auto& failure = ended.answer.error();
    const bool died_unheard = failure.code == http_errc::reset && !ended.answer_began && connection.reused();
    if (died_unheard && (repeatable || !failure.request_sent) && connection.renew()) continue;
    connection.give_back(false);
    core->count(failure.code);
    co_return std::move(ended.answer);
  }
}

}  // namespace engine
