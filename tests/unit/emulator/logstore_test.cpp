#include "tools/emulator/sls/logstore.hpp"

#include <gtest/gtest.h>

namespace emulator::sls {
namespace {

class logstore_test : public testing::Test {
 protected:
  logstore_settings with_shards(std::size_t count) {
    logstore_settings settings;
    settings.shard_count = count;
    return settings;
  }
  std::unique_ptr<logstore> make(std::size_t shards) {
    return std::make_unique<logstore>(
        with_shards(shards),
        [this](std::int64_t id) {
          return std::make_unique<shard>(1000 * (id + 1), shard_limits{}, cache_, [](std::uint64_t) {});
        },
        50);
  }
  static std::vector<new_group> one_group() { return {{"group", 1, 1, 1}}; }
  static std::vector<std::uint64_t> sizes(const logstore& of) {
    std::vector<std::uint64_t> list;
    for (const auto& info : of.shards()) list.push_back(of.find(info.id)->size());
    return list;
  }

  reply_cache cache_{1U << 20U};
};

std::string code_of(const outcome<std::vector<shard_info>>& result) { return result ? "" : result.error().message; }

TEST_F(logstore_test, new_shards_divide_the_hash_space_evenly) {
  const auto shards = make(4)->shards();
  ASSERT_EQ(shards.size(), 4U);
  EXPECT_EQ(hex32(shards[0].begin), std::string(32, '0'));
  EXPECT_EQ(hex32(shards[1].begin), "4" + std::string(31, '0'));
  EXPECT_EQ(hex32(shards[2].begin), "8" + std::string(31, '0'));
  EXPECT_EQ(hex32(shards[3].end), std::string(32, 'f'));
  for (std::size_t i = 0; i + 1 < shards.size(); ++i) EXPECT_EQ(shards[i].end, shards[i + 1].begin);
  EXPECT_EQ(shards[0].create_time_s, 50);
}

TEST_F(logstore_test, split_makes_the_shard_readonly_and_its_children_partition_its_range) {
  const auto store = make(2);
  const auto result = store->split(0, "", 2, 60);
  ASSERT_TRUE(result.has_value());
  ASSERT_EQ(result->size(), 3U);
  EXPECT_TRUE((*result)[0].readonly);
  EXPECT_EQ((*result)[0].id, 0);
  EXPECT_EQ((*result)[1].id, 2);
  EXPECT_EQ((*result)[2].id, 3);
  EXPECT_EQ(hex32((*result)[1].end), "4" + std::string(31, '0'));
  EXPECT_EQ((*result)[2].begin, (*result)[1].end);
  EXPECT_EQ((*result)[2].end, (*result)[0].end);
  EXPECT_EQ((*result)[1].create_time_s, 60);
  EXPECT_TRUE(store->find(0)->readonly());
  EXPECT_FALSE(store->find(2)->readonly());
}

TEST_F(logstore_test, split_takes_a_key_inside_the_range_and_a_count) {
  const auto store = make(1);
  EXPECT_EQ(code_of(store->split(0, std::string(32, '0'), 2, 0)), "split key must lie inside the range of the shard");
  EXPECT_EQ(code_of(store->split(0, "xyz", 2, 0)), "split key must lie inside the range of the shard");
  EXPECT_EQ(code_of(store->split(0, "", 1, 0)), "shardCount must be 2 to 64");
  EXPECT_EQ(code_of(store->split(5, "", 2, 0)), "shard 5 does not exist");
  const auto by_key = store->split(0, "e", 2, 0);
  ASSERT_TRUE(by_key.has_value());
  EXPECT_EQ(hex32((*by_key)[2].begin), "e" + std::string(31, '0'));
  EXPECT_EQ(code_of(store->split(0, "", 2, 0)), "readonly shard can not be split");
  const auto by_count = store->split(1, "", 5, 0);
  ASSERT_TRUE(by_count.has_value());
  EXPECT_EQ(by_count->size(), 6U);
}

TEST_F(logstore_test, merge_joins_a_shard_with_its_right_neighbour) {
  const auto store = make(2);
  EXPECT_EQ(code_of(store->merge(1, 0)), "can not merge the last shard");
  const auto result = store->merge(0, 70);
  ASSERT_TRUE(result.has_value());
  ASSERT_EQ(result->size(), 3U);
  EXPECT_EQ((*result)[0].id, 2);
  EXPECT_FALSE((*result)[0].readonly);
  EXPECT_EQ(hex32((*result)[0].begin), std::string(32, '0'));
  EXPECT_EQ(hex32((*result)[0].end), std::string(32, 'f'));
  EXPECT_TRUE((*result)[1].readonly);
  EXPECT_TRUE((*result)[2].readonly);
  EXPECT_EQ(code_of(store->merge(0, 0)), "readonly shard can not be merged");
  EXPECT_EQ(code_of(store->merge(2, 0)), "can not merge the last shard");
}

TEST_F(logstore_test, writes_go_to_writable_shards_in_turn_and_never_to_readonly_ones) {
  const auto store = make(2);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(store->append(one_group()));
  EXPECT_EQ(sizes(*store), (std::vector<std::uint64_t>{2, 2}));
  ASSERT_TRUE(store->split(0, "", 2, 0));
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(store->append(one_group()));
  EXPECT_EQ(sizes(*store), (std::vector<std::uint64_t>{2, 4, 2, 2}));
}

TEST_F(logstore_test, a_key_routes_to_the_writable_shard_that_holds_it) {
  const auto store = make(2);
  ASSERT_TRUE(store->append(one_group(), hash_key_of("7f").value()));
  ASSERT_TRUE(store->append(one_group(), hash_key_of("80").value()));
  ASSERT_TRUE(store->append(one_group(), hash_key_max));
  EXPECT_EQ(sizes(*store), (std::vector<std::uint64_t>{1, 2}));
  ASSERT_TRUE(store->split(0, "", 2, 0));
  ASSERT_TRUE(store->append(one_group(), hash_key_of("7f").value()));
  EXPECT_EQ(sizes(*store), (std::vector<std::uint64_t>{1, 2, 0, 1}));
}

TEST_F(logstore_test, groups_see_the_children_of_a_split_and_release_them_in_order) {
  const auto store = make(1);
  ASSERT_TRUE(store->append(one_group()));
  ASSERT_TRUE(store->create_group("g", std::chrono::seconds(60), true));
  const time_point now{};
  EXPECT_EQ(store->heartbeat("g", "c", {}, now), std::vector<std::int64_t>{0});
  ASSERT_TRUE(store->split(0, "", 2, 0));
  EXPECT_EQ(store->heartbeat("g", "c", {0}, now), std::vector<std::int64_t>{0});
  ASSERT_TRUE(store->checkpoint("g", "c", 0, "MTAwMQ==", false, now));  // 1001: base 1000 and one group
  EXPECT_EQ(store->heartbeat("g", "c", {0}, now), (std::vector<std::int64_t>{1, 2}));
}

TEST_F(logstore_test, groups_are_created_once_updated_listed_and_deleted) {
  const auto store = make(1);
  ASSERT_TRUE(store->create_group("g", std::chrono::seconds(60), false));
  EXPECT_EQ(store->create_group("g", std::chrono::seconds(60), false).error().code, "ConsumerGroupAlreadyExist");
  ASSERT_TRUE(store->update_group("g", std::chrono::seconds(20), true));
  const auto groups = store->groups();
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0].name, "g");
  EXPECT_EQ(groups[0].timeout, std::chrono::seconds(20));
  EXPECT_TRUE(groups[0].order);
  ASSERT_TRUE(store->delete_group("g"));
  EXPECT_EQ(store->delete_group("g").error().status, 404);
  EXPECT_EQ(store->update_group("g", std::nullopt, false).error().code, "ConsumerGroupNotExist");
  EXPECT_EQ(store->heartbeat("g", "c", {}, {}).error().code, "ConsumerGroupNotExist");
  EXPECT_EQ(store->checkpoints("g", std::nullopt).error().code, "ConsumerGroupNotExist");
}

}  // namespace
}  // namespace emulator::sls
