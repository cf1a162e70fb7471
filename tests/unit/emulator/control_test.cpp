#include "tools/emulator/control.hpp"

#include <gtest/gtest.h>

#include "tools/emulator/json_value.hpp"
#include "tools/emulator/sls/cursor.hpp"
#include "tools/emulator/sls/log_group.hpp"

namespace emulator {
namespace {

class control_test : public testing::Test {
 protected:
  response call(std::string method, std::string_view path, std::string body = "") {
    request r;
    r.method = std::move(method);
    set_target(r, path);
    r.body = std::move(body);
    return control_.handle(r);
  }
  std::string append(const std::string& rest) {
    const auto answer =
        call("POST", "/emulator/append",
             R"({"project":"audit-00001","logstore":")" + book_.accounts()[0].logstores[0] + "\"," + rest + "}");
    return std::to_string(answer.status) + " " + *answer.body;
  }
  const sls::shard& shard(std::int64_t id) {
    return *store_.find("audit-00001", book_.accounts()[0].logstores[0])->find(id);
  }

  account_book book_{1, 1, 1};
  fault_plan faults_{1};
  ledger ledger_{
      [this](const shard_key& of, std::uint64_t first, std::uint64_t last) { return store_.read(of, first, last); }};
  sls::store store_{book_, {1, 2, {}}, 0, [this](const shard_key& of, std::uint64_t n) { ledger_.stored(of, n); }};
  control control_{store_, faults_, ledger_};
};

TEST_F(control_test, appends_events_to_the_shard_named) {
  EXPECT_EQ(append(R"("shard":1,"events":["{\"eventId\":\"a\"}","not json"])"), R"(200 {"appended":2})");
  EXPECT_EQ(shard(0).size(), 0U);
  ASSERT_EQ(shard(1).size(), 1U);
  const auto bytes = shard(1).read(0, 1).at(0);
  const auto group = sls::read_log_group(bytes);
  ASSERT_TRUE(group.has_value());
  ASSERT_EQ(group->logs.size(), 2U);
  EXPECT_EQ(group->logs[0].contents[0].second, R"({"eventId":"a"})");
  EXPECT_EQ(group->logs[1].contents[0].second, "not json");
  EXPECT_EQ(ledger_.totals().stored, 2U);
}

TEST_F(control_test, appends_raw_bytes_as_they_are_even_damaged_ones) {
  EXPECT_EQ(append(R"("shard":0,"raw_base64":"////")"), R"(200 {"appended":1})");
  EXPECT_EQ(shard(0).read(0, 1).at(0), "\xff\xff\xff");
}

TEST_F(control_test, appends_without_shard_go_to_the_shards_in_turn) {
  EXPECT_EQ(append(R"("events":["a"])"), R"(200 {"appended":1})");
  EXPECT_EQ(append(R"("events":["b"])"), R"(200 {"appended":1})");
  EXPECT_EQ(shard(0).size(), 1U);
  EXPECT_EQ(shard(1).size(), 1U);
  EXPECT_EQ(append(R"("events":[])"), R"(200 {"appended":0})");
}

TEST_F(control_test, bad_appends_say_why) {
  EXPECT_EQ(append(R"("shard":9,"events":["a"])"), R"(404 {"error":"no such shard"})");
  EXPECT_EQ(append(R"("events":[1])"), R"(400 {"error":"events (a list of strings) or raw_base64 must be given"})");
  EXPECT_EQ(append(R"("raw_base64":"?")"), R"(400 {"error":"raw_base64 is not base64"})");
  EXPECT_EQ(call("POST", "/emulator/append", R"({"project":"x","logstore":"y"})").status, 404);
  EXPECT_EQ(call("POST", "/emulator/append", "{").status, 400);
}

TEST_F(control_test, sets_shows_and_clears_faults) {
  EXPECT_EQ(*call("POST", "/emulator/faults", R"([{"kind":"slow"},{"kind":"stall"}])").body, R"({"active":2})");
  EXPECT_EQ(*call("GET", "/emulator/faults").body, R"({"active":2})");
  const auto refused = call("POST", "/emulator/faults", R"([{"kind":"no"}])");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(*refused.body, R"({"error":"faults[0].kind: unknown: no"})");
  EXPECT_EQ(*call("POST", "/emulator/faults", "[]").body, R"({"active":0})");
}

TEST_F(control_test, reports_health_and_the_ledger) {
  EXPECT_EQ(*call("GET", "/emulator/healthz").body, R"({"status":"ok"})");
  append(R"("events":["{\"eventId\":\"a\"}"])");
  const auto report = parse_json(*call("GET", "/emulator/ledger").body);
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->find("events")->find("stored")->integer(), 1);
  EXPECT_EQ(report->find("events")->find("missing")->integer(), 1);
  EXPECT_EQ(call("GET", "/emulator/nothing").status, 404);
}

}  // namespace
}  // namespace emulator
