// What each answer of the service does to a body and its rows. How uploads end: upload_ending_test.cpp.
#include "stages/upload.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/unit/stages/upload_harness.hpp"

namespace stages {
namespace {

using namespace std::chrono_literals;
using azure::errc;
using test::joined;
using test::put_answer;
using test::put_seen;
using test::refusal;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr auto answer_time = 10ms;  // of the scripted sink
constexpr engine::time_point begin{};

class upload_of : public test::uploading {
 protected:
  [[nodiscard]] std::vector<engine::duration> times() const {
    std::vector<engine::duration> out;
    for (const auto& one : to.puts) out.push_back(one.at - begin);
    return out;
  }
  static std::vector<std::string> some(const std::vector<std::string>& all, std::size_t first, std::size_t last) {
    return {all.begin() + static_cast<std::ptrdiff_t>(first), all.begin() + static_cast<std::ptrdiff_t>(last)};
  }
};

// --- accepted ------------------------------------------------------------------------------------------------------

TEST_F(upload_of, an_accepted_body_delivers_its_rows_once) {
  make();
  const auto one = hand_over(3);
  EXPECT_EQ(up->places().in_use(), 1U);
  finish();
  EXPECT_TRUE(one->delivered());
  EXPECT_TRUE(one->block.expired());
  EXPECT_THAT(to.texts(), ElementsAre(joined(one->rows)));
  EXPECT_EQ(up->places().in_use(), 0U);
  EXPECT_EQ(bodies_ended, 1U);
  EXPECT_THAT(failures, IsEmpty());
  EXPECT_THAT(kept.letters, IsEmpty());
}

TEST_F(upload_of, counts_what_was_accepted) {
  make();
  const auto one = hand_over(3);
  const auto raw = static_cast<double>(joined(one->rows).size());
  finish();
  const auto wire = static_cast<double>(to.puts.at(0).wire.size());
  EXPECT_EQ(counts.events_delivered.value(), 3);
  EXPECT_EQ(counts.bytes_raw.value(), raw);
  EXPECT_EQ(counts.bytes_wire.value(), wire);
  auto& meter = counts.destination("main");
  EXPECT_EQ(meter.events_delivered->value(), 3);
  EXPECT_EQ(meter.bytes_raw->value(), raw);
  EXPECT_EQ(meter.bytes_wire->value(), wire);
  EXPECT_EQ(meter.requests->value(), 1);
  EXPECT_EQ(meter.in_flight->value(), 0);
  EXPECT_EQ(meter.bodies_waiting->value(), 0);
  EXPECT_EQ(counts.stage(stage_name::upload).events->value(), 3);
  EXPECT_EQ(counts.stage(stage_name::batch).events->value(), 3);
  EXPECT_DOUBLE_EQ(counts.stage(stage_name::upload).busy_s->value(), 0.01);
  EXPECT_NEAR(counts.latency.quantile_ms(1), 10, 1.2);  // from the pull's answer to the upload's
}

TEST_F(upload_of, no_more_bodies_are_on_the_wire_than_allowed) {
  make(3);
  std::vector<std::unique_ptr<test::handed_over>> all;
  for (int i = 0; i < 7; ++i) all.push_back(hand_over(1));
  run_for(1ms);
  EXPECT_EQ(up->now().in_flight, 3U);
  EXPECT_EQ(up->now().waiting, 4U);
  EXPECT_FALSE(up->now().idle());
  finish();
  EXPECT_EQ(to.most, 3U);
  for (const auto& one : all) EXPECT_TRUE(one->delivered());
  EXPECT_EQ(bodies_ended, 7U);
}

// --- too large -----------------------------------------------------------------------------------------------------

TEST_F(upload_of, a_body_too_large_is_cut_in_two_and_each_half_is_sent) {
  make();
  refuse_first(1, errc::too_large);
  const auto one = hand_over(5);
  finish();
  EXPECT_TRUE(one->delivered());
  EXPECT_THAT(to.texts(), ElementsAre(joined(one->rows), joined(some(one->rows, 0, 2)), joined(some(one->rows, 2, 5))));
  EXPECT_EQ(counts.destination("main").splits->value(), 1);
  EXPECT_EQ(counts.events_delivered.value(), 5);
  EXPECT_EQ(series("penstock_request_failures_total{fault=\"refused\",service=\"ingestion\"}"), 1);
}

TEST_F(upload_of, a_body_that_is_cut_keeps_its_place_until_its_last_half_is_answered) {
  make();
  std::vector<std::size_t> places;
  to.script = [&](const put_seen&) {
    places.push_back(up->places().in_use());
    return to.puts.size() == 1 ? refusal(errc::too_large) : put_answer{};
  };
  const auto one = hand_over(2);
  finish();
  EXPECT_THAT(places, ElementsAre(1, 1, 1));
}

TEST_F(upload_of, halves_are_cut_again_until_they_are_small_enough) {
  make();
  to.script = [](const put_seen& put) { return put.text.size() > 45 ? refusal(errc::too_large) : put_answer{}; };
  const auto one = hand_over(8);  // two rows make 41 bytes
  finish();
  EXPECT_TRUE(one->delivered());
  std::vector<std::string> accepted;
  for (const auto& text : to.texts()) {
    if (text.size() <= 45) accepted.push_back(text);
  }
  EXPECT_THAT(accepted, ElementsAre(joined(some(one->rows, 0, 2)), joined(some(one->rows, 2, 4)),
                                    joined(some(one->rows, 4, 6)), joined(some(one->rows, 6, 8))));
  EXPECT_EQ(counts.destination("main").splits->value(), 3);
}

TEST_F(upload_of, a_row_too_large_alone_becomes_a_dead_letter) {
  make();
  refuse_first(1, errc::too_large);
  const auto one = hand_over(1);
  finish();
  EXPECT_TRUE(one->delivered());
  EXPECT_EQ(to.puts.size(), 1U);
  ASSERT_EQ(kept.letters.size(), 1U);
  const auto& letter = kept.letters[0];
  EXPECT_EQ(letter.route,
            (engine::route_id{
                .account = "prod-cn", .project = "audit", .logstore = "trail", .shard = 3, .destination = "main"}));
  EXPECT_EQ(letter.reason, "refused_row");
  EXPECT_EQ(letter.detail, "the service says " + std::string(name_of(errc::too_large)));
  EXPECT_EQ(letter.cursor, "c0");
  EXPECT_EQ(letter.index, 0U);
  EXPECT_EQ(letter.original, one->rows[0]);
  EXPECT_EQ(counts.dead_letters_total.value(), 1);
  EXPECT_EQ(counts.dead_letters("refused_row").value(), 1);
  EXPECT_EQ(counts.events_delivered.value(), 0);
}

TEST_F(upload_of, later_bodies_stay_below_what_the_service_took_for_too_large) {
  make();
  const auto open_bodies = [this] {
    std::vector<closed_body> closed;
    engine::ack_line line{"begin", [] {}};
    const std::vector<std::string> texts(30, R"({"eventId":")" + std::string(50'000, 'e') + "\"}");
    auto units = line.open("after", 30, nullptr);
    open.append(5, test::make_rows(texts), std::move(units), test::held({}), sim.now(), true, closed);
    std::vector<std::size_t> sizes;
    for (const auto& one : closed) sizes.push_back(one.out.body.raw_bytes);
    return sizes;
  };
  EXPECT_EQ(open_bodies().size(), 1U);
  refuse_first(1, errc::too_large);
  const auto one = hand_over(2);
  finish();
  const auto sizes = open_bodies();
  EXPECT_EQ(sizes.size(), 2U);
  for (const auto size : sizes) EXPECT_LE(size, 1'000'000U);
}

// --- throttled -----------------------------------------------------------------------------------------------------

TEST_F(upload_of, a_throttled_destination_is_left_alone_for_as_long_as_it_says) {
  make(2);
  refuse_first(1, errc::throttled, 20s);
  std::vector<std::unique_ptr<test::handed_over>> all;
  for (int i = 0; i < 5; ++i) all.push_back(hand_over(1));
  run_for(1s);
  EXPECT_TRUE(up->now().throttled);
  EXPECT_EQ(counts.destination("main").throttled->value(), 1);
  finish();
  for (const auto& one : all) EXPECT_TRUE(one->delivered());
  const auto refused = begin + answer_time;
  std::size_t in_the_silence = 0;
  for (const auto& put : to.puts) in_the_silence += put.at > refused && put.at < refused + 24s;
  EXPECT_EQ(in_the_silence, 0U);
  EXPECT_EQ(times().back() >= answer_time + 24s, true);
  EXPECT_FALSE(up->now().throttled);
}

TEST_F(upload_of, the_same_body_goes_again_right_after_the_silence) {
  make();
  refuse_first(1, errc::throttled, 20s);
  const auto one = hand_over(2);
  finish();
  EXPECT_TRUE(one->delivered());
  EXPECT_THAT(times(), ElementsAre(0s, answer_time + 24s));  // a fifth more than it said
  EXPECT_EQ(to.puts[0].wire, to.puts[1].wire);
}

TEST_F(upload_of, a_throttle_without_a_time_means_thirty_seconds) {
  make();
  refuse_first(1, errc::throttled);
  const auto one = hand_over(1);
  finish();
  EXPECT_THAT(times(), ElementsAre(0s, answer_time + 36s));
}

TEST_F(upload_of, half_as_many_requests_at_once_then_one_more_each_ten_seconds) {
  make(8);
  refuse_first(1, errc::throttled, 5s);
  std::vector<std::unique_ptr<test::handed_over>> all;
  all.push_back(hand_over(1));
  run_for(100ms);
  EXPECT_EQ(up->now().limit, 4U);
  run_for(6s);  // accepted now, but too soon after
  EXPECT_TRUE(all[0]->delivered());
  EXPECT_EQ(up->now().limit, 4U);
  for (unsigned grown = 5; grown <= 9; ++grown) {
    run_for(10s);
    for (int twice = 0; twice < 2; ++twice) {  // one more, however many are accepted
      all.push_back(hand_over(1));
      run_for(100ms);
    }
    EXPECT_EQ(up->now().limit, std::min(grown, 8U));
  }
}

TEST_F(upload_of, refusals_of_requests_that_left_together_count_once) {
  make(8);
  to.script = [this](const put_seen&) {
    const auto n = static_cast<std::int64_t>(to.puts.size());
    return n <= 3 ? refusal(errc::throttled, 5s, n * answer_time) : put_answer{};
  };
  std::vector<std::unique_ptr<test::handed_over>> all;
  for (int i = 0; i < 3; ++i) all.push_back(hand_over(1));
  run_for(1s);
  EXPECT_EQ(to.puts.size(), 3U);
  EXPECT_EQ(up->now().limit, 4U);
  finish();
  EXPECT_EQ(times().at(3), 3 * answer_time + 6s);  // the last of them says how long
}

TEST_F(upload_of, after_the_silence_half_as_many_go_out_at_once) {
  make(4);
  refuse_first(4, errc::throttled, 20s);
  std::vector<std::unique_ptr<test::handed_over>> all;
  for (int i = 0; i < 4; ++i) all.push_back(hand_over(1));
  finish();
  const auto sent_at = times();
  EXPECT_EQ(std::ranges::count(sent_at, engine::duration(0s)), 4);
  EXPECT_EQ(std::ranges::count(sent_at, engine::duration(answer_time + 24s)), 2);
  for (const auto& one : all) EXPECT_TRUE(one->delivered());
}

TEST_F(upload_of, throttled_again_and_again_it_goes_on_with_one_request) {
  make(8);
  refuse_first(6, errc::throttled, 5s);
  const auto one = hand_over(1);
  run_for(33s);
  EXPECT_EQ(up->now().limit, 1U);
  finish();
  EXPECT_TRUE(one->delivered());
  EXPECT_EQ(to.puts.size(), 7U);
}

// --- errors that pass ----------------------------------------------------------------------------------------------

TEST_F(upload_of, the_same_bytes_go_again_after_a_growing_backoff) {
  make();
  refuse_first(8, errc::server_error);
  const auto one = hand_over(3);
  finish();
  EXPECT_TRUE(one->delivered());
  std::vector<engine::duration> pauses;
  for (std::size_t i = 1; i < to.puts.size(); ++i) pauses.push_back(to.puts[i].at - to.puts[i - 1].at - answer_time);
  EXPECT_THAT(pauses, ElementsAre(1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s));
  for (const auto& put : to.puts) EXPECT_EQ(put.wire, to.puts[0].wire);
  EXPECT_EQ(counts.destination("main").requests->value(), 9);
  EXPECT_EQ(series("penstock_request_failures_total{fault=\"transient\",service=\"ingestion\"}"), 8);
}

TEST_F(upload_of, it_is_tried_without_end) {
  for (const errc code : {errc::server_error, errc::transport_not_sent, errc::transport_ambiguous}) {
    to.puts.clear();
    make();
    refuse_first(500, code);
    const auto one = hand_over(1);
    run_for(7h);
    EXPECT_EQ(one->line.outstanding(), 1U);
    EXPECT_GE(up->now().silent, 6h);
    finish();
    EXPECT_TRUE(one->delivered()) << name_of(code);
    EXPECT_EQ(to.puts.size(), 501U);
    EXPECT_THAT(kept.letters, IsEmpty());
  }
}

TEST_F(upload_of, a_retry_after_is_kept_to_for_other_errors_too) {
  make();
  refuse_first(1, errc::server_error, 90s);
  const auto one = hand_over(1);
  finish();
  EXPECT_THAT(times(), ElementsAre(0s, answer_time + 108s));
}

TEST_F(upload_of, a_body_in_backoff_does_not_hold_up_the_others) {
  make(2);
  refuse_first(1, errc::server_error, 90s);
  const auto slow = hand_over(1);
  run_for(1ms);
  const auto quick = hand_over(1);
  run_for(1s);
  EXPECT_TRUE(quick->delivered());
  EXPECT_EQ(slow->line.outstanding(), 1U);
  EXPECT_EQ(up->now().in_flight, 0U);
  EXPECT_EQ(up->now().under_way, 1U);
  finish();
  EXPECT_TRUE(slow->delivered());
}

TEST_F(upload_of, rows_that_may_have_been_taken_are_counted_once_as_possible_duplicates) {
  make();
  to.script = [this](const put_seen&) {
    if (to.puts.size() > 3) return put_answer{};
    auto lost = refusal(errc::transport_ambiguous);
    lost.outcome.error().maybe_taken = true;
    return lost;
  };
  const auto one = hand_over(4);
  finish();
  EXPECT_EQ(counts.duplicates_possible.value(), 4);
}

// --- refused rows --------------------------------------------------------------------------------------------------

TEST_F(upload_of, refused_rows_are_found_by_halves_and_buried_and_the_others_delivered) {
  make();
  to.script = [](const put_seen& put) {
    return put.text.find("bad") != std::string::npos ? refusal(errc::bad_rows) : put_answer{};
  };
  auto rows = new_rows(9);
  rows[3] = R"({"eventId":"bad one"})";
  rows[7] = R"({"eventId":"bad two"})";
  const auto one = hand_over(rows);
  finish();
  EXPECT_TRUE(one->delivered());
  std::string accepted;
  for (const auto& text : to.texts()) {
    if (text.find("bad") == std::string::npos) accepted += text;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(accepted.find(rows[i]) != std::string::npos, i != 3 && i != 7) << i;
    EXPECT_EQ(accepted.find(rows[i]), accepted.rfind(rows[i])) << i;
  }
  ASSERT_EQ(kept.letters.size(), 2U);
  EXPECT_EQ(kept.letters[0].index, 3U);
  EXPECT_EQ(kept.letters[0].original, rows[3]);
  EXPECT_EQ(kept.letters[1].index, 7U);
  EXPECT_EQ(kept.letters[1].original, rows[7]);
  EXPECT_EQ(counts.events_delivered.value(), 7);
}

TEST_F(upload_of, rows_too_far_apart_in_time_are_cut_and_not_buried) {
  make();
  refuse_first(1, errc::time_span);
  const auto one = hand_over(4);
  finish();
  EXPECT_TRUE(one->delivered());
  EXPECT_THAT(to.texts(), ElementsAre(joined(one->rows), joined(some(one->rows, 0, 2)), joined(some(one->rows, 2, 4))));
  EXPECT_THAT(kept.letters, IsEmpty());
}

}  // namespace
}  // namespace stages
