// 413 and 400: bodies are cut until what is refused is a single row, and only that row goes to the dead letters.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/flow/world.hpp"

namespace tests {
namespace {

using namespace std::chrono_literals;

TEST(too_large, bodies_are_cut_until_they_fit_the_raw_size) {
  for (std::uint64_t seed = 1; seed <= seed_count(10); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    world w(seed, {.accounts = 1, .logstores = 1, .shards = 3});
    w.rule().raw_bytes_max = 2'500;
    w.fill_all(20, 5, 400);
    auto& p = w.start({.once = true});
    ASSERT_TRUE(w.run_to_end());
    EXPECT_FALSE(p.path.result().failed) << p.path.result().why;
    w.expect_exactly_once();
    EXPECT_GT(std::ranges::count(w.rule().uploads, 413, &upload_seen::status), 0);
  }
}

TEST(too_large, bodies_are_cut_until_they_fit_the_wire) {
  world w(1, {.accounts = 1, .logstores = 1, .shards = 3});
  w.rule().wire_bytes_max = 1'500;
  w.fill_all(20, 5, 400);
  w.start({.once = true});
  ASSERT_TRUE(w.run_to_end());
  w.expect_exactly_once();
}

TEST(too_large, a_row_that_fits_no_body_is_kept_as_a_dead_letter_with_its_text) {
  for (std::uint64_t seed = 1; seed <= seed_count(10); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    world w(seed);
    w.rule().raw_bytes_max = 2'500;
    w.fill_all(5, 3, 400);
    const auto large = w.make_event(5'000);
    w.cloud.append(w.shard(0, 0), {w.make_event(300), large, w.make_event(300)});
    w.fill_all(5, 3, 400);
    auto& p = w.start({.once = true});
    ASSERT_TRUE(w.run_to_end());
    EXPECT_FALSE(p.path.result().failed) << p.path.result().why;
    ASSERT_EQ(w.kept.letters.size(), 1U);
    EXPECT_EQ(w.kept.letters[0].original, large);
    EXPECT_EQ(w.kept.letters[0].reason, "refused_row");
    EXPECT_EQ(w.count().delivered, 32U);
    EXPECT_EQ(w.count().extra_rows, 0U);
    EXPECT_EQ(w.committed_groups(0, 0), 11U);
  }
}

TEST(bad_rows, are_found_by_halving_and_only_they_become_dead_letters) {
  for (std::uint64_t seed = 1; seed <= seed_count(40); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    world w(seed, {.accounts = 1, .logstores = 2, .shards = 2});
    w.fill_all(1 + seed % 9, 1 + seed % 7, 300);
    std::set<std::string> bad;
    for (unsigned l = 0; l < 2; ++l) {
      for (const auto& group : w.shard(0, l, 1).groups) {
        for (const auto& text : group.texts) {
          if (w.sim.next() % 5 == 0) bad.insert(text);
        }
      }
    }
    w.rule().refuses = [&bad](const std::string& text) { return bad.contains(text); };
    auto& p = w.start({.once = true});
    ASSERT_TRUE(w.run_to_end());
    EXPECT_FALSE(p.path.result().failed) << p.path.result().why;
    std::set<std::string> letters;
    for (const auto& l : w.kept.letters) {
      EXPECT_EQ(l.reason, "refused_row");
      EXPECT_TRUE(letters.insert(l.original).second);
      // Where it stands in its logstore.
      const auto& shard = w.shard(0, l.route.logstore == "logstore-0" ? 0 : 1, l.route.shard);
      std::vector<std::string> block;
      for (auto g = model_shard::group_at(l.cursor).value(); g < shard.groups.size(); ++g) {
        block.insert(block.end(), shard.groups[g].texts.begin(), shard.groups[g].texts.end());
      }
      ASSERT_LT(l.index, block.size());
      EXPECT_EQ(block[l.index], l.original);
    }
    EXPECT_EQ(letters, bad);
    const auto all = w.count();
    EXPECT_EQ(all.delivered, all.events - bad.size());
    EXPECT_EQ(all.missing, 0U);
    EXPECT_EQ(all.extra_rows, 0U);
  }
}

TEST(bad_rows, do_not_stop_the_destination_for_the_rest) {
  world w(2);
  w.rule().refuses = [](const std::string& text) { return text.find("Name3") != std::string::npos; };
  auto& p = w.start();
  for (unsigned i = 0; i < 30; ++i) {
    w.fill_all(1, 7);
    w.run_for(1s);
  }
  w.run_for(5s);
  EXPECT_FALSE(p.path.status().destinations[0].parked);
  EXPECT_EQ(w.count().buried, 30U);
  EXPECT_EQ(w.count().delivered, 180U);
}

TEST(bad_events, become_dead_letters_and_the_position_passes_them) {
  world w(3);
  const std::vector<std::string> bad = {"{\"eventId\":", "[1,2]", "not json"};
  for (const auto& text : bad) w.cloud.append(w.shard(0, 0), {w.make_event(200), text, w.make_event(200)});
  w.cloud.append(w.shard(0, 0), {"{"});
  auto& p = w.start({.once = true});
  ASSERT_TRUE(w.run_to_end());
  EXPECT_FALSE(p.path.result().failed);
  EXPECT_EQ(w.count().delivered, 6U);
  EXPECT_EQ(w.count().buried, 4U);
  EXPECT_EQ(w.committed_groups(0, 0), 4U);
}

}  // namespace
}  // namespace tests
