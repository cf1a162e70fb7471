#include "tools/emulator/ledger.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "ledger_world.hpp"

namespace {

using namespace emulator_tests;
using counts = std::vector<std::uint64_t>;

constexpr std::string_view event_a =
    R"({"eventId":"id-a","eventVersion":1,"eventTime":"2026-03-04T05:06:07Z","eventName":"RunInstances","requestId":"R-1","requestParameters":{"Amount":1.0,"RegionId":"cn-hangzhou"}})";
constexpr std::string_view row_a =
    R"({"TimeGenerated":"2026-03-04T05:06:07Z","eventId":"id-a","eventVersion":"1","eventTime":"2026-03-04T05:06:07Z","eventName":"RunInstances","requestId":"R-1","requestParameters":{"Amount":1.0,"RegionId":"cn-hangzhou"}})";
constexpr std::string_view event_b =
    R"({"eventId":"id-b","eventTime":"2026-03-04T05:06:08Z","eventName":"StopInstance"})";
constexpr std::string_view row_b =
    R"({"TimeGenerated":"2026-03-04T05:06:08Z","eventId":"id-b","eventTime":"2026-03-04T05:06:08Z","eventName":"StopInstance"})";

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string out(text);
  const auto at = out.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return out.replace(at, from.size(), to);
}

// The counts after a and b were stored and these rows accepted.
counts after_rows(const std::vector<std::string>& rows) {
  ledger_world world;
  world.store(event_a);
  world.store(event_b);
  std::string body;
  for (const std::string& row : rows) body += (body.empty() ? "[" : ",") + row;
  world.accept(gzipped(body + "]"), true);
  return numbers(world.book.totals());
}

TEST(ledger, counts_equal_rows_of_both_formats_as_delivered) {
  EXPECT_EQ(after_rows({value_row(event_a), value_row(event_b)}), (counts{2, 2, 0, 0, 0, 0}));
  EXPECT_EQ(after_rows({std::string(row_a), std::string(row_b)}), (counts{2, 2, 0, 0, 0, 0}));
  EXPECT_EQ(after_rows({std::string(row_a), value_row(event_b)}), (counts{2, 2, 0, 0, 0, 0}));
}

TEST(ledger, reports_one_lost_row_as_missing) {
  EXPECT_EQ(after_rows({value_row(event_b)}), (counts{2, 1, 0, 1, 0, 0}));
  EXPECT_EQ(after_rows({std::string(row_a)}), (counts{2, 1, 0, 1, 0, 0}));
}

TEST(ledger, reports_one_doubled_row_as_a_duplicate) {
  EXPECT_EQ(after_rows({value_row(event_a), value_row(event_b), value_row(event_a)}), (counts{2, 2, 1, 0, 0, 0}));
  EXPECT_EQ(after_rows({std::string(row_a), std::string(row_a), std::string(row_b)}), (counts{2, 2, 1, 0, 0, 0}));
}

TEST(ledger, reports_one_changed_byte_as_altered) {
  const std::string a = replaced(event_a, "R-1", "R-2");
  EXPECT_EQ(after_rows({value_row(a), value_row(event_b)}), (counts{2, 1, 0, 1, 1, 0}));
  EXPECT_EQ(after_rows({replaced(row_a, "R-1", "R-2"), std::string(row_b)}), (counts{2, 1, 0, 1, 1, 0}));
}

TEST(ledger, reports_every_changed_byte_of_a_value_row) {
  for (std::size_t i = 0; i < event_b.size(); ++i) {
    std::string changed(event_b);
    changed[i] = changed[i] == '~' ? '!' : '~';
    const auto seen = after_rows({value_row(event_a), value_row(changed)});
    EXPECT_EQ(seen[1], 1U) << i;
    EXPECT_EQ(seen[4] + seen[5], 1U) << i;
  }
}

TEST(ledger, finds_the_event_of_a_row_whose_text_is_no_json_any_more) {
  EXPECT_EQ(after_rows({value_row(replaced(event_a, "\"R-1\"", "\"R-1")), value_row(event_b)}),
            (counts{2, 1, 0, 1, 1, 0}));
}

TEST(ledger, reports_a_row_of_no_stored_event_as_unknown) {
  EXPECT_EQ(after_rows({value_row(replaced(event_a, "id-a", "id-z"))}), (counts{2, 0, 0, 2, 0, 1}));
  EXPECT_EQ(after_rows({replaced(row_a, "id-a", "id-z")}), (counts{2, 0, 0, 2, 0, 1}));
  EXPECT_EQ(after_rows({R"({"value":"not json"})", R"({"value":7})", "{}"}), (counts{2, 0, 0, 2, 0, 3}));
}

TEST(ledger, tells_a_number_from_the_same_value_spelt_otherwise) {
  EXPECT_EQ(after_rows({replaced(row_a, "1.0", "1")}), (counts{2, 0, 0, 2, 1, 0}));
}

TEST(ledger, tells_another_key_order_inside_an_object) {
  const auto row =
      replaced(row_a, R"("Amount":1.0,"RegionId":"cn-hangzhou")", R"("RegionId":"cn-hangzhou","Amount":1.0)");
  EXPECT_EQ(after_rows({row}), (counts{2, 0, 0, 2, 1, 0}));
}

TEST(ledger, does_not_mind_the_order_of_columns_blanks_and_escapes) {
  EXPECT_EQ(after_rows({R"( { "eventName" : "Stop\u0049nstance", "eventTime":"2026-03-04T05:06:08Z",
                          "eventId":"id-b","TimeGenerated":"2026-03-04T05:06:08.000Z","undeclared":1,"isGlobal":null } )"}),
            (counts{2, 1, 0, 1, 0, 0}));
}

TEST(ledger, refuses_a_row_that_names_a_column_twice) {
  EXPECT_EQ(after_rows({replaced(row_b, R"("eventId":"id-b",)", R"("eventId":"id-b","eventId":"id-b",)")}),
            (counts{2, 0, 0, 2, 1, 0}));
}

TEST(ledger, counts_equal_events_stored_twice_as_one) {
  ledger_world world;
  world.store(event_a);
  world.store(event_a, ledger_world::log_time_s + 1691);
  world.accept("[" + value_row(event_a) + "," + value_row(event_a) + "]");
  EXPECT_EQ(numbers(world.book.totals()), (counts{1, 1, 1, 0, 0, 0}));
}

TEST(ledger, takes_either_log_time_of_an_event_without_a_time_stored_twice) {
  ledger_world world;
  world.store(R"({"eventId":"x"})", 1'760'000'000);
  world.store(R"({"eventId":"x"})", 1'760'000'060);
  world.accept(R"([{"eventId":"x","TimeGenerated":"2025-10-09T08:54:20Z"}])");
  EXPECT_EQ(numbers(world.book.totals()), (counts{1, 1, 0, 0, 0, 0}));
}

TEST(ledger, gives_equal_rows_to_events_that_differ_only_in_what_no_column_holds) {
  ledger_world world;
  world.store(R"({"eventId":"x","eventTime":"2026-03-04T05:06:08Z","vpcId":"one"})");
  world.store(R"({"eventId":"x","eventTime":"2026-03-04T05:06:08Z","vpcId":"two"})");
  const std::string row =
      R"({"eventId":"x","eventTime":"2026-03-04T05:06:08Z","TimeGenerated":"2026-03-04T05:06:08Z"})";
  world.accept("[" + row + "," + row + "]");
  EXPECT_EQ(numbers(world.book.totals()), (counts{2, 2, 0, 0, 0, 0}));
  world.accept_row(row);
  EXPECT_EQ(numbers(world.book.totals()), (counts{2, 2, 1, 0, 0, 0}));
}

TEST(ledger, rebuilds_events_of_dotted_keys) {
  ledger_world world;
  world.store_group(group_of(
      {log_of(1'760'000'000, {{"event.eventId", "x"}, {"event.userIdentity", R"({"a":1})"}, {"owner_id", "1"}})}));
  world.accept_row(R"({"eventId":"x","userIdentity":"{\"a\":1}","TimeGenerated":"2025-10-09T08:53:20Z"})");
  EXPECT_EQ(numbers(world.book.totals()), (counts{1, 1, 0, 0, 0, 0}));
  // The spelling of a rebuilt text is free, its content is not.
  world.accept_row(value_row(R"({"eventId": "x", "userIdentity":"{\u0022a\":1}"})"));
  world.accept_row(value_row(R"({"eventId":"x","userIdentity":"{\"a\":2}"})"));
  EXPECT_EQ(numbers(world.book.totals()), (counts{1, 1, 1, 0, 1, 0}));
}

TEST(ledger, keeps_what_is_no_event_as_something_missing) {
  ledger_world world;
  world.store_group(group_of({log_of(1, {{"message", "hello"}})}));
  world.store_group("\x0a\x7f no log group");
  world.store("not json");
  EXPECT_EQ(numbers(world.book.totals()), (counts{3, 0, 0, 3, 0, 0}));
}

TEST(ledger, goes_on_where_it_stopped) {
  ledger_world world;
  world.store(event_a);
  world.accept_row(value_row(event_a));
  EXPECT_EQ(numbers(world.book.totals()), (counts{1, 1, 0, 0, 0, 0}));
  EXPECT_EQ(numbers(world.book.totals()), (counts{1, 1, 0, 0, 0, 0}));
  world.store(event_b);
  world.accept_row(std::string(row_b));
  world.groups.front() = "read again, this would be unreadable";
  EXPECT_EQ(numbers(world.book.totals()), (counts{2, 2, 0, 0, 0, 0}));
}

TEST(ledger, counts_what_was_pulled_above_the_last_committable_boundary) {
  ledger_world world;
  for (int i = 0; i < 6; ++i) world.store(R"({"eventId":"e)" + std::to_string(i) + "\"}");
  const auto accept = [&](int i) { world.accept_row(value_row(R"({"eventId":"e)" + std::to_string(i) + "\"}")); };
  const auto request = [&] { world.book.request_seen("sls", "pull_logs", 200); };
  const auto pulled = [&] { return world.book.totals().pulled_uncommitted; };

  EXPECT_EQ(pulled(), 0U);
  world.book.served(world.shard, 0, 2);
  world.book.served(world.shard, 2, 5);
  request();
  EXPECT_EQ(pulled(), 5U);
  accept(0);
  accept(1);
  accept(2);  // in the middle of the second reply: its boundary stays open
  EXPECT_EQ(pulled(), 5U);
  world.now += std::chrono::milliseconds(499);
  request();
  EXPECT_EQ(pulled(), 5U);
  world.now += std::chrono::milliseconds(1);
  request();
  EXPECT_EQ(pulled(), 3U);
  accept(3);
  accept(4);
  world.now += std::chrono::seconds(1);
  EXPECT_EQ(pulled(), 3U);  // no request since
  request();
  EXPECT_EQ(pulled(), 0U);
}

TEST(ledger, counts_from_the_first_served_group_when_reading_began_later) {
  ledger_world world;
  for (int i = 0; i < 4; ++i) world.store(R"({"eventId":"e)" + std::to_string(i) + "\"}");
  world.book.served(world.shard, 2, 4);
  world.accept("[" + value_row(R"({"eventId":"e2"})") + "," + value_row(R"({"eventId":"e3"})") + "]");
  world.now += std::chrono::seconds(1);
  EXPECT_EQ(world.book.totals().pulled_uncommitted, 2U);
  world.book.request_seen("sls", "pull_logs", 200);
  EXPECT_EQ(world.book.totals().pulled_uncommitted, 0U);
}

TEST(ledger, records_while_it_compares) {
  constexpr int events = 2000;
  ledger_world world;
  for (int i = 0; i < events; ++i) world.store(R"({"eventId":"e)" + std::to_string(i) + "\"}");
  std::thread recorder([&] {
    for (int i = 0; i < events; ++i) {
      world.book.served(world.shard, static_cast<std::uint64_t>(i), static_cast<std::uint64_t>(i) + 1);
      world.accept_row(value_row(R"({"eventId":"e)" + std::to_string(i) + "\"}"));
      world.book.request_seen("ingest", "upload", 204);
    }
  });
  std::uint64_t before = 0;
  for (int i = 0; i < 20; ++i) {
    const auto now = world.book.totals().delivered_unique;
    EXPECT_GE(now, before);
    before = now;
  }
  recorder.join();
  EXPECT_EQ(numbers(world.book.totals()), (counts{events, events, 0, 0, 0, 0}));
}

TEST(ledger, writes_the_report_of_the_contract) {
  ledger_world world;
  world.store(event_a);
  world.store(event_b);
  world.book.served(world.shard, 0, 2);
  world.accept_row(value_row(event_a));
  world.book.answered("dcr-1", "Custom-Rows", 204, 100, 300);
  world.book.answered("dcr-1", "Custom-Rows", 429, 50, 0);
  world.book.request_seen("sls", "pull_logs", 200);
  world.book.request_seen("ingest", "upload", 204);
  world.book.request_seen("ingest", "upload", 429);
  EXPECT_EQ(
      world.book.report(),
      R"({"events":{"stored":2,"delivered_unique":1,"duplicates":0,"missing":1,"altered":0,"unknown":0,"pulled_uncommitted":2},)"
      R"("logstores":[{"account":"1234500000000001","project":"audit","logstore":"trail","stored":2,"delivered_unique":1,"missing":1,"pulled_uncommitted":2}],)"
      R"("rules":[{"rule":"dcr-1","stream":"Custom-Rows","rows":1,"requests":2,"wire_bytes":100,"raw_bytes":300,"responses":{"204":1,"429":1}}],)"
      R"("requests":{"ingest":{"upload":{"204":1,"429":1}},"sls":{"pull_logs":{"200":1}}}})");
}

}  // namespace
