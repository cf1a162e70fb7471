// Which connection an exchange gets, who waits, and how everything ends; over real loopback sockets.
#include "engine/net/http_pool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>

#include "tests/support/pool_harness.hpp"

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;
using namespace tests;

void answer_all(peer& client) {
  while (client.read_request()) client.send(answer_with("ok"));
}

std::string target_of(const std::string& request) {
  const auto start = request.find(' ') + 1;
  return request.substr(start, request.find(' ', start) - start);
}

// Holds answers back until the test lets them go, and notes the order of the requests.
class gate {
 public:
  void operator()(peer& client) {
    while (auto request = client.read_request()) {
      {
        std::unique_lock lock(mutex_);
        arrived_.push_back(target_of(*request));
        changed_.wait_for(lock, 10s, [this] { return open_ > 0; });
        --open_;
      }
      client.send(answer_with("ok", "X-Connection: " + std::to_string(client.number()) + "\r\n"));
    }
  }
  void let_go(int count = 1) {
    const std::lock_guard lock(mutex_);
    open_ += count;
    changed_.notify_all();
  }
  std::vector<std::string> arrived() {
    const std::lock_guard lock(mutex_);
    return arrived_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> arrived_;
  int open_ = 0;
};

double metric(pool_harness& harness, const std::string& name) { return harness.metrics.counter(name, "").value(); }

TEST(http_pool, keeps_a_connection_for_the_next_exchange) {
  const test_authority authority;
  loopback_server plain(answer_all);
  loopback_server tls(answer_all, tls_settings{.self = authority.issue("IP:127.0.0.1")});
  pool_harness harness;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(summary(harness.get(plain_origin(plain))), "200 ok");
    EXPECT_EQ(summary(harness.get(tls_origin(tls, authority))), "200 ok");
  }
  EXPECT_EQ(plain.connections(), 1);
  EXPECT_EQ(tls.connections(), 1);
  EXPECT_EQ(harness.pool->open_connections(), 2U);
  EXPECT_EQ(metric(harness, "penstock_http_connections_opened_total"), 2);
  EXPECT_EQ(metric(harness, "penstock_http_connections_reused_total"), 4);
  EXPECT_EQ(harness.metrics.gauge("penstock_http_connections_open", "").value(), 2);
}

TEST(http_pool, does_not_share_connections_between_origins_that_differ_in_any_part) {
  loopback_server server(answer_all);
  pool_harness harness;
  auto other_name = plain_origin(server);
  other_name.verify_name = "other";
  EXPECT_EQ(summary(harness.get(plain_origin(server))), "200 ok");
  EXPECT_EQ(summary(harness.get(other_name)), "200 ok");
  EXPECT_EQ(server.connections(), 2);
}

TEST(http_pool, uses_the_most_recently_parked_connection_first) {
  gate hold;
  loopback_server server(std::ref(hold));
  pool_harness harness;
  std::vector<std::future<exchange_result>> both;
  for (int i = 0; i < 2; ++i) both.push_back(harness.start(request_to(plain_origin(server), "GET")));
  ASSERT_TRUE(eventually([&] { return hold.arrived().size() == 2; }));
  hold.let_go(2);
  for (auto& one : both) value_of(one);
  EXPECT_EQ(harness.pool->open_connections(), 2U);
  hold.let_go(6);
  const auto used = [&] { return std::string(harness.get(plain_origin(server)).value().head.header("x-connection")); };
  const std::string first = used();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(used(), first);
  harness.clock.advance(49s);
  EXPECT_EQ(used(), first);
  // That one lives on; the other has been idle for the whole limit.
  harness.clock.advance(1s);
  EXPECT_EQ(harness.pool->open_connections(), 1U);
}

TEST(http_pool, closes_connections_at_the_idle_limit) {
  std::promise<void> closed;
  loopback_server server([&](peer& client) {
    answer_all(client);
    if (client.number() == 1) closed.set_value();
  });
  pool_harness harness;
  harness.get(plain_origin(server));
  harness.clock.advance(50s);
  EXPECT_EQ(harness.pool->open_connections(), 0U);
  auto gone = closed.get_future();
  value_of(gone);
  EXPECT_EQ(summary(harness.get(plain_origin(server))), "200 ok");
  EXPECT_EQ(server.connections(), 2);
}

TEST(http_pool, does_not_use_a_connection_that_the_peer_has_closed) {
  const test_authority authority;
  for (const bool tls : {false, true}) {
    std::atomic<int> closed = 0;
    auto settings = tls ? std::optional(tls_settings{.self = authority.issue("IP:127.0.0.1")}) : std::nullopt;
    loopback_server server(
        [&](peer& client) {
          if (!client.read_request()) return;
          client.send(answer_with("ok"));
          client.end_tls();
          client.close();
          ++closed;
        },
        std::move(settings));
    pool_harness harness;
    const auto origin = tls ? tls_origin(server, authority) : plain_origin(server);
    for (int i = 1; i <= 5; ++i) {
      // A POST is not repeated, so a closed connection that was used would show.
      EXPECT_EQ(summary(harness.run(request_to(origin, "POST", "/", "x"))), "200 ok");
      ASSERT_TRUE(eventually([&] { return closed == i; }));
    }
    EXPECT_EQ(server.connections(), 5);
  }
}

TEST(http_pool, does_not_keep_a_connection_after_connection_close_or_extra_bytes) {
  for (const auto& bytes : {answer_with("ok", "Connection: close\r\n"), answer_with("ok") + "HTTP/1.1 200 O",
                            std::string("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")}) {
    loopback_server server([&](peer& client) {
      while (client.read_request()) client.send(bytes);
    });
    pool_harness harness;
    EXPECT_EQ(summary(harness.get(plain_origin(server))), "200 ok");
    EXPECT_EQ(summary(harness.get(plain_origin(server))), "200 ok");
    EXPECT_EQ(server.connections(), 2) << bytes;
  }
}

// A kept connection dies at the next request, after the request was read and before a byte of the answer.
loopback_server::script dies_at_second_request(std::string_view last_words = "") {
  return [last_words](peer& client) {
    client.read_request();
    client.send(answer_with("ok"));
    if (client.number() > 1) return answer_all(client);
    client.read_request();
    client.send(last_words);
  };
}

TEST(http_pool, repeats_a_get_once_when_a_kept_connection_dies_unheard) {
  loopback_server server(dies_at_second_request());
  pool_harness harness;
  harness.get(plain_origin(server));
  EXPECT_EQ(summary(harness.get(plain_origin(server))), "200 ok");
  EXPECT_EQ(server.connections(), 2);
  EXPECT_EQ(harness.pool->open_connections(), 1U);
}

TEST(http_pool, does_not_repeat_a_post_that_may_have_been_acted_on) {
  loopback_server server(dies_at_second_request());
  pool_harness harness;
  harness.get(plain_origin(server));
  EXPECT_EQ(summary(harness.run(request_to(plain_origin(server), "POST", "/", "x"))), "reset sent");
  EXPECT_EQ(server.connections(), 1);
}

TEST(http_pool, does_not_repeat_a_get_that_was_partly_answered) {
  loopback_server server(dies_at_second_request("HTTP/1.1 2"));
  pool_harness harness;
  harness.get(plain_origin(server));
  EXPECT_EQ(summary(harness.get(plain_origin(server))), "reset sent");
  EXPECT_EQ(server.connections(), 1);
}

TEST(http_pool, does_not_repeat_on_a_fresh_connection) {
  loopback_server server([](peer& client) { client.read_request(); });
  pool_harness harness;
  EXPECT_EQ(summary(harness.get(plain_origin(server))), "reset sent");
  EXPECT_EQ(server.connections(), 1);
}

TEST(http_pool, repeats_a_post_that_was_not_fully_written) {
  loopback_server server([](peer& client) {
    client.read_request();
    client.send(answer_with("ok"));
    if (client.number() > 1) return answer_all(client);
    // Let the next request begin, but never read its end.
    if (!client.closed_within(10s)) client.reset();
  });
  pool_harness harness;
  harness.get(plain_origin(server));
  const std::string body(32 * engine::mib, 'x');
  EXPECT_EQ(summary(harness.run(request_to(plain_origin(server), "POST", "/", body))), "200 ok");
  EXPECT_EQ(server.connections(), 2);
}

// --- Caps and lines
// ----------------------------------------------------------------------------------------------------

TEST(http_pool_caps, serve_the_line_of_an_origin_in_the_order_of_arrival) {
  gate hold;
  loopback_server server(std::ref(hold));
  engine::http_pool_options options;
  options.per_origin_max = 1;
  pool_harness harness(std::move(options));
  std::vector<std::future<exchange_result>> all;
  for (int i = 0; i < 5; ++i) {
    all.push_back(harness.start(request_to(plain_origin(server), "GET", "/" + std::to_string(i))));
    if (i == 0) ASSERT_TRUE(eventually([&] { return hold.arrived().size() == 1; }));
    ASSERT_TRUE(eventually([&] { return harness.pool->waiting() == static_cast<std::size_t>(i); }));
  }
  hold.let_go(5);
  for (auto& one : all) EXPECT_EQ(summary(value_of(one)), "200 ok");
  EXPECT_THAT(hold.arrived(), ElementsAre("/0", "/1", "/2", "/3", "/4"));
  EXPECT_EQ(server.connections(), 1);
}

TEST(http_pool_caps, make_room_for_another_origin_by_closing_the_one_unused_for_longest) {
  loopback_server a(answer_all);
  loopback_server b(answer_all);
  loopback_server c(answer_all);
  engine::http_pool_options options;
  options.connections_max = 2;
  pool_harness harness(std::move(options));
  for (auto* server : {&a, &b, &a, &c}) {
    EXPECT_EQ(summary(harness.get(plain_origin(*server))), "200 ok");
    harness.clock.advance(1s);
  }
  EXPECT_EQ(harness.pool->open_connections(), 2U);
  harness.get(plain_origin(a));  // still there
  EXPECT_EQ(a.connections(), 1);
  harness.get(plain_origin(b));  // was closed for c
  EXPECT_EQ(b.connections(), 2);
  EXPECT_EQ(harness.pool->open_connections(), 2U);
}

TEST(http_pool_caps, let_another_origin_have_its_turn_when_all_connections_are_busy) {
  gate hold;
  loopback_server busy(std::ref(hold));
  loopback_server other(answer_all);
  engine::http_pool_options options;
  options.connections_max = 2;
  pool_harness harness(std::move(options));
  std::vector<std::future<exchange_result>> all;
  for (int i = 0; i < 2; ++i) all.push_back(harness.start(request_to(plain_origin(busy), "GET")));
  ASSERT_TRUE(eventually([&] { return hold.arrived().size() == 2; }));
  auto waits = harness.start(request_to(plain_origin(other), "GET"));
  ASSERT_TRUE(eventually([&] { return harness.pool->waiting() == 1; }));
  all.push_back(harness.start(request_to(plain_origin(busy), "GET")));
  ASSERT_TRUE(eventually([&] { return harness.pool->waiting() == 2; }));
  hold.let_go(1);  // the connection that comes free first belongs to the other origin's turn
  EXPECT_EQ(summary(value_of(waits)), "200 ok");
  hold.let_go(10);
  for (auto& one : all) EXPECT_EQ(summary(value_of(one)), "200 ok");
  EXPECT_LE(harness.pool->open_connections(), 2U);
}

TEST(http_pool_caps, wake_the_line_when_an_exchange_fails) {
  loopback_server server([](peer& client) {
    client.read_request();
    if (client.number() > 1) client.send(answer_with("ok"));
  });
  engine::http_pool_options options;
  options.per_origin_max = 1;
  pool_harness harness(std::move(options));
  auto first = harness.start(request_to(plain_origin(server), "GET"));
  auto second = harness.start(request_to(plain_origin(server), "GET"));
  EXPECT_EQ(summary(value_of(first)), "reset sent");
  EXPECT_EQ(summary(value_of(second)), "200 ok");
}

TEST(http_pool_caps, shows_every_open_connection_in_the_gauge) {
  loopback_server server(answer_all);
  engine::http_pool_options options;
  options.connections_max = 3;
  pool_harness harness(std::move(options));
  const auto& shown = harness.metrics.gauge("penstock_http_connections_open", "");
  std::vector<std::future<exchange_result>> all;
  for (int i = 0; i < 20; ++i) all.push_back(harness.start(request_to(plain_origin(server), "GET")));
  for (auto& one : all) value_of(one);
  EXPECT_GE(shown.value(), 1);
  EXPECT_LE(shown.value(), 3);
  EXPECT_EQ(shown.value(), static_cast<double>(harness.pool->open_connections()));
  harness.pool->close();
  EXPECT_EQ(shown.value(), 0);
}

// --- close()
// -----------------------------------------------------------------------------------------------------------

TEST(http_pool_close, ends_an_exchange_in_its_lookup) {
  std::promise<void> asked;
  engine::http_pool_options options;
  options.resolve = [&](const std::string&, const engine::resolve_done&) { asked.set_value(); };
  pool_harness harness(std::move(options));
  auto pending =
      harness.start(request_to({.tls = false, .host = "a.test", .port = 1, .verify_name = "", .ca_file = ""}, "GET"));
  auto begun = asked.get_future();
  value_of(begun);
  harness.pool->close();
  EXPECT_EQ(summary(value_of(pending)), "cancelled not_sent");
}

TEST(http_pool_close, ends_an_exchange_in_its_handshake) {
  const test_authority authority;
  std::promise<void> accepted;
  loopback_server server([&](peer& client) {
    accepted.set_value();
    client.wait_for_close();
  });
  pool_harness harness;
  auto pending = harness.start(request_to(tls_origin(server, authority), "GET"));
  auto begun = accepted.get_future();
  value_of(begun);
  harness.pool->close();
  EXPECT_EQ(summary(value_of(pending)), "cancelled not_sent");
}

TEST(http_pool_close, ends_an_exchange_that_writes_waits_or_reads) {
  for (const auto* start : {"", "HTTP/1.1 200 OK\r\nX: ", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n01"}) {
    std::promise<void> reached;
    loopback_server server([&](peer& client) {
      client.read_request();
      client.send(start);
      reached.set_value();
      client.wait_for_close();
    });
    pool_harness harness;
    auto pending = harness.start(request_to(plain_origin(server), "GET"));
    auto begun = reached.get_future();
    value_of(begun);
    harness.pool->close();
    EXPECT_EQ(summary(value_of(pending)), "cancelled sent") << start;
    EXPECT_EQ(harness.pool->open_connections(), 0U);
  }
  std::promise<void> accepted;
  std::promise<void> over;
  const auto until = over.get_future().share();
  loopback_server deaf([&](peer&) {
    accepted.set_value();
    until.wait_for(10s);
  });
  pool_harness harness;
  const std::string body(32 * engine::mib, 'x');
  auto pending = harness.start(request_to(plain_origin(deaf), "POST", "/", body));
  auto begun = accepted.get_future();
  value_of(begun);
  harness.pool->close();
  EXPECT_EQ(summary(value_of(pending)), "cancelled not_sent");
  over.set_value();
}

TEST(http_pool_close, ends_the_waiting_line_and_everything_later) {
  gate hold;
  loopback_server server(std::ref(hold));
  engine::http_pool_options options;
  options.per_origin_max = 1;
  pool_harness harness(std::move(options));
  std::vector<std::future<exchange_result>> all;
  for (int i = 0; i < 3; ++i) all.push_back(harness.start(request_to(plain_origin(server), "GET")));
  ASSERT_TRUE(eventually([&] { return hold.arrived().size() == 1 && harness.pool->waiting() == 2; }));
  harness.pool->close();
  EXPECT_EQ(summary(value_of(all[0])), "cancelled sent");
  EXPECT_EQ(summary(value_of(all[1])), "cancelled not_sent");
  EXPECT_EQ(summary(value_of(all[2])), "cancelled not_sent");
  EXPECT_EQ(summary(harness.get(plain_origin(server))), "cancelled not_sent");
  harness.pool->close();
  hold.let_go();
}

TEST(http_pool_close, leaves_no_timer_behind) {
  loopback_server server(answer_all);
  pool_harness harness;
  harness.get(plain_origin(server));
  EXPECT_EQ(harness.clock.timers(), 1U);
  harness.pool->close();
  EXPECT_EQ(harness.clock.timers(), 0U);
}

TEST(http_pool_close, may_be_followed_by_destruction_while_exchanges_end) {
  loopback_server server([](peer& client) { client.wait_for_close(); });
  pool_harness harness;
  auto pending = harness.start(request_to(plain_origin(server), "GET"));
  ASSERT_TRUE(eventually([&] { return server.connections() == 1; }));
  harness.pool->close();
  EXPECT_EQ(value_of(pending).error().code, engine::http_errc::cancelled);
}

// --- Several threads
// ---------------------------------------------------------------------------------------------------

// Everything at once on two threads: kept, closed and dying connections, refusals, chunks, plain and TLS, few
// connections.
TEST(http_pool_threads, carry_a_mixed_load_without_mixing_up_answers) {
  const test_authority authority;
  const auto mixed = [](peer& client) {
    int count = 0;
    while (auto request = client.read_request()) {
      const std::string target = target_of(*request);
      const int number = std::stoi(target.substr(1));
      ++count;
      if (number % 11 == 0) {
        client.send(answer_with(target, "Connection: close\r\n"));
        return;
      }
      if (number % 7 == 0) {
        client.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n/\r\n");
        char head[16];
        std::snprintf(head, sizeof head, "%zx\r\n", target.size() - 1);
        client.send(head + target.substr(1) + "\r\n0\r\n\r\n");
        continue;
      }
      client.send(answer_with(target));
      if (count == 5) return;  // closes a connection the client believes in
    }
  };
  loopback_server plain(mixed);
  loopback_server tls(mixed, tls_settings{.self = authority.issue("IP:127.0.0.1")});
  engine::http_pool_options options;
  options.connections_max = 6;
  options.per_origin_max = 4;
  pool_harness harness(std::move(options), 2);
  constexpr int requests = 600;
  std::vector<std::future<exchange_result>> all;
  for (int i = 0; i < requests; ++i) {
    engine::exchange_options limits;
    if (i % 5 == 0) limits.headers_step = [](const engine::http_response_head&) { return engine::buffer(64); };
    if (i % 13 == 0) {
      limits.headers_step = [](const engine::http_response_head&) { return std::optional<engine::buffer>(); };
    }
    const auto origin = i % 2 == 0 ? plain_origin(plain) : tls_origin(tls, authority);
    all.push_back(harness.start(request_to(origin, "GET", "/" + std::to_string(i)), std::move(limits)));
  }
  for (int i = 0; i < requests; ++i) {
    const auto result = value_of(all[static_cast<std::size_t>(i)]);
    const bool refused = i % 13 == 0 && (i % 7 != 0 || i % 11 == 0);
    EXPECT_EQ(summary(result), refused ? "refused_by_caller sent" : "200 /" + std::to_string(i));
  }
  EXPECT_EQ(harness.pool->waiting(), 0U);
  harness.pool->close();
  EXPECT_EQ(harness.pool->open_connections(), 0U);
  EXPECT_EQ(harness.metrics.gauge("penstock_http_connections_open", "").value(), 0);
}

TEST(http_pool_threads, close_under_load_ends_every_exchange) {
  const test_authority authority;
  for (int round = 0; round < 10; ++round) {
    loopback_server server(answer_all, tls_settings{.self = authority.issue("IP:127.0.0.1")});
    engine::http_pool_options options;
    options.per_origin_max = 4;
    pool_harness harness(std::move(options), 2);
    std::vector<std::future<exchange_result>> all;
    for (int i = 0; i < 60; ++i) all.push_back(harness.start(request_to(tls_origin(server, authority), "GET")));
    ASSERT_TRUE(eventually([&] { return server.connections() >= 1 + round % 4; }));
    harness.pool->close();
    for (auto& one : all) {
      const auto result = value_of(one);
      EXPECT_TRUE(result || result.error().code == engine::http_errc::cancelled) << summary(result);
    }
    EXPECT_EQ(harness.pool->open_connections(), 0U);
  }
}

TEST(http_pool_threads, one_thread_may_do_without_strands) {
  loopback_server server(answer_all);
  engine::http_pool_options options;
  options.strands = false;
  pool_harness harness(std::move(options));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(summary(harness.get(plain_origin(server))), "200 ok");
  auto pending = harness.start(request_to(plain_origin(server), "GET"));
  value_of(pending);
  harness.pool->close();
  EXPECT_EQ(summary(harness.get(plain_origin(server))), "cancelled not_sent");
}

}  // namespace
