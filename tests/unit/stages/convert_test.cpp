#include "stages/convert.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "tests/support/set_clock.hpp"
#include "tests/unit/stages/spine_parts.hpp"

namespace stages {
namespace {

using test::reply_of;
using test::reply_of_events;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using tests::group_list;
using tests::log_group_builder;

const std::string stop = R"({"eventId":"1","eventName":"StopInstance","eventTime":"2026-11-20T07:59:00Z"})";
const std::string list = R"({"eventId":"2","eventName":"ListBuckets","eventTime":"2026-11-20T07:59:01Z"})";

struct converting : testing::Test {
  [[nodiscard]] static std::vector<std::string> texts(const rows& some) {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < some.refs.size(); ++i) out.emplace_back(some.row(i));
    return out;
  }
  [[nodiscard]] static std::vector<std::uint32_t> indexes(const rows& some) {
    std::vector<std::uint32_t> out;
    for (const auto& ref : some.refs) out.push_back(ref.index);
    return out;
  }
  [[nodiscard]] static std::vector<std::pair<std::uint32_t, set_aside_reason>> reasons(const converted& done) {
    std::vector<std::pair<std::uint32_t, set_aside_reason>> out;
    for (const auto& one : *done.bad) out.emplace_back(one.index, one.reason);
    return out;
  }
  engine::buffer_pool buffers{0};
  tests::set_clock clock;
  engine::metric_registry registry;
  telemetry counts{registry};
  transform_options options{.order = row_order::arrival};
  converter convert{options, buffers, clock, counts};
};

TEST_F(converting, gives_a_value_row_for_each_event) {
  const auto done = convert(reply_of_events({stop, list}), row_format::value);
  ASSERT_TRUE(done.has_value()) << done.error();
  EXPECT_THAT(
      texts(*done->rows),
      ElementsAre(
          R"({"value":"{\"eventId\":\"1\",\"eventName\":\"StopInstance\",\"eventTime\":\"2026-11-20T07:59:00Z\"}"})",
          R"({"value":"{\"eventId\":\"2\",\"eventName\":\"ListBuckets\",\"eventTime\":\"2026-11-20T07:59:01Z\"}"})"));
  EXPECT_THAT(indexes(*done->rows), ElementsAre(0, 1));
  EXPECT_THAT(*done->bad, IsEmpty());
  EXPECT_EQ(done->event_count, 2U);
}

TEST_F(converting, gives_typed_rows_with_the_same_object) {
  ASSERT_TRUE(convert(reply_of_events({list}), row_format::value).has_value());
  const auto done = convert(reply_of_events({stop}), row_format::typed);
  ASSERT_TRUE(done.has_value()) << done.error();
  EXPECT_THAT(texts(*done->rows), ElementsAre(R"({"TimeGenerated":"2026-11-20T07:59:00Z",)"
                                              R"("eventTime":"2026-11-20T07:59:00Z",)"
                                              R"("eventId":"1","eventName":"StopInstance"})"));
  EXPECT_EQ(done->event_count, 1U);  // nothing of the block before
}

TEST_F(converting, keeps_to_the_options_it_was_made_with) {
  converter by_name({.order = row_order::event_name, .field_bytes_max = 65'536}, buffers, clock, counts);
  std::vector<std::string> events;
  for (int i = 0; i < 3; ++i) events.insert(events.end(), {stop, list});
  const auto done = by_name(reply_of_events(events), row_format::typed);
  ASSERT_TRUE(done.has_value()) << done.error();
  const auto order = indexes(*done->rows);
  EXPECT_THAT(order, testing::AnyOf(ElementsAre(0, 2, 4, 1, 3, 5), ElementsAre(1, 3, 5, 0, 2, 4)));
}

TEST_F(converting, sets_single_bad_events_aside_and_converts_the_others) {
  log_group_builder group;
  group.event(stop).event("").event("{\"a\":").event("[1]").event("{\"a\":\"\xff\"}").event(list);
  group.log({{"other", "content"}});
  const auto done = convert(reply_of(group_list({group}), 1), row_format::value);
  ASSERT_TRUE(done.has_value()) << done.error();
  EXPECT_THAT(indexes(*done->rows), ElementsAre(0, 5));
  EXPECT_THAT(reasons(*done),
              ElementsAre(Pair(1, set_aside_reason::empty), Pair(2, set_aside_reason::bad_json),
                          Pair(3, set_aside_reason::not_an_object), Pair(4, set_aside_reason::bad_encoding),
                          Pair(6, set_aside_reason::no_event)));
  EXPECT_EQ(done->bad->at(1).original, "{\"a\":");
  EXPECT_EQ(done->event_count, 7U);
}

TEST_F(converting, a_row_that_fits_no_body_is_told_with_the_rows) {
  converter small({.order = row_order::arrival, .row_bytes_max = 100}, buffers, clock, counts);
  const std::string large = R"({"eventId":")" + std::string(200, 'a') + "\"}";
  const auto done = small(reply_of_events({large, R"({"eventId":"1"})"}), row_format::value);
  ASSERT_TRUE(done.has_value()) << done.error();
  EXPECT_THAT(indexes(*done->rows), ElementsAre(1));
  ASSERT_EQ(done->rows->bad.size(), 1U);
  EXPECT_EQ(done->rows->bad[0].index, 0U);
  EXPECT_EQ(done->rows->bad[0].reason, set_aside_reason::too_large);
  EXPECT_EQ(done->rows->bad[0].original, large);
  EXPECT_THAT(*done->bad, IsEmpty());
}

TEST_F(converting, tells_the_newest_time_of_receipt) {
  log_group_builder early;
  early.log({{"event", stop}}, 1'700'000'900).tag("__receive_time__", "1700000100");
  log_group_builder late;
  late.log({{"event", list}}, 1'600'000'000).tag("__receive_time__", "1700000200");
  const auto done = convert(reply_of(group_list({late, early}), 2), row_format::value);
  ASSERT_TRUE(done.has_value()) << done.error();
  EXPECT_EQ(done->last_receive_s, 1'700'000'200);  // an event's own time, later still, is not when it came
}

TEST_F(converting, takes_the_logs_time_where_the_receipt_is_not_told) {
  log_group_builder group;
  group.log({{"event", stop}}, 1'700'000'050).log({{"event", list}}, 1'700'000'007);
  const auto done = convert(reply_of(group_list({group}), 1), row_format::value);
  ASSERT_TRUE(done.has_value()) << done.error();
  EXPECT_EQ(done->last_receive_s, 1'700'000'050);
}

TEST_F(converting, a_reply_that_does_not_unpack_is_an_error_with_its_step) {
  auto wrong_size = reply_of_events({stop});
  wrong_size.plain_bytes += 1;
  EXPECT_EQ(convert(wrong_size, row_format::value).error(), "decompress: size_mismatch");
  auto not_lz4 = reply_of_events({stop});
  not_lz4.coding = codec::lz4;
  EXPECT_TRUE(convert(not_lz4, row_format::value).error().starts_with("decompress: "));
  const auto wrong_count = reply_of(group_list({log_group_builder().event(stop)}), 2);
  EXPECT_EQ(convert(wrong_count, row_format::value).error(), "decode: malformed");
  EXPECT_EQ(convert(reply_of("not a list of groups", 1), row_format::value).error(), "decode: malformed");
  EXPECT_TRUE(convert(reply_of_events({stop}), row_format::value).has_value());
}

TEST_F(converting, finds_the_originals_of_good_and_bad_events_again) {
  const std::string log = tests::log_message({{"other", "content"}});
  log_group_builder group;
  group.event(stop).event("no json").log(log).event(list);
  const auto reply = reply_of(group_list({group}), 1);
  const auto found = convert.originals(reply, {3, 1, 2, 3});
  ASSERT_TRUE(found.has_value()) << found.error();
  EXPECT_THAT(*found, ElementsAre(list, "no json", log, list));
  EXPECT_EQ(convert.originals(reply, {}).value(), std::vector<std::string>{});
}

TEST_F(converting, originals_of_an_event_or_a_reply_that_is_none_are_an_error) {
  EXPECT_EQ(convert.originals(reply_of_events({stop}), {0, 1}).error(), "event 1 is not in its block");
  EXPECT_EQ(convert.originals(reply_of("?", 1), {0}).error(), "decode: malformed");
}

TEST_F(converting, leaves_the_reply_as_it_was) {
  const auto reply = reply_of_events({stop, "no json"});
  const std::string before(reply.bytes.view());
  ASSERT_TRUE(convert(reply, row_format::typed).has_value());
  EXPECT_EQ(reply.bytes.view(), before);
  EXPECT_EQ(convert.originals(reply, {0}).value().at(0), stop);
}

TEST_F(converting, counts_events_at_each_stage_and_what_was_odd) {
  const std::string odd = R"({"eventName":"a","eventName":"b","eventTime":"yesterday","isGlobal":"perhaps"})";
  ASSERT_TRUE(convert(reply_of_events({stop, odd, "no json"}), row_format::typed).has_value());
  EXPECT_EQ(counts.stage(stage_name::decompress).events->value(), 3);
  EXPECT_EQ(counts.stage(stage_name::decode).events->value(), 3);
  EXPECT_EQ(counts.stage(stage_name::parse).events->value(), 3);
  EXPECT_EQ(counts.stage(stage_name::transform).events->value(), 2);
  EXPECT_EQ(counts.duplicate_keys.value(), 1);
  EXPECT_EQ(counts.bad_event_times.value(), 1);
  EXPECT_EQ(counts.bad_booleans.value(), 1);
  EXPECT_EQ(counts.rebuilt_events.value(), 0);
  log_group_builder group;
  group.log({{"event.eventId", "7"}});
  const std::string long_field = R"({"userAgent":")" + std::string(70'000, 'a') + R"(","eventId":"\ud800"})";
  group.event(long_field);
  ASSERT_TRUE(convert(reply_of(group_list({group}), 1), row_format::typed).has_value());
  EXPECT_EQ(counts.rebuilt_events.value(), 1);
  EXPECT_EQ(counts.cut_fields.value(), 1);
  EXPECT_EQ(counts.repaired_events.value(), 1);
}

TEST_F(converting, works_on_after_giving_back_the_room_of_an_unusual_block) {
  const std::vector<std::string> many(10'000, R"({"eventId":")" + std::string(900, 'x') + "\"}");
  const auto large = convert(reply_of_events(many), row_format::value);
  ASSERT_TRUE(large.has_value()) << large.error();
  ASSERT_EQ(large->rows->refs.size(), many.size());
  convert.release_surplus();
  const auto small = convert(reply_of_events({stop}), row_format::value);
  ASSERT_TRUE(small.has_value()) << small.error();
  EXPECT_THAT(indexes(*small->rows), ElementsAre(0));
}

TEST_F(converting, gives_back_the_room_of_an_unusual_block) {
  const std::vector<std::string> many(10'000, R"({"eventId":")" + std::string(900, 'x') + "\"}");
  const auto large = convert(reply_of_events(many), row_format::value);
  ASSERT_TRUE(large.has_value()) << large.error();
  ASSERT_GT(large->rows->text.capacity(), 8 * engine::mib);
  convert.release_surplus();
  EXPECT_LE(large->rows->text.capacity(), 8 * engine::mib);
  EXPECT_LE(large->rows->refs.capacity(), 8192U);
}

TEST_F(converting, a_pool_makes_as_many_as_are_used_at_once_and_keeps_them) {
  converter_pool pool(options, buffers, clock, counts);
  auto one = pool.take();
  auto two = pool.take();
  ASSERT_NE(one, nullptr);
  ASSERT_NE(two, nullptr);
  EXPECT_NE(one, two);
  const std::set<converter*> made{one.get(), two.get()};
  pool.give(std::move(one));
  pool.give(std::move(two));
  // So that an address that is seen again is the same object, not its memory used again.
  const auto between = std::make_unique<converter>(options, buffers, clock, counts);
  const auto and_another = std::make_unique<converter>(options, buffers, clock, counts);
  auto again = pool.take();
  auto more = pool.take();
  EXPECT_EQ((std::set<converter*>{again.get(), more.get()}), made);
  EXPECT_TRUE((*again)(reply_of_events({stop}), row_format::typed).has_value());
}

}  // namespace
}  // namespace stages
