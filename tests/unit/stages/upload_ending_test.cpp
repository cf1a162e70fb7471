// How bodies end that are not accepted: parked, given back, aborted, or because the store or our own body is broken.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "stages/upload.hpp"
#include "tests/support/run_task.hpp"
#include "tests/unit/stages/upload_harness.hpp"

namespace stages {
namespace {

using namespace std::chrono_literals;
using azure::errc;
using test::put_answer;
using test::put_seen;
using test::refusal;
using testing::ElementsAre;
using testing::IsEmpty;

class ending_of : public test::uploading {
 protected:
  // A body that is still open in a lane of this destination.
  std::unique_ptr<engine::ack_line> open_body(std::uint32_t destination) {
    auto line = std::make_unique<engine::ack_line>("begin", [] {});
    std::vector<closed_body> closed;
    open.append(destination, test::make_rows(new_rows(2)), line->open("c1", 2, nullptr), test::held({}), sim.now(),
                false, closed);
    EXPECT_THAT(closed, IsEmpty());
    return line;
  }
};

// --- tokens --------------------------------------------------------------------------------------------------------

TEST_F(ending_of, an_unauthorized_body_is_sent_once_more_with_a_new_token) {
  make();
  refuse_first(1, errc::unauthorized);
  const auto one = hand_over(2);
  finish();
  EXPECT_TRUE(one->delivered());
  EXPECT_THAT(to.rejected, ElementsAre(7));
  ASSERT_EQ(to.puts.size(), 2U);
  EXPECT_EQ(to.puts[1].generation, 8U);
  EXPECT_EQ(to.puts[1].at - to.puts[0].at, 10ms);  // at once
  EXPECT_TRUE(up->gate().open());
}

TEST_F(ending_of, unauthorized_with_the_new_token_too_parks_the_destination) {
  make();
  refuse_first(2, errc::unauthorized);
  const auto one = hand_over(2);
  finish();
  EXPECT_TRUE(one->given_back());
  EXPECT_THAT(to.rejected, ElementsAre(7));
  EXPECT_EQ(to.puts.size(), 2U);
  EXPECT_TRUE(up->gate().now().parked);
}

TEST_F(ending_of, a_failure_to_get_a_token_is_counted_for_the_token_service) {
  make();
  to.script = [this](const put_seen&) {
    if (to.puts.size() > 1) return put_answer{};
    auto failed = refusal(errc::transport_not_sent);
    failed.from_token_service = true;
    return failed;
  };
  const auto one = hand_over(1);
  finish();
  EXPECT_TRUE(one->delivered());
  EXPECT_EQ(series("penstock_request_failures_total{fault=\"transient\",service=\"entra\"}"), 1);
  EXPECT_EQ(series("penstock_request_failures_total{fault=\"transient\",service=\"ingestion\"}"), -1);
}

// --- parked --------------------------------------------------------------------------------------------------------

TEST_F(ending_of, what_only_an_operator_can_change_parks_and_gives_all_back) {
  for (const errc code : {errc::forbidden, errc::not_found, errc::invalid_stream, errc::unexpected_status}) {
    SCOPED_TRACE(name_of(code));
    to.puts.clear();
    make();
    to.script = [code](const put_seen&) { return refusal(code); };
    const auto sent = hand_over(3);
    const auto waiting = hand_over(2);
    const auto in_a_lane = open_body(5);
    const auto of_another = open_body(6);
    run_for(1s);
    EXPECT_TRUE(up->gate().now().parked);
    EXPECT_EQ(up->gate().now().reason, "the service says " + std::string(name_of(code)));
    EXPECT_EQ(counts.destination("main").parked->value(), 1);
    EXPECT_EQ(to.puts.size(), 1U);
    EXPECT_TRUE(sent->given_back());
    EXPECT_TRUE(waiting->given_back());
    EXPECT_TRUE(in_a_lane->broken());
    EXPECT_EQ(in_a_lane->outstanding(), 0U);
    EXPECT_FALSE(of_another->broken());
    EXPECT_EQ(up->places().in_use(), 0U);
    EXPECT_THAT(kept.letters, IsEmpty());
    std::vector<closed_body> rest;
    open.close_due(sim.now(), true, rest);
    EXPECT_EQ(rest.size(), 1U);
    finish();
  }
}

TEST_F(ending_of, a_body_on_the_wire_is_delivered_although_the_destination_is_parked_meanwhile) {
  make(2);
  to.script = [this](const put_seen&) {
    return to.puts.size() == 1 ? refusal(errc::forbidden) : put_answer{.after = 50ms};
  };
  const auto refused = hand_over(1);
  run_for(1ms);
  const auto on_the_wire = hand_over(1);
  finish();
  EXPECT_TRUE(refused->given_back());
  EXPECT_TRUE(on_the_wire->delivered());
  EXPECT_TRUE(up->gate().now().parked);  // it left before: that says nothing about now
}

TEST_F(ending_of, a_body_that_waits_to_be_tried_again_is_given_back_when_the_destination_is_parked) {
  make(2);
  to.script = [this](const put_seen&) { return refusal(to.puts.size() == 1 ? errc::server_error : errc::forbidden); };
  const auto in_backoff = hand_over(1);
  run_for(100ms);
  const auto refused = hand_over(1);
  run_for(100ms);
  EXPECT_TRUE(refused->given_back());
  EXPECT_TRUE(in_backoff->given_back());
  EXPECT_EQ(to.puts.size(), 2U);
}

TEST_F(ending_of, only_a_probe_is_sent_to_a_parked_destination_and_its_success_opens_it) {
  make();
  refuse_first(1, errc::forbidden);
  const auto refused = hand_over(1);
  run_for(1s);
  const auto late = hand_over(1);
  run_for(1s);
  EXPECT_TRUE(late->given_back());
  EXPECT_EQ(to.puts.size(), 1U);
  const auto probe = hand_over(new_rows(1), true);
  run_for(1s);
  EXPECT_TRUE(probe->delivered());
  EXPECT_TRUE(up->gate().open());
  EXPECT_EQ(counts.destination("main").parked->value(), 0);
  const auto after = hand_over(1);
  finish();
  EXPECT_TRUE(after->delivered());
}

TEST_F(ending_of, a_body_half_of_which_was_accepted_gives_back_the_other_half) {
  make();
  to.script = [this](const put_seen&) {
    return to.puts.size() == 1   ? refusal(errc::too_large)
           : to.puts.size() == 2 ? put_answer{}
                                 : refusal(errc::not_found);
  };
  const auto one = hand_over(4);
  finish();
  EXPECT_EQ(counts.events_delivered.value(), 2);
  EXPECT_TRUE(one->given_back());  // the block as a whole is read again
  EXPECT_EQ(to.puts.size(), 3U);
}

// --- ends ----------------------------------------------------------------------------------------------------------

TEST_F(ending_of, finished_it_sends_what_it_has_and_takes_no_more) {
  make(2);
  refuse_first(1, errc::server_error);
  std::vector<std::unique_ptr<test::handed_over>> all;
  for (int i = 0; i < 5; ++i) all.push_back(hand_over(1));
  up->finish();
  const auto late = hand_over(1);
  EXPECT_TRUE(late->given_back());
  EXPECT_TRUE(sim.run());
  EXPECT_EQ(sim.running(), 0U);
  for (const auto& one : all) EXPECT_TRUE(one->delivered());
  EXPECT_EQ(up->places().in_use(), 0U);
  EXPECT_EQ(bodies_ended, 5U);
}

TEST_F(ending_of, aborted_it_gives_back_all_that_waits_and_ends) {
  make(2);
  to.script = [this](const put_seen&) {
    return to.puts.size() == 1 ? refusal(errc::server_error, 1h) : put_answer{.after = 1h};
  };
  const auto in_backoff = hand_over(1);
  run_for(100ms);
  const auto on_the_wire = hand_over(1);
  run_for(100ms);
  const auto waiting = hand_over(1);
  run_for(100ms);
  up->abort();
  run_for(1ms);
  EXPECT_TRUE(in_backoff->given_back());
  EXPECT_EQ(on_the_wire->line.outstanding(), 1U);  // its answer is still to come, and counts
  EXPECT_TRUE(hand_over(1)->given_back());
  EXPECT_TRUE(sim.run());
  EXPECT_EQ(sim.running(), 0U);
  EXPECT_TRUE(on_the_wire->delivered());
  EXPECT_TRUE(waiting->given_back());
  EXPECT_EQ(to.puts.size(), 2U);
}

TEST_F(ending_of, aborted_in_a_throttle_it_does_not_wait_for_its_end) {
  make();
  refuse_first(1, errc::throttled, 1h);
  const auto one = hand_over(1);
  run_for(1s);
  up->abort();
  run_for(1ms);
  EXPECT_TRUE(one->given_back());
  EXPECT_EQ(sim.running(), 0U);
}

TEST_F(ending_of, a_cancelled_request_gives_its_body_back_and_is_no_failure) {
  make();
  refuse_first(1, errc::cancelled);
  const auto one = hand_over(1);
  finish();
  EXPECT_TRUE(one->given_back());
  EXPECT_TRUE(up->gate().open());
  EXPECT_EQ(series("penstock_request_failures_total{fault=\"cancelled\",service=\"ingestion\"}"), -1);
}

TEST_F(ending_of, a_drain_gives_up_probes_that_wait_and_no_others) {
  make(2);
  to.script = [this](const put_seen&) { return to.puts.size() <= 2 ? refusal(errc::server_error, 10s) : put_answer{}; };
  const auto probe = hand_over(new_rows(1), true);
  const auto other = hand_over(1);
  run_for(100ms);
  up->drop_probes();
  run_for(100ms);
  EXPECT_TRUE(probe->given_back());
  EXPECT_EQ(other->line.outstanding(), 1U);
  finish();
  EXPECT_TRUE(other->delivered());
}

TEST_F(ending_of, shed_gives_back_what_is_not_on_the_wire) {
  make();
  const auto on_the_wire = hand_over(1);
  const auto waiting = hand_over(1);
  const auto in_a_lane = open_body(5);
  run_for(1ms);
  up->shed();
  EXPECT_TRUE(waiting->given_back());
  EXPECT_EQ(in_a_lane->outstanding(), 0U);
  const auto after = hand_over(1);  // shedding is not closing
  finish();
  EXPECT_TRUE(on_the_wire->delivered());
  EXPECT_TRUE(after->delivered());
}

// --- what must not happen ------------------------------------------------------------------------------------------

TEST_F(ending_of, a_dead_letter_that_cannot_be_kept_stops_the_service_and_nothing_is_delivered) {
  make();
  store.fail_at(1);
  refuse_first(1, errc::bad_rows);
  const auto one = hand_over(1);
  finish();
  EXPECT_THAT(failures, ElementsAre("dead letter not written: the disk is gone"));
  EXPECT_TRUE(one->given_back());
  EXPECT_EQ(counts.dead_letters_total.value(), 0);
  EXPECT_THAT(kept.letters, IsEmpty());
}

TEST_F(ending_of, a_row_is_delivered_only_when_its_dead_letter_is_on_disk) {
  make();
  store.latency_max = 10min;
  refuse_first(1, errc::bad_rows);
  const auto one = hand_over(1);
  while (store.calls() == 0) run_for(1ms);
  EXPECT_EQ(one->line.outstanding(), 1U);
  EXPECT_EQ(one->line.committable(), "begin");
  finish();
  EXPECT_TRUE(one->delivered());
  EXPECT_EQ(kept.letters.size(), 1U);
}

TEST_F(ending_of, a_body_that_cannot_be_cut_stops_the_service) {
  make();
  refuse_first(1, errc::too_large);
  auto one = std::make_unique<test::handed_over>();
  outgoing out;
  out.parts.push_back(test::part_of(one->line, test::held(test::reply_of_events({"{}", "{}"})), {0, 1}));
  out.body.wire = engine::buffer(8);
  out.body.wire.append("damaged!");
  out.body.raw_bytes = 7;
  out.body.row_bytes = {2, 2};
  up->hand_over(std::move(out));
  finish();
  EXPECT_THAT(failures, ElementsAre("a body of destination main could not be cut: damaged"));
  EXPECT_TRUE(one->given_back());
}

TEST_F(ending_of, a_reply_that_cannot_be_read_again_stops_the_service) {
  make();
  to.script = [](const put_seen&) { return refusal(errc::bad_rows); };
  const auto one = hand_over(1);
  one->block.lock()->reply.plain_bytes += 1;
  finish();
  EXPECT_THAT(failures,
              ElementsAre("the original of a refused row could not be read again: decompress: size_mismatch"));
  EXPECT_TRUE(one->given_back());
  EXPECT_THAT(kept.letters, IsEmpty());
}

// --- sinks ---------------------------------------------------------------------------------------------------------

TEST(null_sink, accepts_everything) {
  const auto to = make_null_sink();
  for (const bool gzip : {true, false}) {
    const auto answer = tests::run_task(to->put("anything", gzip));
    ASSERT_TRUE(answer.outcome.has_value());
    EXPECT_EQ(answer.outcome->status, 204);
    EXPECT_FALSE(answer.from_token_service);
  }
  to->reject_token(1);
}

// Gives the tokens or the failure it is told to.
class told_tokens final : public azure::token_source {
 public:
  std::optional<azure::token_failure> failing;
  std::vector<std::uint64_t> invalidated;
  engine::task<std::expected<azure::token, azure::token_failure>> get() override {
    if (failing) co_return std::unexpected(*failing);
    co_return azure::token{.value = engine::secret("a token"), .generation = 42};
  }
  void invalidate(std::uint64_t generation) override { invalidated.push_back(generation); }
};

struct sentinel_sink : testing::Test {
  int status = 204;
  tests::memory_exchange exchange{[this](const tests::seen_request&) -> tests::scripted {
    return tests::scripted_answer{.status = status, .headers = {}, .body = {}};
  }};
  support::simulation sim{1};
  azure::logs_ingestion client{{.endpoint = http::parse_base_url("https://x.ingest.monitor.azure.com").value(),
                                .rule = "dcr-0123456789abcdef0123456789abcdef",
                                .stream = "Custom-AliCloudActionTrailLogs"},
                               exchange,
                               sim,
                               sim};
  told_tokens tokens;
  std::unique_ptr<sink> to = make_sentinel_sink(client, tokens);
};

TEST_F(sentinel_sink, uploads_with_the_token_and_tells_its_generation) {
  const auto answer = tests::run_task(to->put("wire", true));
  EXPECT_TRUE(answer.outcome.has_value());
  EXPECT_EQ(answer.token_generation, 42U);
  EXPECT_EQ(exchange.requests().at(0).body, "wire");
  EXPECT_EQ(exchange.requests().at(0).header("authorization"), "Bearer a token");
  status = 401;
  const auto refused = tests::run_task(to->put("wire", true));
  EXPECT_EQ(refused.outcome.error().code, errc::unauthorized);
  EXPECT_FALSE(refused.from_token_service);
  to->reject_token(42);
  EXPECT_THAT(tokens.invalidated, ElementsAre(42));
}

TEST_F(sentinel_sink, without_a_token_nothing_is_sent_and_the_reaction_is_the_same_as_to_the_service) {
  using azure::token_errc;
  const std::vector<std::pair<token_errc, errc>> table{
      {token_errc::transport, errc::transport_not_sent}, {token_errc::server_busy, errc::transport_not_sent},
      {token_errc::bad_reply, errc::transport_not_sent}, {token_errc::throttled, errc::throttled},
      {token_errc::rejected, errc::forbidden},           {token_errc::misconfigured, errc::forbidden},
      {token_errc::cancelled, errc::cancelled}};
  for (const auto& [why, expected] : table) {
    tokens.failing = azure::token_failure{.code = why, .status = 400, .error = "its_word", .message = "m"};
    tokens.failing->retry_after = 7s;
    const auto answer = tests::run_task(to->put("wire", true));
    ASSERT_FALSE(answer.outcome.has_value());
    const auto& f = answer.outcome.error();
    EXPECT_EQ(f.code, expected) << name_of(why);
    EXPECT_EQ(f.message, "token: m");
    EXPECT_EQ(f.status, 400);
    EXPECT_EQ(f.service_code, "its_word");
    EXPECT_EQ(f.retry_after, 7s);
    EXPECT_FALSE(f.maybe_taken);
    EXPECT_TRUE(answer.from_token_service);
  }
  EXPECT_EQ(exchange.request_count(), 0U);
}

}  // namespace
}  // namespace stages
