#include "tools/emulator/cut_rule.hpp"

#include <gtest/gtest.h>

#include "ledger_world.hpp"
#include "tools/emulator/digests.hpp"

namespace {

using namespace emulator_tests;
using namespace emulator;

std::string mark(std::string_view bytes) {
  return R"({"penstock_cut":{"bytes":)" + std::to_string(bytes.size()) + R"(,"sha256":")" + hex_lower(sha256(bytes)) +
         R"("}})";
}

std::string in_quotes(std::string_view text) { return json_quoted(text); }

std::string object_of(std::size_t bytes) { return R"({"text":")" + std::string(bytes, 'x') + "\"}"; }

std::string event_with(std::string_view response, std::string_view request, std::string_view request_json) {
  return R"({"eventId":"long","responseElements":)" + std::string(response) + R"(,"requestParameters":)" +
         std::string(request) + R"(,"requestParameterJson":)" + std::string(request_json) + "}";
}

std::vector<std::uint64_t> judged(const std::string& event, const std::string& row) {
  ledger_world world;
  world.store(event);
  world.accept_row(row);
  return numbers(world.book.totals());
}

const std::vector<std::uint64_t> delivered = {1, 1, 0, 0, 0, 0};
const std::vector<std::uint64_t> altered = {1, 0, 0, 1, 1, 0};

TEST(cut_rule, cuts_value_rows_in_order_until_they_fit) {
  const std::string response = object_of(40'000);
  const std::string request = object_of(40'000);
  const std::string event = event_with(response, request, in_quotes("{}"));
  EXPECT_EQ(judged(event, value_row(event_with(mark(response), request, in_quotes("{}")))), delivered);
  EXPECT_EQ(judged(event, value_row(event_with(response, mark(request), in_quotes("{}")))), altered);  // wrong order
  EXPECT_EQ(judged(event, value_row(event_with(mark(response), mark(request), in_quotes("{}")))), altered);  // too much
  EXPECT_EQ(judged(event, value_row(event_with(mark(response + " "), request, in_quotes("{}")))),
            altered);                                   // wrong digest
  EXPECT_EQ(judged(event, value_row(event)), altered);  // truncated by the service
}

TEST(cut_rule, may_skip_fields_smaller_than_their_mark) {
  const std::string request = object_of(70'000);
  const std::string event = event_with("{}", request, in_quotes("{}"));
  EXPECT_EQ(judged(event, value_row(event_with("{}", mark(request), in_quotes("{}")))), delivered);
  EXPECT_EQ(judged(event, value_row(event_with(mark("{}"), mark(request), in_quotes("{}")))), delivered);
}

TEST(cut_rule, writes_the_mark_as_text_in_text_members) {
  const std::string inner = R"({"a":")" + std::string(70'000, 'y') + "\"}";
  const std::string event = event_with("{}", "{}", in_quotes(inner));
  for (const std::string& measured : {in_quotes(inner), inner}) {
    EXPECT_EQ(judged(event, value_row(event_with("{}", "{}", in_quotes(mark(measured))))), delivered);
    EXPECT_EQ(judged(event, value_row(event_with("{}", "{}", mark(measured)))), altered);
  }
}

TEST(cut_rule, cuts_each_over_long_typed_column_alone) {
  const std::string response = object_of(70'000);
  const std::string inner(70'000, 'z');
  const std::string event = event_with(response, object_of(40'000), in_quotes(inner));
  const std::string time = R"("TimeGenerated":"2025-10-09T08:53:20Z",)";
  const auto row = [&](const std::string& response_cell, const std::string& request_cell,
                       const std::string& json_cell) {
    return "{" + time + event_with(response_cell, request_cell, json_cell).substr(1);
  };
  EXPECT_EQ(judged(event, row(mark(response), object_of(40'000), in_quotes(mark(inner)))), delivered);
  EXPECT_EQ(judged(event, row(response, object_of(40'000), in_quotes(mark(inner)))), altered);
  EXPECT_EQ(judged(event, row(mark(response), mark(object_of(40'000)), in_quotes(mark(inner)))), altered);
  EXPECT_EQ(judged(event, row(mark(response), object_of(40'000), in_quotes(inner))), altered);
}

TEST(cut_rule, leaves_typed_rows_of_long_events_with_short_fields_alone) {
  const std::string event = event_with(object_of(40'000), object_of(40'000), in_quotes("{}"));
  EXPECT_EQ(judged(event, R"({"TimeGenerated":"2025-10-09T08:53:20Z",)" + event.substr(1)), delivered);
}

TEST(cut_rule, knows_a_member_whose_name_is_spelled_with_escapes) {
  const std::string frame = R"({"eventId":"long","respons\u0065Elements":)";
  const std::string response = object_of(70'000);
  EXPECT_EQ(judged(frame + response + "}", value_row(frame + mark(response) + "}")), delivered);
  EXPECT_EQ(judged(frame + response + "}",
                   R"({"TimeGenerated":"2025-10-09T08:53:20Z",)" + (frame + mark(response)).substr(1) + "}"),
            delivered);
}

TEST(cut_rule, takes_the_log_time_with_and_without_its_nanoseconds) {
  const std::string response = object_of(70'000);
  const std::string event = R"({"eventId":"long","responseElements":)" + response + "}";
  const auto judged_at = [&](std::string_view time) {
    ledger_world world;
    const std::string half_a_second("\x25\x00\x65\xcd\x1d", 5);  // fixed32 500'000'000
    world.store_group(group_of({log_of(ledger_world::log_time_s, {{"event", event}}) + half_a_second}));
    world.accept_row(R"({"TimeGenerated":")" + std::string(time) + R"(","eventId":"long","responseElements":)" +
                     mark(response) + "}");
    return numbers(world.book.totals());
  };
  EXPECT_EQ(judged_at("2025-10-09T08:53:20Z"), delivered);
  EXPECT_EQ(judged_at("2025-10-09T08:53:20.5Z"), delivered);
  EXPECT_EQ(judged_at("2025-10-09T08:53:20.6Z"), altered);
}

TEST(cut_rule, takes_exactly_65536_bytes_as_fitting) {
  const std::string frame = R"({"eventId":"edge","errorMessage":""})";
  const std::string fits = R"({"eventId":"edge","errorMessage":")" + std::string(65'536 - frame.size(), 'e') + "\"}";
  EXPECT_EQ(judged(fits, value_row(fits)), delivered);
  const std::string longer = R"({"eventId":"edge","errorMessage":")" + std::string(65'537 - frame.size(), 'e') + "\"}";
  EXPECT_EQ(judged(longer, value_row(longer)), altered);
  EXPECT_EQ(judged(longer, R"({"TimeGenerated":"2025-10-09T08:53:20Z",)" + longer.substr(1)), delivered);
}

TEST(cut_rule, counts_a_second_cut_row_as_a_duplicate) {
  const std::string request = object_of(70'000);
  const std::string event = event_with("{}", request, in_quotes("{}"));
  const std::string row = value_row(event_with("{}", mark(request), in_quotes("{}")));
  ledger_world world;
  world.store(event);
  world.accept("[" + row + "," + row + "]");
  EXPECT_EQ(numbers(world.book.totals()), (std::vector<std::uint64_t>{1, 1, 1, 0, 0, 0}));
}

}  // namespace
