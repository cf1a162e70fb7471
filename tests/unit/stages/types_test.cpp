#include "stages/types.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace stages {
namespace {

using testing::ElementsAre;

TEST(set_aside_reasons, have_the_words_of_metrics_and_dead_letters) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < static_cast<std::size_t>(set_aside_reason::count_); ++i) {
    words.emplace_back(name_of(static_cast<set_aside_reason>(i)));
  }
  EXPECT_THAT(words,
              ElementsAre("no_event", "empty", "bad_encoding", "bad_json", "not_an_object", "too_deep", "too_large"));
  EXPECT_EQ(name_of(set_aside_reason::count_), "unknown");
}

rows three_rows() {
  rows out;
  out.text = ",{\"a\":1},{},{\"b\":2}";
  out.refs = {{.end = 8, .index = 4}, {.end = 11, .index = 0}, {.end = 19, .index = 7}};
  return out;
}

TEST(rows, give_each_row_without_its_comma) {
  const rows some = three_rows();
  EXPECT_EQ(some.row(0), "{\"a\":1}");
  EXPECT_EQ(some.row(1), "{}");
  EXPECT_EQ(some.row(2), "{\"b\":2}");
}

TEST(rows, give_runs_with_the_comma_before_each) {
  const rows some = three_rows();
  EXPECT_EQ(some.run(0, 3), some.text);
  EXPECT_EQ(some.run(0, 1), ",{\"a\":1}");
  EXPECT_EQ(some.run(1, 3), ",{},{\"b\":2}");
  EXPECT_EQ(some.run(1, 1), "");
  EXPECT_EQ(some.run(3, 3), "");
  EXPECT_EQ(some.begin_of(0), 0U);
  EXPECT_EQ(some.begin_of(2), 11U);
}

TEST(rows, are_cleared_of_everything) {
  rows some = three_rows();
  some.cut.push_back({.index = 4, .field = column::userAgent, .original = "{}"});
  some.bad.push_back({.index = 1, .reason = set_aside_reason::too_large, .original = "{}"});
  some.counts = {.cut_fields = 1, .bad_event_times = 2, .bad_booleans = 3, .repaired = 4};
  some.clear();
  EXPECT_TRUE(some.text.empty() && some.refs.empty() && some.cut.empty() && some.bad.empty());
  const transform_counts& counts = some.counts;
  EXPECT_EQ(counts.cut_fields + counts.bad_event_times + counts.bad_booleans + counts.repaired, 0U);
}

TEST(records, are_cleared_of_everything) {
  records some;
  some.events.resize(3);
  some.bad.resize(2);
  some.counts = {.duplicate_keys = 1, .rebuilt_events = 2};
  some.clear();
  EXPECT_TRUE(some.events.empty() && some.bad.empty());
  EXPECT_EQ(some.counts.duplicate_keys + some.counts.rebuilt_events, 0U);
}

TEST(log_groups, keep_their_room_when_cleared) {
  log_groups some;
  some.logs.resize(100);
  some.groups.resize(10);
  some.tags.resize(5);
  some.loose.resize(7);
  some.clear();
  EXPECT_TRUE(some.logs.empty() && some.groups.empty() && some.tags.empty() && some.loose.empty());
  EXPECT_GE(some.logs.capacity(), 100U);
  EXPECT_GE(some.groups.capacity(), 10U);
  EXPECT_GE(some.tags.capacity(), 5U);
  EXPECT_GE(some.loose.capacity(), 7U);
}

TEST(plain_block, shows_its_bytes_without_the_padding) {
  engine::buffer storage(16);
  storage.append("plain   ");
  const plain_block block{.storage = &storage, .size = 5};
  EXPECT_EQ(block.view(), "plain");
}

TEST(records, begin_with_every_column_absent) {
  const record fresh;
  EXPECT_EQ(column_count, 26U);  // the table's 27 but for TimeGenerated
  EXPECT_TRUE(std::ranges::all_of(fresh.slices, [](byte_view slice) { return slice.data() == nullptr; }));
}

}  // namespace
}  // namespace stages
