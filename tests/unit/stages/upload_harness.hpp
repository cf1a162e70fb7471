// An upload with a scripted sink, in virtual time; what it was given tells how it ended.
//
// Randomness is at its most: a backoff lasts its full ceiling (1 s, 2 s, 4 s ...), a Retry-After a fifth more than
// told.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stages/compress.hpp"
#include "stages/upload.hpp"
#include "tests/support/fixed_rng.hpp"
#include "tests/support/memory_exchange.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/simulated_executor.hpp"
#include "tests/unit/stages/spine_parts.hpp"
#include "tests/unit/stages/wire_text.hpp"

namespace stages::test {

struct put_seen {
  engine::time_point at;
  std::string wire;
  std::string text;
  std::uint64_t generation = 0;
};

struct put_answer {
  std::expected<receipt, azure::failure> outcome = receipt{.status = 204, .request_id = "r"};
  engine::duration after = std::chrono::milliseconds(10);
  bool from_token_service = false;
};

inline put_answer refusal(azure::errc code, std::optional<engine::duration> retry_after = {},
                          engine::duration after = std::chrono::milliseconds(10)) {
  azure::failure f;
  f.code = code;
  f.message = "the service says " + std::string(name_of(code));
  f.retry_after = retry_after;
  return {.outcome = std::unexpected(std::move(f)), .after = after, .from_token_service = false};
}

class scripted_sink final : public sink {
 public:
  explicit scripted_sink(support::simulation& sim) : sim_(sim) {}

  std::function<put_answer(const put_seen&)> script = [](const put_seen&) { return put_answer{}; };
  std::vector<put_seen> puts;
  std::vector<std::uint64_t> rejected;
  std::uint64_t generation = 7;
  std::size_t now = 0;
  std::size_t most = 0;

  engine::task<answer> put(engine::byte_view wire, bool gzip) override {
    EXPECT_TRUE(gzip);
    puts.push_back({.at = sim_.now(), .wire = std::string(wire), .text = gunzip_zlib(wire), .generation = generation});
    most = std::max(most, ++now);
    const put_answer decided = script(puts.back());
    answer out;
    out.outcome = decided.outcome;
    out.token_generation = generation;
    out.from_token_service = decided.from_token_service;
    co_await sleeping_.sleep_until(sim_, sim_.now() + decided.after);
    --now;
    co_return out;
  }
  void reject_token(std::uint64_t refused) override {
    rejected.push_back(refused);
    if (refused == generation) ++generation;
  }

  // The texts that were put, in order.
  [[nodiscard]] std::vector<std::string> texts() const {
    std::vector<std::string> out;
    for (const auto& one : puts) out.push_back(one.text);
    return out;
  }

 private:
  support::simulation& sim_;
  engine::signal sleeping_;
};

// One block whose rows all went into one body.
struct handed_over {
  engine::ack_line line{"begin", [] {}};
  std::vector<std::string> rows;
  std::weak_ptr<held_block> block;

  [[nodiscard]] bool delivered() const { return line.committable() == "c1" && line.outstanding() == 0; }
  [[nodiscard]] bool given_back() const {
    return line.committable() == "begin" && line.outstanding() == 0 && line.broken();
  }
};

struct uploading : testing::Test {
  void make(unsigned concurrency = 1) {
    const path_ports ports{.where = sim.get_executor(),
                           .clock = sim,
                           .rng = most_random,
                           .cpu = cpu,
                           .pulls = no_network,
                           .uploads = no_network,
                           .store = store,
                           .log = *log,
                           .metrics = registry};
    const upload_options options{.name = "main",
                                 .id = 5,
                                 .concurrency = concurrency,
                                 .places = 4,
                                 .probe_interval = std::chrono::seconds(60),
                                 .backoff = {},
                                 .body_ended = [this] { ++bodies_ended; }};
    up = std::make_unique<upload>(options, ports, to, open, converters, cutter, counts,
                                  [this](std::string why) { failures.push_back(std::move(why)); });
    for (unsigned i = 0; i < concurrency; ++i) sim.spawn(up->send());
  }
  ~uploading() override {
    if (!up) return;
    up->abort();
    EXPECT_TRUE(sim.run());
    sim.check();
    EXPECT_EQ(sim.running(), 0U);
    EXPECT_EQ(up->places().in_use(), 0U);
    EXPECT_TRUE(up->now().idle());
  }
  std::unique_ptr<handed_over> hand_over(std::vector<std::string> rows, bool probe = false) {
    auto out = std::make_unique<handed_over>();
    std::vector<std::uint32_t> indexes;
    for (std::uint32_t i = 0; i < rows.size(); ++i) indexes.push_back(i);
    auto block = held(reply_of_events(rows));
    block->reply.fetched_at = sim.now();
    outgoing body;
    append_all(*encoder_, make_rows(rows));
    body.body = encoder_->finish();
    body.parts.push_back(part_of(out->line, block, std::move(indexes)));
    body.probe = probe;
    out->block = block;
    out->rows = std::move(rows);
    up->hand_over(std::move(body));
    return out;
  }
  std::unique_ptr<handed_over> hand_over(std::size_t rows) { return hand_over(new_rows(rows)); }
  std::vector<std::string> new_rows(std::size_t count) {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < count; ++i)
      out.push_back(R"({"eventId":")" + std::to_string(1'000 + ++last_row) + "\"}");
    return out;
  }
  void run_for(engine::duration d) {
    sim.call_at(sim.now() + d, [] {});  // time passes even if nobody waits for it
    EXPECT_TRUE(sim.run_for(d));
    sim.check();
  }
  // To the end: no more bodies will come. A parked gate plans its next probe for ever, so quiet is not what to wait
  // for.
  void finish() {
    up->finish();
    for (int days = 0; days < 10 && sim.running() > 0; ++days) run_for(std::chrono::hours(24));
    EXPECT_EQ(sim.running(), 0U);
  }
  // Answers with a refusal the first `count` times, then as before.
  void refuse_first(std::size_t count, azure::errc code, std::optional<engine::duration> retry_after = {}) {
    to.script = [this, count, code, retry_after](const put_seen&) {
      return to.puts.size() <= count ? refusal(code, retry_after) : put_answer{};
    };
  }
  double series(const std::string& name) {
    const std::string text = registry.prometheus_text();
    const auto at = text.find("\n" + name + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size() + 2));
  }

  support::simulation sim{1};
  support::simulated_cpu cpu{sim, 1};
  tests::fixed_rng most_random{{~std::uint64_t{0}}};
  tests::memory_exchange no_network{[](const tests::seen_request&) -> tests::scripted {
    ADD_FAILURE() << "only the sink is asked";
    return tests::scripted_answer{};
  }};
  tests::kept_state kept;
  tests::memory_store store{sim, kept};
  std::unique_ptr<engine::logger> log = engine::make_null_logger();
  engine::metric_registry registry;
  telemetry counts{registry};
  engine::buffer_pool pool{0};
  converter_pool converters{{}, pool, sim, counts};
  encoder_limits limits{.wire_bytes_max = service_wire_bytes_max, .raw_bytes_max = 4 * engine::mib};
  body_cutter cutter{limits.raw_bytes_max, make_encoder(compression_level::fast, limits, pool)};
  lanes open{[this] { return make_encoder(compression_level::fast, limits, pool); },
             2,
             {.wire_bytes_max = service_wire_bytes_max, .raw_bytes_max = limits.raw_bytes_max}};
  scripted_sink to{sim};
  std::vector<std::string> failures;
  std::size_t bodies_ended = 0;
  std::size_t last_row = 0;
  std::unique_ptr<upload> up;

 private:
  std::unique_ptr<encoder> encoder_ = make_encoder(compression_level::fast, limits, pool);
};

}  // namespace stages::test
