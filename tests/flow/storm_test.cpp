// Everything at once: refusals, silence, throttling, wrong keys, splits, bad rows, broken replies, kills and drains in
// an order of the seed's choice. When the weather clears, every event has arrived or is a dead letter.
#include <gtest/gtest.h>

#include <set>

#include "tests/flow/world.hpp"

namespace tests {
namespace {

using namespace std::chrono_literals;

constexpr unsigned accounts = 2;
constexpr unsigned logstores = 2;
constexpr unsigned destinations = 2;

class storm {
 public:
  explicit storm(std::uint64_t seed)
      : w(seed, {.accounts = accounts, .logstores = logstores, .shards = 2, .destinations = destinations}) {
    w.config.tuning.batch_raw_bytes_max = 3'000 + draw(20'000);
    w.config.tuning.pull_groups_max = 1 + static_cast<unsigned>(draw(20));
    w.config.tuning.upload_concurrency = 1 + static_cast<unsigned>(draw(8));
    w.config.tuning.memory_limit_bytes = (64 + draw(64)) * engine::mib;
    w.cloud.script = [this](operation op, const seen_request& r) { return refusal(op, r); };
    for (unsigned d = 0; d < destinations; ++d) {
      w.rule(d).refuses = [](const std::string& text) { return text.size() % 41 == 0; };
    }
  }

  void blow() {
    w.start();
    for (unsigned i = 0; i < 25; ++i) {
      something_happens();
      w.fill_all(draw(4), 1 + draw(4), 200 + draw(400));
      w.run_for(std::chrono::milliseconds(draw(15'000)));
      EXPECT_LE(w.now_running().path.memory().in_use(), w.now_running().path.memory().bytes_max());
    }
  }
  void clear() {
    refusing_.clear();
    silent_.clear();
    w.cloud.sls_rates = {};
    w.cloud.upload_rates = {};
    for (unsigned a = 0; a < accounts; ++a) {
      w.cloud.projects.at(world::project_name(a)).access_key_id = "key-" + std::to_string(a);
    }
    w.run_for(5min);  // it heals by itself
    w.drain();
    EXPECT_FALSE(w.now_running().path.result().failed) << w.now_running().path.result().why;
  }
  world w;

 private:
  std::uint64_t draw(std::uint64_t below) { return w.sim.next() % below; }
  static std::string host_of(std::uint64_t destination) { return "ingest-" + std::to_string(destination) + ".test"; }

  std::optional<model_answer> refusal(operation op, const seen_request& r) {
    if (op != operation::upload) return std::nullopt;
    if (silent_.contains(r.origin.host)) return model_answer{.status = 0, .headers = {}, .body = {}, .never = true};
    if (refusing_.contains(r.origin.host)) return model_answer{.status = 403, .headers = {}, .body = {}};
    return std::nullopt;
  }
  void split_a_shard() {
    const auto a = static_cast<unsigned>(draw(accounts));
    const auto l = static_cast<unsigned>(draw(logstores));
    auto& all = w.cloud.projects.at(world::project_name(a)).logstores.at(world::logstore_name(l));
    if (all.size() > 5) return;
    auto& parent = all.rbegin()->second;
    parent.readonly = true;
    const auto next = all.rbegin()->first + 1;
    w.fill(all[next], 2, 2);
    w.fill(all[next + 1], 2, 2);
  }
  void something_happens() {
    switch (draw(9)) {
      case 0:
        refusing_.insert(host_of(draw(destinations)));
        break;
      case 1:
        refusing_.clear();
        break;
      case 2:
        silent_.insert(host_of(draw(destinations)));
        break;
      case 3:
        silent_.clear();
        break;
      case 4:
        w.cloud.projects.at("project-0").access_key_id = draw(2) == 0 ? "another" : "key-0";
        break;
      case 5:
        w.cloud.sls_rates = w.cloud.upload_rates = {.lost_request = 0.05,
                                                    .lost_answer = 0.05,
                                                    .cut_body = 0.05,
                                                    .server_error = 0.05,
                                                    .throttled = 0.03,
                                                    .unauthorized = 0.03,
                                                    .garbled_block = 0.03};
        break;
      case 6:
        split_a_shard();
        break;
      case 7:
        w.kill();
        w.start();
        break;
      default:
        w.drain();
        w.start();
        break;
    }
  }

  std::set<std::string> refusing_;
  std::set<std::string> silent_;
};

TEST(storm, loses_nothing) {
  for (std::uint64_t seed = 1; seed <= seed_count(40); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    storm s(seed);
    s.blow();
    s.clear();
    const auto all = s.w.count();
    EXPECT_EQ(all.missing, 0U);
    EXPECT_EQ(all.unknown_rows, 0U);
    EXPECT_GT(all.delivered, 0U);
  }
}

}  // namespace
}  // namespace tests
