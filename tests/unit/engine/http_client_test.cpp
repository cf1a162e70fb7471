// One connection and what a peer may do to it; through a pool of one thread, over real loopback sockets.
#include "engine/net/http_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "engine/net/http_request_head.hpp"
#include "tests/support/pool_harness.hpp"

namespace {

using engine::http_errc;
using testing::AllOf;
using testing::HasSubstr;
using namespace std::chrono_literals;
using namespace tests;

constexpr engine::duration short_limit = 100ms;

// Answers every request of a connection with the same bytes.
loopback_server::script always(std::string bytes) {
  return [bytes = std::move(bytes)](peer& client) {
    while (client.read_request()) client.send(bytes);
  };
}
// Answers once and closes.
loopback_server::script once(std::string bytes) {
  return [bytes = std::move(bytes)](peer& client) {
    if (!client.read_request()) return;
    client.send(bytes);
    client.close();
  };
}

engine::exchange_options with_step(std::size_t capacity) {
  engine::exchange_options options;
  options.headers_step = [capacity](const engine::http_response_head&) { return engine::buffer(capacity); };
  return options;
}

TEST(http_client, reads_a_body_into_the_buffer_that_the_headers_step_gave) {
  const std::string body(300'000, 'x');
  loopback_server server(always(answer_with(body, "X-Log-Cursor: abc\r\n")));
  pool_harness harness;
  engine::buffer given(512 * engine::kib);
  const char* const where = given.data();
  engine::http_response_head seen;
  engine::exchange_options options;
  options.headers_step = [&](const engine::http_response_head& head) {
    seen = head;
    return std::optional<engine::buffer>(std::move(given));
  };
  const auto result = harness.run(request_to(plain_origin(server), "GET"), std::move(options));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->body.data(), where);
  EXPECT_EQ(result->body.view(), body);
  EXPECT_EQ(seen.content_length, 300'000U);
  EXPECT_EQ(seen.header("x-log-cursor"), "abc");
}

TEST(http_client, sends_method_target_headers_and_body_as_given) {
  std::string received;
  loopback_server server([&](peer& client) {
    received = client.read_request().value_or("");
    client.send(answer_with(""));
  });
  pool_harness harness;
  auto request = request_to(plain_origin(server), "POST", "/a%20b?c=d", "body bytes");
  request.headers.emplace_back("X-Name", "value");
  request.headers.emplace_back("content-length", "3");  // ours wins
  EXPECT_EQ(summary(harness.run(std::move(request))), "200 ");
  EXPECT_EQ(received,
            "POST /a%20b?c=d HTTP/1.1\r\nHost: test\r\nX-Name: value\r\nContent-Length: 10\r\n\r\nbody bytes");
}

TEST(http_client, sends_a_large_body_whole) {
  std::string body(5'000'000, ' ');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i % 23);
  std::atomic<bool> equal = false;
  const test_authority authority;
  for (const bool tls : {false, true}) {
    equal = false;
    auto settings = tls ? std::optional(tls_settings{.self = authority.issue("IP:127.0.0.1")}) : std::nullopt;
    loopback_server server(
        [&](peer& client) {
          equal = client.read_request().value_or("").ends_with(body);
          client.send("HTTP/1.1 204 No Content\r\n\r\n");
        },
        std::move(settings));
    pool_harness harness;
    const auto origin = tls ? tls_origin(server, authority) : plain_origin(server);
    EXPECT_EQ(summary(harness.run(request_to(origin, "POST", "/", body))), "204 ");
    EXPECT_TRUE(equal);
  }
}

TEST(http_client, refuses_to_send_control_characters) {
  for (const auto* bad : {"a\r\nX: y", "a\nb", "a\x01"}) {
    engine::http_request request = request_to({}, "GET");
    request.headers.emplace_back("Authorization", bad);
    const auto head = engine::request_head(request);
    ASSERT_FALSE(head);
    EXPECT_THAT(head.error(), AllOf(HasSubstr("Authorization"), testing::Not(HasSubstr("X: y"))));
  }
  EXPECT_FALSE(engine::request_head(request_to({}, "GET", "/a b")));
  EXPECT_FALSE(engine::request_head(request_to({}, "GET", "http://x/")));
  EXPECT_FALSE(engine::request_head(request_to({}, "GE T")));
}

TEST(http_client, closes_the_connection_when_the_headers_step_refuses) {
  std::promise<void> closed;
  loopback_server server([&](peer& client) {
    client.read_request();
    client.send("HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\nx-log-cursor: c1\r\n\r\n");
    client.wait_for_close();
    closed.set_value();
  });
  pool_harness harness;
  engine::exchange_options options;
  options.headers_step = [](const engine::http_response_head&) { return std::optional<engine::buffer>(); };
  const auto result = harness.run(request_to(plain_origin(server), "GET"), std::move(options));
  ASSERT_EQ(summary(result), "refused_by_caller sent");
  ASSERT_TRUE(result.error().head);
  EXPECT_EQ(result.error().head->content_length, 5'000'000U);
  EXPECT_EQ(result.error().head->header("x-log-cursor"), "c1");
  auto gone = closed.get_future();
  value_of(gone);
  EXPECT_EQ(harness.pool->open_connections(), 0U);
}

TEST(http_client, does_not_ask_the_headers_step_without_a_body_or_a_length_or_for_other_statuses) {
  int asked = 0;
  const auto counting = [&] {
    engine::exchange_options options;
    options.headers_step = [&](const engine::http_response_head&) {
      ++asked;
      return std::optional<engine::buffer>();
    };
    return options;
  };
  for (const auto* bytes : {"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                            "HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nno", "HTTP/1.1 304 Same\r\n\r\n",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"}) {
    loopback_server server(always(bytes));
    pool_harness harness;
    const auto result = harness.run(request_to(plain_origin(server), "GET"), counting());
    EXPECT_TRUE(result) << bytes << summary(result);
  }
  EXPECT_EQ(asked, 0);
}

TEST(http_client, reports_a_body_larger_than_the_given_buffer_before_reading_it) {
  loopback_server server(once(answer_with(std::string(1001, 'x'))));
  pool_harness harness;
  EXPECT_EQ(summary(harness.run(request_to(plain_origin(server), "GET"), with_step(1000))), "too_large sent");
  EXPECT_EQ(harness.pool->open_connections(), 0U);
}

TEST(http_client, fills_the_given_buffer_to_the_last_byte) {
  loopback_server server(once(answer_with(std::string(1000, 'x'))));
  pool_harness harness;
  const auto result = harness.run(request_to(plain_origin(server), "GET"), with_step(1000));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->body.size(), 1000U);
}

TEST(http_client, believes_no_announced_length) {
  for (const auto* length : {"99999999999", "18446744073709551615"}) {
    loopback_server server(always("HTTP/1.1 200 OK\r\nContent-Length: " + std::string(length) + "\r\n\r\nx"));
    pool_harness harness;
    EXPECT_EQ(summary(harness.get(plain_origin(server))), "too_large sent");
  }
}

TEST(http_client, reads_chunks_of_any_size_as_one_body) {
  std::string whole;
  std::string wire = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::size_t size : {1UZ, 17UZ, 16'384UZ, 70'000UZ, 3UZ, 200'000UZ}) {
    const std::string piece(size, static_cast<char>('a' + size % 26));
    char head[32];
    std::snprintf(head, sizeof head, "%zx;note=1\r\n", size);
    wire += head + piece + "\r\n";
    whole += piece;
  }
  wire += "0\r\nX-Trailer: t\r\n\r\n";
  loopback_server server(always(wire));
  pool_harness harness;
  for (int i = 0; i < 2; ++i) {
    const auto result = harness.get(plain_origin(server));
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->body.view(), whole);
    EXPECT_FALSE(result->head.content_length);
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST(http_client, stops_a_body_without_length_at_the_limit) {
  for (const auto* end : {"", "0\r\n\r\n"}) {
    const std::string fits = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n";
    loopback_server server(once(*end == '\0' ? fits + "1\r\nx\r\n0\r\n\r\n" : fits + end));
    pool_harness harness;
    engine::exchange_options options;
    options.body_bytes_max = 10;
    const auto result = harness.run(request_to(plain_origin(server), "GET"), std::move(options));
    EXPECT_EQ(summary(result), *end == '\0' ? "too_large sent" : "200 0123456789");
  }
  loopback_server endless([](peer& client) {
    client.read_request();
    client.send("HTTP/1.1 200 OK\r\n\r\n");
    while (client.send(std::string(10'000, 'x'))) {
    }
  });
  pool_harness harness;
  EXPECT_EQ(summary(harness.get(plain_origin(endless))), "too_large sent");
}

TEST(http_client, reads_a_body_without_length_until_the_peer_closes) {
  loopback_server server(once("HTTP/1.1 200 OK\r\n\r\nall of it"));
  pool_harness harness;
  EXPECT_EQ(summary(harness.get(plain_origin(server))), "200 all of it");
  EXPECT_EQ(harness.pool->open_connections(), 0U);
}

TEST(http_client, takes_no_unended_tls_stream_for_the_end_of_a_body) {
  const test_authority authority;
  for (const bool ended : {true, false}) {
    loopback_server server(
        [ended](peer& client) {
          client.read_request();
          client.send("HTTP/1.1 200 OK\r\n\r\nall of it");
          if (ended) client.end_tls();
          client.close();
        },
        tls_settings{.self = authority.issue("IP:127.0.0.1")});
    pool_harness harness;
    EXPECT_EQ(summary(harness.get(tls_origin(server, authority))), ended ? "200 all of it" : "reset sent");
  }
}

TEST(http_client, skips_interim_answers_but_not_endless_ones) {
  const std::string interim = "HTTP/1.1 100 Continue\r\nX: y\r\n\r\n";
  loopback_server server(always(interim + interim + answer_with("real")));
  pool_harness harness;
  EXPECT_EQ(summary(harness.get(plain_origin(server))), "200 real");
  EXPECT_EQ(summary(harness.get(plain_origin(server))), "200 real");
  EXPECT_EQ(server.connections(), 1);
  std::string many;
  for (int i = 0; i < 50; ++i) many += interim;
  loopback_server endless(once(many + answer_with("real")));
  EXPECT_EQ(summary(harness.get(plain_origin(endless))), "malformed sent");
}

TEST(http_client, expects_no_body_after_head_204_and_304) {
  for (const auto& [method, bytes, expected] :
       {std::tuple("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", "200 "),
        std::tuple("GET", "HTTP/1.1 204 No Content\r\n\r\n", "204 "),
        std::tuple("GET", "HTTP/1.1 304 Same\r\nContent-Length: 500\r\n\r\n", "304 ")}) {
    loopback_server server(always(bytes));
    pool_harness harness;
    EXPECT_EQ(summary(harness.run(request_to(plain_origin(server), method))), expected);
    EXPECT_EQ(summary(harness.run(request_to(plain_origin(server), method))), expected);
    EXPECT_EQ(server.connections(), 1) << method << bytes;
  }
}

TEST(http_client, reports_what_is_not_http_as_malformed) {
  for (const auto& bytes : std::vector<std::string>{
           "garbage\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n", "HTTP/3.9 200 OK\r\n\r\n", std::string("\0\0\0\0\0\0\0\0", 8),
           "HTTP/1.1 099 Low\r\n\r\n", "HTTP/1.1 101 Switch\r\nUpgrade: x\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n123456",
           "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n12345",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n12345\r\n0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n12345\r\n0\r\n\r\n"}) {
    loopback_server server(once(bytes));
    pool_harness harness;
    EXPECT_EQ(summary(harness.get(plain_origin(server))), "malformed sent") << bytes;
  }
}

TEST(http_client, ends_an_endless_head_at_its_limits) {
  const auto endless = [](std::string line) {
    return [line = std::move(line)](peer& client) {
      client.read_request();
      client.send("HTTP/1.1 200 OK\r\n");
      while (client.send(line)) {
      }
    };
  };
  loopback_server lines(endless("X-Name: value\r\n"));
  loopback_server one_line(endless("xxxxxxxxxxxxxxxx"));
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 200; ++i) many += "a: b\r\n";
  loopback_server fields(once(many + "Content-Length: 0\r\n\r\n"));
  pool_harness harness;
  EXPECT_EQ(summary(harness.get(plain_origin(lines))), "malformed sent");
  EXPECT_EQ(summary(harness.get(plain_origin(one_line))), "malformed sent");
  EXPECT_EQ(summary(harness.get(plain_origin(fields))), "malformed sent");
}

// The peer closes after n bytes of its answer, for every n: never a hang, never a short success.
void sweep(const std::string& whole, const std::string& body, bool tls, bool reset) {
  const test_authority authority;
  auto settings = tls ? std::optional(tls_settings{.self = authority.issue("IP:127.0.0.1")}) : std::nullopt;
  loopback_server server(
      [&](peer& client) {
        const auto request = client.read_request();
        if (!request) return;
        client.send(whole.substr(0, std::stoul(request->substr(5))));
        if (reset) client.reset();
        client.close();
      },
      std::move(settings));
  pool_harness harness;
  const auto origin = tls ? tls_origin(server, authority) : plain_origin(server);
  for (std::size_t n = 0; n < whole.size(); ++n) {
    EXPECT_EQ(summary(harness.get(origin, "/" + std::to_string(n))), "reset sent") << n;
  }
  EXPECT_EQ(server.connections(), static_cast<int>(whole.size()));
  if (!reset) EXPECT_EQ(summary(harness.get(origin, "/" + std::to_string(whole.size()))), "200 " + body);
}

const std::string known_length = answer_with("0123456789");
const std::string in_chunks =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n0123\r\n6\r\n456789\r\n0\r\n\r\n";

TEST(http_client, reports_an_answer_cut_at_any_byte) { sweep(known_length, "0123456789", false, false); }
TEST(http_client, reports_a_chunked_answer_cut_at_any_byte) { sweep(in_chunks, "0123456789", false, false); }
TEST(http_client, reports_an_answer_reset_at_any_byte) { sweep(known_length, "0123456789", false, true); }
TEST(http_client, reports_an_answer_over_tls_cut_at_any_byte) { sweep(known_length, "0123456789", true, false); }
TEST(http_client, reports_a_chunked_answer_over_tls_cut_at_any_byte) { sweep(in_chunks, "0123456789", true, false); }

TEST(http_client, reads_an_answer_that_comes_byte_by_byte) {
  for (const auto& whole : {known_length, in_chunks}) {
    loopback_server server([&](peer& client) {
      while (client.read_request()) {
        for (const char byte : whole) client.send({&byte, 1});
      }
    });
    pool_harness harness;
    EXPECT_EQ(summary(harness.get(plain_origin(server))), "200 0123456789");
    EXPECT_EQ(summary(harness.get(plain_origin(server))), "200 0123456789");
  }
}

TEST(http_client, prefers_an_early_answer_to_the_broken_pipe) {
  loopback_server server([](peer& client) {
    client.send("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig");
    client.close();  // on an unread request: a reset follows the answer
  });
  pool_harness harness;
  const std::string body(32 * engine::mib, 'x');
  EXPECT_EQ(summary(harness.run(request_to(plain_origin(server), "POST", "/", body))), "413 big");
  EXPECT_EQ(harness.pool->open_connections(), 0U);
}

// --- Time limits: each phase its own, and the message says which
// -------------------------------------------------------

TEST(http_client_limits, lookup_without_an_answer_ends_in_a_timeout) {
  engine::http_pool_options options;
  options.resolve = [](const std::string&, const engine::resolve_done&) {};
  pool_harness harness(std::move(options));
  engine::exchange_options limits;
  limits.connect_max = short_limit;
  const auto result =
      harness.run(request_to({.tls = false, .host = "a.test", .port = 1, .verify_name = "", .ca_file = ""}, "GET"),
                  std::move(limits));
  EXPECT_EQ(summary(result), "timeout not_sent");
  EXPECT_THAT(result.error().message, HasSubstr("lookup of a.test"));
}

TEST(http_client_limits, unaccepted_connection_ends_as_not_connected) {
  // A listener whose line is full: the kernel leaves further connections unanswered.
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const raw = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(::bind(listener, raw, size), 0);
  ASSERT_EQ(::listen(listener, 0), 0);
  ::getsockname(listener, raw, &size);
  std::vector<int> filling;
  for (int i = 0; i < 4; ++i) {
    filling.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    ::connect(filling.back(), raw, size);
  }
  pool_harness harness;
  engine::exchange_options limits;
  limits.connect_max = short_limit;
  const engine::http_origin origin{
      .tls = false, .host = "127.0.0.1", .port = ntohs(address.sin_port), .verify_name = "", .ca_file = ""};
  const auto result = harness.run(request_to(origin, "GET"), std::move(limits));
  EXPECT_EQ(summary(result), "connect not_sent");
  EXPECT_THAT(result.error().message, HasSubstr("timed out"));
  for (const int one : filling) ::close(one);
  ::close(listener);
}

TEST(http_client_limits, unanswered_handshake_ends_in_a_timeout) {
  const test_authority authority;
  loopback_server server([](peer& client) { client.wait_for_close(); });
  pool_harness harness;
  engine::exchange_options limits;
  limits.connect_max = short_limit;
  const auto result = harness.run(request_to(tls_origin(server, authority), "GET"), std::move(limits));
  EXPECT_EQ(summary(result), "timeout not_sent");
  EXPECT_THAT(result.error().message, HasSubstr("handshake"));
}

TEST(http_client_limits, unread_request_ends_in_a_timeout) {
  std::promise<void> done;
  const auto until = done.get_future().share();
  loopback_server server([until](peer&) { until.wait_for(10s); });
  pool_harness harness;
  engine::exchange_options limits;
  limits.stall_max = short_limit;
  const std::string body(32 * engine::mib, 'x');
  const auto result = harness.run(request_to(plain_origin(server), "POST", "/", body), std::move(limits));
  done.set_value();
  EXPECT_EQ(summary(result), "timeout not_sent");
  EXPECT_THAT(result.error().message, HasSubstr("request was not taken for 100ms"));
}

TEST(http_client_limits, missing_answer_ends_in_a_timeout) {
  const test_authority authority;
  for (const bool tls : {false, true}) {
    auto settings = tls ? std::optional(tls_settings{.self = authority.issue("IP:127.0.0.1")}) : std::nullopt;
    loopback_server server([](peer& client) { client.wait_for_close(); }, std::move(settings));
    pool_harness harness;
    engine::exchange_options limits;
    limits.answer_max = short_limit;
    const auto origin = tls ? tls_origin(server, authority) : plain_origin(server);
    const auto result = harness.run(request_to(origin, "GET"), std::move(limits));
    EXPECT_EQ(summary(result), "timeout sent");
    EXPECT_THAT(result.error().message, HasSubstr("no answer within 100ms"));
  }
}

TEST(http_client_limits, head_that_trickles_in_gets_no_more_time) {
  loopback_server server([](peer& client) {
    client.read_request();
    client.send("HTTP/1.1 200 OK\r\nX: ");
    for (int i = 0; i < 1000 && !client.closed_within(5ms); ++i) client.send("y");
  });
  pool_harness harness;
  engine::exchange_options limits;
  limits.answer_max = short_limit;
  EXPECT_EQ(summary(harness.run(request_to(plain_origin(server), "GET"), std::move(limits))), "timeout sent");
}

TEST(http_client_limits, silence_in_the_body_ends_in_a_timeout) {
  for (const auto* start : {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n0123\r\n"}) {
    loopback_server server([start](peer& client) {
      client.read_request();
      client.send(start);
      client.wait_for_close();
    });
    pool_harness harness;
    engine::exchange_options limits;
    limits.stall_max = short_limit;
    const auto result = harness.run(request_to(plain_origin(server), "GET"), std::move(limits));
    EXPECT_EQ(summary(result), "timeout sent");
    EXPECT_THAT(result.error().message, HasSubstr("silent"));
  }
}

TEST(http_client_limits, slow_but_steady_body_is_read_whole) {
  loopback_server server([](peer& client) {
    client.read_request();
    client.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n");
    for (int i = 0; i < 8 && !client.closed_within(30ms); ++i) client.send("z");
    client.wait_for_close();
  });
  pool_harness harness;
  engine::exchange_options limits;
  limits.answer_max = short_limit;  // long over before the body is
  limits.stall_max = 2s;
  EXPECT_EQ(summary(harness.run(request_to(plain_origin(server), "GET"), std::move(limits))), "200 zzzzzzzz");
}

// --- Addresses
// ---------------------------------------------------------------------------------------------------------

TEST(http_client_addresses, refused_connection_says_so) {
  std::uint16_t port = 0;
  {
    const loopback_server gone([](peer&) {});
    port = gone.port();
  }
  pool_harness harness;
  const auto result = harness.get({.tls = false, .host = "127.0.0.1", .port = port, .verify_name = "", .ca_file = ""});
  EXPECT_EQ(summary(result), "connect not_sent");
  EXPECT_THAT(result.error().message, AllOf(HasSubstr("127.0.0.1"), HasSubstr("Connection refused")));
}

TEST(http_client_addresses, unknown_name_says_so) {
  engine::http_pool_options options;
  options.resolve = [](const std::string&, const engine::resolve_done& done) { done(std::unexpected("no such name")); };
  pool_harness harness(std::move(options));
  const auto result = harness.get({.tls = false, .host = "nowhere.test", .port = 80, .verify_name = "", .ca_file = ""});
  EXPECT_EQ(summary(result), "resolve not_sent");
  EXPECT_THAT(result.error().message, AllOf(HasSubstr("nowhere.test"), HasSubstr("no such name")));
}

TEST(http_client_addresses, tries_the_next_address_when_one_refuses) {
  loopback_server server(always(answer_with("ok")));
  engine::http_pool_options options;
  options.resolve = [](const std::string&, const engine::resolve_done& done) {
    done(std::vector<std::string>{"127.0.0.2", "::1", "127.0.0.1"});
  };
  pool_harness harness(std::move(options));
  auto origin = plain_origin(server);
  origin.host = "several.test";
  EXPECT_EQ(summary(harness.get(origin)), "200 ok");
}

TEST(http_client_addresses, knows_localhost_and_names_below_it) {
  loopback_server server(always(answer_with("ok")));
  pool_harness harness;
  for (const auto* host : {"localhost", "project.localhost"}) {
    auto origin = plain_origin(server);
    origin.host = host;
    EXPECT_EQ(summary(harness.get(origin)), "200 ok");
  }
}

TEST(name_resolver, answers_everybody_who_asked) {
  engine::name_resolver resolver;
  std::vector<std::promise<engine::resolve_result>> answers(20);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    // Numbers need no name server.
    resolver.resolve("127.0.0." + std::to_string(1 + i % 7),
                     [&answers, i](const engine::resolve_result& result) { answers[i].set_value(result); });
  }
  for (std::size_t i = 0; i < answers.size(); ++i) {
    auto answer = answers[i].get_future();
    const auto addresses = value_of(answer);
    ASSERT_TRUE(addresses) << addresses.error();
    EXPECT_EQ(*addresses, std::vector{"127.0.0." + std::to_string(1 + i % 7)});
  }
}

TEST(name_resolver, calls_nobody_after_its_end) {
  for (int round = 0; round < 50; ++round) {
    const auto alive = std::make_shared<std::atomic<bool>>(true);
    auto called_late = std::make_shared<std::atomic<bool>>(false);
    {
      engine::name_resolver resolver;
      for (int i = 1; i < 8; ++i) {
        resolver.resolve("127.0.0." + std::to_string(i), [alive, called_late](const engine::resolve_result&) {
          if (!*alive) *called_late = true;
        });
      }
    }
    *alive = false;
    EXPECT_FALSE(*called_late);
  }
}

}  // namespace
