// primitive/NAME: what the engine's parts cost per use. Events are operations here.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <memory>
#include <vector>

#include "bench/row.hpp"
#include "engine/flow/ack.hpp"
#include "engine/flow/bounded_queue.hpp"
#include "engine/flow/budget.hpp"
#include "engine/flow/permits.hpp"
#include "engine/host/cpu_pool.hpp"

namespace bench {
namespace {

namespace asio = engine::asio;

// Coroutines that ran to their end, or end the program.
class runner {
 public:
  void spawn(engine::task<> work) {
    ++running_;
    asio::co_spawn(context_, std::move(work), [this](std::exception_ptr failure) {
      demand(!failure, "a primitive threw");
      --running_;
    });
  }
  void run() {
    context_.restart();
    context_.run();
    demand(running_ == 0, "a primitive waits for ever");
  }

 private:
  asio::io_context context_{1};
  std::size_t running_ = 0;
};

// --- bounded_queue -------------------------------------------------------------------------------------------------

constexpr std::uint64_t items_per_round = 10'000;

engine::task<> produce(engine::bounded_queue<std::uint64_t>& queue) {
  for (std::uint64_t i = 1; i <= items_per_round; ++i) {
    const auto pushed = co_await queue.push(i, 100);
    demand(pushed == engine::push_result::ok, "bounded_queue: a push failed");
  }
  queue.close();
}
engine::task<> consume(engine::bounded_queue<std::uint64_t>& queue, std::uint64_t& sum) {
  for (;;) {
    const auto item = co_await queue.pop();
    if (!item) break;
    sum += *item;
  }
}

void queue_row(benchmark::State& state, bool) {
  runner all;
  meter counts(state);
  for (auto _ : state) {
    engine::bounded_queue<std::uint64_t> queue(64, engine::mib);
    std::uint64_t sum = 0;
    all.spawn(produce(queue));
    all.spawn(consume(queue, sum));
    all.run();
    demand(sum == items_per_round * (items_per_round + 1) / 2, "bounded_queue: items were lost or doubled");
    counts.add(items_per_round, items_per_round * sizeof(std::uint64_t));
  }
  counts.report();
}

// --- budget and permits --------------------------------------------------------------------------------------------

constexpr std::uint32_t users = 64;
constexpr std::uint32_t rounds = 100;
constexpr std::size_t lease_bytes = engine::mib;

// Goes through the executor once while it holds its lease, so that others must wait.
engine::task<> lease_often(engine::budget& budget, std::uint32_t user) {
  for (std::uint32_t i = 0; i < rounds; ++i) {
    auto lease =
        co_await budget.acquire({.flow = {.account = user % 4, .logstore = user}, .destination = 0}, lease_bytes);
    demand(lease.has_value(), "budget: closed");
    co_await asio::post(asio::use_awaitable);
    lease->shrink_to(lease_bytes / 2);
  }
}
engine::task<> permit_often(engine::permits& permits, std::uint32_t user) {
  for (std::uint32_t i = 0; i < rounds; ++i) {
    auto permit = co_await permits.acquire({.account = user % 4, .logstore = user});
    demand(permit.has_value(), "permits: closed");
    co_await asio::post(asio::use_awaitable);
  }
}

void budget_row(benchmark::State& state, bool, std::size_t bytes_max, bool contended) {
  runner all;
  engine::budget budget(bytes_max, 4, 1);
  meter counts(state);
  for (auto _ : state) {
    for (std::uint32_t i = 0; i < users; ++i) all.spawn(lease_often(budget, i));
    all.run();
    counts.add(users * rounds, 0);
  }
  counts.report();
  demand(budget.in_use() == 0 && budget.waiting() == 0, "budget: leases were kept");
  demand(budget.in_use_peak() <= bytes_max, "budget: more was leased than there is");
  demand(!contended || budget.in_use_peak() > bytes_max / 2, "budget: the contended row does not fill it");
}

void permits_row(benchmark::State& state, bool) {
  runner all;
  engine::permits permits(8, 4);
  meter counts(state);
  for (auto _ : state) {
    for (std::uint32_t i = 0; i < users; ++i) all.spawn(permit_often(permits, i));
    all.run();
    counts.add(users * rounds, 0);
  }
  counts.report();
  demand(permits.in_use() == 0 && permits.waiting() == 0, "permits: some were kept");
}

// --- ack_line ------------------------------------------------------------------------------------------------------

// Blocks of 1,000 rows in four shares each, answered from the last to the first: the worst order for the line.
void ack_row(benchmark::State& state, bool) {
  constexpr std::uint32_t blocks = 64;
  constexpr std::uint32_t rows = 1'000;
  const std::string position = "MTQ0NzMyOTYwMzgyNDQ5NDQyMA==";
  meter counts(state);
  for (auto _ : state) {
    std::size_t moved = 0;
    engine::ack_line line("", [&moved] { ++moved; });
    std::vector<engine::ack_line::delivery> shares;
    shares.reserve(std::size_t{blocks} * 4);
    for (std::uint32_t b = 0; b < blocks; ++b) {
      auto whole = line.open(position + std::to_string(b), rows, nullptr);
      for (int i = 0; i < 3; ++i) shares.push_back(whole.split(rows / 4));
      shares.push_back(std::move(whole));
    }
    while (!shares.empty()) {
      shares.back().delivered();
      shares.pop_back();
    }
    demand(line.committable() == position + std::to_string(blocks - 1) && line.outstanding() == 0 && moved > 0,
           "ack_line: a wrong position");
    counts.add(std::size_t{blocks} * 4, 0);
  }
  counts.report();
}

// --- cpu_pool ------------------------------------------------------------------------------------------------------

engine::task<> enter_often(engine::cpu& cpu, std::uint32_t user, std::uint64_t& entered) {
  for (std::uint32_t i = 0; i < rounds; ++i) {
    co_await cpu.enter({.account = user % 4, .logstore = user}, engine::mib);
    co_await cpu.leave();
    ++entered;
  }
}

void cpu_row(benchmark::State& state, bool, unsigned workers) {
  runner all;
  engine::metric_registry metrics;
  engine::cpu_pool cpu(workers, engine::mib, metrics);
  meter counts(state);
  for (auto _ : state) {
    std::uint64_t entered = 0;
    for (std::uint32_t i = 0; i < users; ++i) all.spawn(enter_often(cpu, i, entered));
    all.run();
    demand(entered == std::uint64_t{users} * rounds, "cpu_pool: turns were lost");
    counts.add(users * rounds, 0);
  }
  counts.report();
  cpu.stop();
}

}  // namespace

void add_primitive_rows() {
  add_row("primitive/bounded_queue", queue_row);
  add_row("primitive/budget", [](benchmark::State& s, bool check) { budget_row(s, check, 256 * engine::mib, false); });
  add_row("primitive/budget_contended",
          [](benchmark::State& s, bool check) { budget_row(s, check, 16 * engine::mib, true); });
  add_row("primitive/ack_line", ack_row);
  add_row("primitive/permits", permits_row);
  // Several threads work: real time is what counts.
  add_row("primitive/cpu_pool_1", [](benchmark::State& s, bool check) { cpu_row(s, check, 1); })->UseRealTime();
  add_row("primitive/cpu_pool_2", [](benchmark::State& s, bool check) { cpu_row(s, check, 2); })->UseRealTime();
}

}  // namespace bench
