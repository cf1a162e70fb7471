#include "tools/emulator/sls/service.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tools/emulator/digests.hpp"
#include "tools/emulator/json_value.hpp"
#include "tools/emulator/sls/cursor.hpp"
#include "tools/emulator/sls/log_group.hpp"
#include "tools/emulator/sls/signature.hpp"

namespace emulator::sls {
namespace {

using std::chrono::system_clock;

class service_test : public testing::Test {
 protected:
  static constexpr std::int64_t start_s = 1'795'132'800;

  service_test() : store_(book_, options(), start_s, [](const shard_key&, std::uint64_t) {}) {
    service_options with;
    with.now = [this] { return now_; };
    service_ = std::make_unique<service>(store_, book_, faults_, with,
                                         [this](const shard_key& of, std::uint64_t first, std::uint64_t next) {
                                           served_.push_back({of.shard, first, next});
                                         });
  }

  static store_options options() {
    store_options o;
    o.shards_each = 2;
    return o;
  }

  const account& owner() const { return book_.accounts()[0]; }
  std::string logstore_path() const { return "/logstores/" + owner().logstores[0]; }

  request unsigned_request(std::string method, std::string target, std::string body = "", header_list more = {}) {
    request r;
    r.method = std::move(method);
    set_target(r, target);
    r.body = std::move(body);
    r.headers = std::move(more);
    r.headers.emplace_back("host", owner().project + ".127.0.0.1:8080");
    r.headers.emplace_back("x-log-apiversion", "0.6.0");
    r.headers.emplace_back("content-length", std::to_string(r.body.size()));
    return r;
  }

  void sign(request& r, const account& by) {
    r.headers.emplace_back("date", http_date_text(now_));
    r.headers.emplace_back("x-log-signaturemethod", "hmac-sha1");
    header_list signed_ones;
    for (const auto& h : r.headers) {
      if (h.first.starts_with("x-log-") || h.first.starts_with("x-acs-")) signed_ones.push_back(h);
    }
    std::ranges::sort(signed_ones);
    auto query = r.query;
    std::ranges::sort(query);
    std::string text = r.method + "\n" + (r.body.empty() ? "" : hex_upper(md5(r.body))) + "\n" +
                       std::string(r.header("content-type")) + "\n" + std::string(r.header("date")) + "\n";
    for (const auto& [name, value] : signed_ones) text += name + ":" + value + "\n";
    text += r.path;
    for (std::size_t i = 0; i < query.size(); ++i)
      text += (i == 0 ? "?" : "&") + query[i].first + "=" + query[i].second;
    r.headers.emplace_back("authorization",
                           "LOG " + by.access_key_id + ":" + base64(hmac_sha1(by.access_key_secret, text)));
  }

  response send(const request& r) { return service_->handle(r, address(r, book_)); }
  response call(std::string method, std::string target, std::string body = "", header_list more = {}) {
    auto r = unsigned_request(std::move(method), std::move(target), std::move(body), std::move(more));
    sign(r, owner());
    return send(r);
  }
  response put(const std::string& target, const std::string& raw, coding how = coding::none, header_list more = {}) {
    more.emplace_back("content-type", "application/x-protobuf");
    more.emplace_back("x-log-bodyrawsize", std::to_string(raw.size()));
    if (how != coding::none) more.emplace_back("x-log-compresstype", std::string(name_of(how)));
    return call("POST", target, compress(how, raw), std::move(more));
  }
  static std::string group(const std::string& value, std::int64_t time_s = start_s) {
    log_group_writer writer;
    writer.add_log(time_s, std::nullopt, "event", value);
    return writer.finish("topic", "source", {});
  }
  static std::string header(const response& answer, std::string_view name) {
    for (const auto& h : answer.headers) {
      if (h.first == name) return h.second;
    }
    return "";
  }
  static std::string code(const response& answer) {
    const auto body = answer.body ? parse_json(*answer.body) : std::nullopt;
    const auto* found = body ? body->find("errorCode") : nullptr;
    return std::to_string(answer.status) + " " + (found == nullptr ? "" : found->text);
  }
  static json_value json(const response& answer) {
    EXPECT_EQ(answer.status, 200) << code(answer);
    const auto body = parse_json(answer.body ? *answer.body : "");
    EXPECT_TRUE(body.has_value());
    return body.value_or(json_value{});
  }
  std::string cursor(int shard, const std::string& from) {
    const auto body =
        json(call("GET", logstore_path() + "/shards/" + std::to_string(shard) + "?type=cursor&from=" + from));
    return body.find("cursor")->text;
  }
  std::string pull_target(int shard, const std::string& from, const std::string& more = "&count=1000") {
    return logstore_path() + "/shards/" + std::to_string(shard) + "?type=log&cursor=" + from + more;
  }

  account_book book_{1, 2, 2};
  fault_plan faults_{1};
  system_clock::time_point now_ = system_clock::from_time_t(start_s);
  store store_;
  struct served {
    std::int64_t shard;
    std::uint64_t first;
    std::uint64_t next;
  };
  std::vector<served> served_;
  std::unique_ptr<service> service_;
};

TEST_F(service_test, what_is_put_is_pulled_whatever_the_codings) {
  const char* const encodings[] = {"", "lz4", "zstd", "deflate", "gzip"};
  const coding codings[] = {coding::none, coding::lz4, coding::zstd, coding::deflate, coding::deflate};
  for (int i = 0; i < 5; ++i) {
    const auto text = group("event " + std::to_string(i));
    ASSERT_EQ(put(logstore_path() + "/shards/route?key=00", text, codings[i]).status, 200);
    const auto at = cursor_text(cursor_number(cursor(0, "begin")).value() + i);
    const auto reply = call("GET", pull_target(0, at), "", {{"accept-encoding", encodings[i]}});
    ASSERT_EQ(reply.status, 200) << code(reply);
    EXPECT_EQ(header(reply, "x-log-count"), "1");
    EXPECT_EQ(header(reply, "x-log-cursor"), cursor(0, "end"));
    EXPECT_EQ(header(reply, "x-log-end-of-cursor"), "1");
    EXPECT_EQ(header(reply, "x-log-compresstype"), name_of(codings[i]));
    EXPECT_EQ(header(reply, "x-log-read-last-cursor"), std::to_string(cursor_number(at).value()));
    std::string list;
    append_field(list, '\x0a', text);
    EXPECT_EQ(header(reply, "x-log-bodyrawsize"), std::to_string(list.size()));
    EXPECT_EQ(decompress(codings[i], *reply.body, list.size()), list);
  }
  ASSERT_EQ(served_.size(), 5U);
  EXPECT_EQ(served_[4].first, 4U);
  EXPECT_EQ(served_[4].next, 5U);
}

TEST_F(service_test, all_three_write_paths_store_and_answer_without_body_or_content_type) {
  for (const auto* path : {"", "/shards/lb", "/shards/route?key=14d2f850ad6ea48e46e4547edbbb27e0"}) {
    const auto answer = put(logstore_path() + path, group("x"));
    EXPECT_EQ(answer.status, 200) << path << code(answer);
    EXPECT_EQ(answer.body, nullptr);
    EXPECT_EQ(header(answer, "content-type"), "");
    EXPECT_EQ(header(answer, "x-log-requestid").size(), 24U);
  }
  const auto* holder = store_.find(owner().project, owner().logstores[0]);
  EXPECT_EQ(holder->find(0)->size() + holder->find(1)->size(), 3U);
}

TEST_F(service_test, bad_writes_are_refused_by_name_and_store_nothing) {
  const auto lb = logstore_path() + "/shards/lb";
  const auto with = [&](const std::string& body, header_list more) {
    return code(call("POST", lb, body, std::move(more)));
  };
  const std::pair<std::string, std::string> protobuf{"content-type", "application/x-protobuf"};
  EXPECT_EQ(with(group("x"), {{"x-log-bodyrawsize", "10"}}), "400 MissingContentType");
  EXPECT_EQ(with(group("x"), {{"content-type", "text/plain"}, {"x-log-bodyrawsize", "10"}}), "415 InvalidContentType");
  EXPECT_EQ(with(group("x"), {protobuf}), "400 MissingBodyRawSize");
  EXPECT_EQ(with("x", {protobuf, {"x-log-bodyrawsize", "many"}, {"x-log-compresstype", "lz4"}}),
            "400 InvalidBodyRawSize");
  EXPECT_EQ(with("x", {protobuf, {"x-log-bodyrawsize", "9"}, {"x-log-compresstype", "br"}}), "400 InvalidCompressType");
  EXPECT_EQ(with("x", {protobuf, {"x-log-bodyrawsize", "9"}, {"x-log-compresstype", "lz4"}}),
            "400 PostBodyUncompressError");
  EXPECT_EQ(with("x", {protobuf, {"x-log-bodyrawsize", "10485761"}, {"x-log-compresstype", "lz4"}}),
            "413 PostBodyTooLarge");
  EXPECT_EQ(code(put(lb, "not protobuf")), "400 PostBodyInvalid");
  EXPECT_EQ(code(put(lb, "")), "400 PostBodyInvalid");
  EXPECT_EQ(code(put(lb, group(std::string((1U << 20U) + 1, 'x')))), "400 PostBodyInvalid");
  EXPECT_EQ(code(put(lb, group("x", start_s - 8 * 86'400))), "400 PostBodyInvalid");
  EXPECT_EQ(code(put(lb, group("x", start_s + 16 * 60))), "400 PostBodyInvalid");
  EXPECT_EQ(code(put("/logstores/none/shards/lb", group("x"))), "404 LogStoreNotExist");
  EXPECT_EQ(code(put(logstore_path() + "/shards/route?key=xyz", group("x"))), "400 ParameterInvalid");
  log_group_writer writer;
  writer.add_log(start_s, std::nullopt, std::string(129, 'k'), "v");
  EXPECT_EQ(code(put(lb, writer.finish("", "", {}))), "400 InvalidKey");
  auto r = unsigned_request("POST", lb, "", {protobuf, {"x-log-bodyrawsize", "0"}});
  std::erase_if(r.headers, [](const auto& h) { return h.first == "content-length"; });
  sign(r, owner());
  EXPECT_EQ(code(send(r)), "411 MissingContentLength");
  const auto* holder = store_.find(owner().project, owner().logstores[0]);
  EXPECT_EQ(holder->find(0)->size() + holder->find(1)->size(), 0U);
}

TEST_F(service_test, the_body_raw_size_of_uncompressed_bodies_is_not_checked) {
  const auto answer = call("POST", logstore_path() + "/shards/lb", group("x"),
                           {{"content-type", "application/x-protobuf"}, {"x-log-bodyrawsize", "0"}});
  EXPECT_EQ(answer.status, 200);
}

TEST_F(service_test, cursors_outside_the_shard_are_invalid) {
  ASSERT_EQ(put(logstore_path() + "/shards/route?key=00", group("x")).status, 200);
  const auto begin = cursor_number(cursor(0, "begin")).value();
  EXPECT_EQ(cursor_number(cursor(0, "end")), begin + 1);
  EXPECT_EQ(code(call("GET", pull_target(0, cursor_text(begin - 1)))), "400 InvalidCursor");
  EXPECT_EQ(code(call("GET", pull_target(0, cursor_text(begin + 2)))), "400 InvalidCursor");
  EXPECT_EQ(code(call("GET", pull_target(0, "nonsense"))), "400 InvalidCursor");
  EXPECT_EQ(code(call("GET", pull_target(0, cursor(1, "begin")))), "400 InvalidCursor");
  EXPECT_EQ(code(call("GET", pull_target(7, cursor(0, "begin")))), "400 ShardNotExist");
  EXPECT_EQ(code(call("GET", pull_target(0, cursor_text(begin), ""))), "400 ParameterInvalid");
  EXPECT_EQ(code(call("GET", pull_target(0, cursor_text(begin), "&count=1001"))), "400 ParameterInvalid");
  EXPECT_EQ(code(call("GET", pull_target(0, cursor_text(begin), "&count=1&query=*"))), "400 ParameterInvalid");
}

TEST_F(service_test, pulling_at_the_end_gives_nothing_and_the_same_cursor) {
  const auto end = cursor(0, "end");
  const auto reply = call("GET", pull_target(0, end), "", {{"accept-encoding", "lz4"}});
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(header(reply, "x-log-cursor"), end);
  EXPECT_EQ(header(reply, "x-log-count"), "0");
  EXPECT_EQ(header(reply, "x-log-bodyrawsize"), "0");
  EXPECT_EQ(reply.body, nullptr);
  EXPECT_TRUE(served_.empty());
}

TEST_F(service_test, end_cursor_stops_the_pull_and_is_the_next_cursor) {
  for (int i = 0; i < 5; ++i) ASSERT_EQ(put(logstore_path() + "/shards/route?key=00", group("x")).status, 200);
  const auto begin = cursor_number(cursor(0, "begin")).value();
  const auto stop = cursor_text(begin + 3);
  const auto reply = call("GET", pull_target(0, cursor_text(begin), "&count=1000&end_cursor=" + stop));
  EXPECT_EQ(header(reply, "x-log-cursor"), stop);
  EXPECT_EQ(header(reply, "x-log-count"), "3");
  EXPECT_EQ(header(reply, "x-log-end-of-cursor"), "0");
  const auto past = call("GET", pull_target(0, stop, "&count=1000&end_cursor=" + cursor_text(begin)));
  EXPECT_EQ(header(past, "x-log-cursor"), stop);
  EXPECT_EQ(header(past, "x-log-count"), "0");
}

TEST_F(service_test, cursors_follow_the_receive_time) {
  ASSERT_EQ(put(logstore_path() + "/shards/route?key=00", group("x", start_s)).status, 200);
  now_ += std::chrono::seconds(100);
  ASSERT_EQ(put(logstore_path() + "/shards/route?key=00", group("y", start_s)).status, 200);
  const auto begin = cursor_number(cursor(0, "begin")).value();
  EXPECT_EQ(cursor_number(cursor(0, std::to_string(start_s))), begin);
  EXPECT_EQ(cursor_number(cursor(0, std::to_string(start_s + 1))), begin + 1);
  EXPECT_EQ(cursor_number(cursor(0, std::to_string(start_s + 101))), begin + 2);
  EXPECT_EQ(code(call("GET", logstore_path() + "/shards/0?type=cursor&from=soon")), "400 ParameterInvalid");
  const auto at = json(call("GET", logstore_path() + "/shards/0?type=cursor_time&cursor=" + cursor_text(begin + 1)));
  EXPECT_EQ(at.find("cursor_time")->integer(), start_s + 100);
}

TEST_F(service_test, projects_and_logstores_are_listed_and_paged) {
  const auto all = json(call("GET", "/logstores"));
  EXPECT_EQ(all.find("total")->integer(), 2);
  EXPECT_EQ(all.find("logstores")->items[0].text, owner().logstores[0]);
  const auto second = json(call("GET", "/logstores?offset=1&size=5&logstoreName=trail"));
  EXPECT_EQ(second.find("count")->integer(), 1);
  EXPECT_EQ(second.find("logstores")->items[0].text, owner().logstores[1]);
  EXPECT_EQ(code(call("GET", "/logstores?size=501")), "400 ParameterInvalid");
  EXPECT_EQ(json(call("GET", "/")).find("projectName")->text, owner().project);
  EXPECT_EQ(json(call("GET", logstore_path())).find("shardCount")->integer(), 2);
  auto r = unsigned_request("GET", "/");
  std::ranges::find(r.headers, "host", &header_list::value_type::first)->second = "127.0.0.1:8080";
  sign(r, owner());
  const auto projects = json(send(r));
  EXPECT_EQ(projects.find("total")->integer(), 1);
  EXPECT_EQ(projects.find("projects")->items[0].find("projectName")->text, owner().project);
}

TEST_F(service_test, clients_create_logstores_and_indexes) {
  EXPECT_EQ(call("POST", "/logstores", R"({"logstoreName":"new-one","ttl":7,"shardCount":3})").status, 200);
  EXPECT_EQ(json(call("GET", "/logstores/new-one/shards")).items.size(), 3U);
  EXPECT_EQ(code(call("POST", "/logstores", R"({"logstoreName":"new-one"})")), "400 LogStoreAlreadyExist");
  EXPECT_EQ(code(call("POST", "/logstores", R"({"logstoreName":"Bad Name"})")), "400 LogStoreInfoInvalid");
  EXPECT_EQ(code(call("POST", "/logstores", "{")), "400 PostBodyInvalid");
  const std::string query = R"({"from":0,"to":2000000000,"query":"*"})";
  EXPECT_EQ(code(call("POST", "/logstores/new-one/logs", query)), "400 IndexConfigNotExist");
  EXPECT_EQ(call("POST", "/logstores/new-one/index", "{}").status, 200);
  EXPECT_EQ(code(call("POST", "/logstores/new-one/index", "{}")), "400 IndexAlreadyExist");
  EXPECT_EQ(call("POST", "/logstores/new-one/logs", query).status, 200);
}

TEST_F(service_test, both_forms_of_get_logs_answer_windows_filters_and_pages) {
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(put(logstore_path(), group("number " + std::to_string(i), start_s + i)).status, 200);
  }
  const auto from = std::to_string(start_s + 1);
  const auto to = std::to_string(start_s + 4);
  const auto first = call("GET", logstore_path() + "?type=log&from=" + from + "&to=" + to + "&line=2&offset=1");
  EXPECT_EQ(header(first, "x-log-progress"), "Complete");
  EXPECT_EQ(header(first, "x-log-count"), "2");
  const auto rows = json(first);
  ASSERT_EQ(rows.items.size(), 2U);
  EXPECT_EQ(rows.items[0].find("event")->text, "number 2");
  EXPECT_EQ(rows.items[0].find("__time__")->text, std::to_string(start_s + 2));
  EXPECT_EQ(rows.items[0].find("__source__")->text, "source");
  const auto body = R"({"from":)" + from + R"(,"to":)" + to + R"(,"reverse":true,"query":"event: number"})";
  const auto second = call("POST", logstore_path() + "/logs", body, {{"accept-encoding", "lz4"}});
  ASSERT_EQ(second.status, 200) << code(second);
  EXPECT_EQ(header(second, "x-log-compresstype"), "lz4");
  const auto size = static_cast<std::size_t>(std::stoul(header(second, "x-log-bodyrawsize")));
  const auto answer = parse_json(decompress(coding::lz4, *second.body, size).value());
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->find("meta")->find("count")->integer(), 3);
  EXPECT_EQ(answer->find("data")->items[0].find("event")->text, "number 3");
  EXPECT_EQ(code(call("GET", logstore_path() + "?type=log&from=5&to=5")), "400 InvalidTimeRange");
  EXPECT_EQ(code(call("GET", logstore_path() + "?type=log&from=5&to=6&line=101")), "400 InvalidLine");
  EXPECT_EQ(code(call("GET", logstore_path() + "?type=log&from=5&to=6&query=*|select 1")), "400 ParameterInvalid");
}

TEST_F(service_test, shards_are_listed_split_and_merged) {
  const auto shards = json(call("GET", logstore_path() + "/shards"));
  ASSERT_EQ(shards.items.size(), 2U);
  EXPECT_EQ(shards.items[1].find("shardID")->integer(), 1);
  EXPECT_EQ(shards.items[1].find("status")->text, "readwrite");
  EXPECT_EQ(shards.items[1].find("inclusiveBeginKey")->text, "8" + std::string(31, '0'));
  EXPECT_EQ(shards.items[1].find("createTime")->integer(), start_s);
  EXPECT_EQ(json(call("POST", logstore_path() + "/shards/0?action=split")).items.size(), 3U);
  EXPECT_EQ(json(call("POST", logstore_path() + "/shards/2?action=merge")).items[0].find("shardID")->integer(), 4);
  EXPECT_EQ(code(call("POST", logstore_path() + "/shards/0?action=explode")), "400 ParameterInvalid");
  const auto after = json(call("GET", logstore_path() + "/shards"));
  EXPECT_EQ(after.items[0].find("status")->text, "readonly");
}

TEST_F(service_test, consumer_groups_work_over_the_wire) {
  const auto groups = logstore_path() + "/consumergroups";
  const auto created = call("POST", groups, R"({"consumerGroup":"g","timeout":60,"order":false})");
  EXPECT_EQ(created.status, 200);
  EXPECT_EQ(header(created, "content-type"), "");
  EXPECT_EQ(code(call("POST", groups, R"({"consumerGroup":"g","timeout":60})")), "400 ConsumerGroupAlreadyExist");
  EXPECT_EQ(code(call("POST", groups, "[]")), "400 JsonInfoInvalid");
  const auto list = json(call("GET", groups));
  EXPECT_EQ(list.items[0].find("name")->text, "g");
  EXPECT_EQ(list.items[0].find("timeout")->integer(), 60);
  const auto held = json(call("POST", groups + "/g?type=heartbeat&consumer=c", "[]"));
  EXPECT_EQ(held.items.size(), 2U);
  EXPECT_EQ(code(call("POST", groups + "/g?type=heartbeat&consumer=d", "[0]")), "400 NotExistConsumerWithBody");
  EXPECT_EQ(code(call("POST", groups + "/x?type=heartbeat&consumer=d", "[]")), "404 ConsumerGroupNotExist");
  const std::string body = R"({"shard":1,"checkpoint":"MTIz"})";
  EXPECT_EQ(call("POST", groups + "/g?type=checkpoint&consumer=c&forceSuccess=false", body).status, 200);
  EXPECT_EQ(code(call("POST", groups + "/g?type=checkpoint&consumer=z&forceSuccess=False", body)),
            "404 ConsumerNotExist");
  EXPECT_EQ(call("POST", groups + "/g?type=checkpoint&consumer=z&forceSuccess=True", body).status, 200);
  const auto done = json(call("GET", groups + "/g"));
  ASSERT_EQ(done.items.size(), 2U);
  EXPECT_EQ(done.items[0].find("checkpoint")->text, "");
  EXPECT_EQ(done.items[1].find("checkpoint")->text, "MTIz");
  EXPECT_EQ(done.items[1].find("updateTime")->integer(), start_s * 1'000'000);
  EXPECT_EQ(json(call("GET", groups + "/g?shard=9")).items.size(), 0U);
  EXPECT_EQ(call("PUT", groups + "/g", R"({"order":true})").status, 200);
  EXPECT_EQ(call("DELETE", groups + "/g").status, 200);
  EXPECT_EQ(code(call("GET", groups + "/g")), "404 ConsumerGroupNotExist");
}

TEST_F(service_test, strangers_and_wrong_places_are_refused) {
  auto r = unsigned_request("GET", "/logstores");
  sign(r, book_.accounts()[1]);
  EXPECT_EQ(code(send(r)), "401 Unauthorized");
  auto elsewhere = unsigned_request("GET", "/logstores");
  std::ranges::find(elsewhere.headers, "host", &header_list::value_type::first)->second = "nobody.localhost";
  sign(elsewhere, owner());
  EXPECT_EQ(code(send(elsewhere)), "404 ProjectNotExist");
  EXPECT_EQ(code(send(unsigned_request("GET", "/logstores"))), "401 Unauthorized");
  EXPECT_EQ(code(call("GET", "/elsewhere")), "400 NotSupported");
  EXPECT_EQ(code(call("PATCH", "/logstores")), "405 InvalidMethod");
}

TEST_F(service_test, faults_change_the_answer_and_hide_the_reply_from_the_ledger) {
  ASSERT_EQ(put(logstore_path() + "/shards/route?key=00", group("x")).status, 200);
  const auto target = pull_target(0, cursor(0, "begin"));
  const auto with = [&](std::string_view fault) {
    EXPECT_TRUE(faults_.replace(fault).has_value());
    return call("GET", target, "", {{"accept-encoding", "lz4"}});
  };
  const auto refused = with(R"([{"op":"pull_logs","kind":"status","status":403,"retry_after":3}])");
  EXPECT_EQ(code(refused), "403 ReadQuotaExceed");
  EXPECT_EQ(header(refused, "retry-after"), "3");
  EXPECT_EQ(code(with(R"([{"kind":"status","status":400,"code":"InvalidCursor"}])")), "400 InvalidCursor");
  const auto sound = with("[]");
  ASSERT_EQ(served_.size(), 1U);
  EXPECT_NE(header(with(R"([{"kind":"wrong_size"}])"), "x-log-bodyrawsize"), header(sound, "x-log-bodyrawsize"));
  EXPECT_EQ(with(R"([{"kind":"truncate"}])").body->size(), sound.body->size() * 2 / 3);
  EXPECT_NE(*with(R"([{"kind":"garbage"}])").body, *sound.body);
  EXPECT_EQ(with(R"([{"kind":"lost_answer"}])").how, delivery::close_without_answer);
  EXPECT_EQ(served_.size(), 1U);
  EXPECT_EQ(with(R"([{"kind":"stall","seconds":2}])").hold, std::chrono::seconds(2));
  EXPECT_EQ(served_.size(), 2U);
}

TEST_F(service_test, a_reset_after_the_body_stores_nothing_and_a_lost_answer_does) {
  const auto* holder = store_.find(owner().project, owner().logstores[0]);
  ASSERT_TRUE(faults_.replace(R"([{"kind":"reset_after","count":1},{"kind":"lost_answer","count":1}])"));
  EXPECT_EQ(put(logstore_path() + "/shards/route?key=00", group("x")).how, delivery::close_without_answer);
  EXPECT_EQ(holder->find(0)->size(), 0U);
  EXPECT_EQ(put(logstore_path() + "/shards/route?key=00", group("x")).how, delivery::close_without_answer);
  EXPECT_EQ(holder->find(0)->size(), 1U);
}

}  // namespace
}  // namespace emulator::sls
