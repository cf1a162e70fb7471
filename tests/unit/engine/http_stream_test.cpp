// The connection by itself, over loopback. What a whole exchange shows of it is in http_client_test.cpp and
// tls_test.cpp.
#include "engine/net/http_stream.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/loopback_server.hpp"

namespace engine {
namespace {

using namespace std::chrono_literals;
using tests::loopback_server;
using tests::peer;

// A bound socket that accepts nothing: closed to connections, or open with its line full.
class deaf_port {
 public:
  deaf_port(const char* host, std::uint16_t port, bool listening) : handle_(::socket(AF_INET, SOCK_STREAM, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_port = htons(port);
    ::inet_pton(AF_INET, host, &address_.sin_addr);
    socklen_t size = sizeof address_;
    auto* const raw = reinterpret_cast<sockaddr*>(&address_);
    EXPECT_EQ(::bind(handle_, raw, size), 0);
    ::getsockname(handle_, raw, &size);
    if (!listening) return;
    EXPECT_EQ(::listen(handle_, 0), 0);
    for (int i = 0; i < 4; ++i) {
      filling_.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
      ::connect(filling_.back(), raw, size);
    }
  }
  ~deaf_port() {
    for (const int one : filling_) ::close(one);
    ::close(handle_);
  }
  deaf_port(const deaf_port&) = delete;
  deaf_port& operator=(const deaf_port&) = delete;
  [[nodiscard]] std::uint16_t port() const { return ntohs(address_.sin_port); }

 private:
  int handle_;
  sockaddr_in address_{};
  std::vector<int> filling_;
};

struct http_stream_test : testing::Test {
  using connected = std::expected<void, stream_failure>;
  using moved = std::expected<std::size_t, stream_failure>;

  static std::string shown(const stream_failure& failure) {
    constexpr std::array names{"resolve",   "connect",           "tls",      "timeout", "reset", "malformed",
                               "too_large", "refused_by_caller", "cancelled"};
    return std::string(names.at(static_cast<std::size_t>(failure.code))) + ": " + failure.text;
  }
  template <class T>
  T run(task<T> work) {
    std::optional<T> result;
    asio::co_spawn(context, std::move(work), [&](const std::exception_ptr& thrown, T value) {
      EXPECT_EQ(thrown, nullptr);
      result.emplace(std::move(value));
    });
    context.restart();
    context.run();
    return *std::move(result);
  }
  std::string connect(http_origin origin, net_time limit = net_now() + 10s) {
    const auto result = run(stream->connect(std::move(origin), limit));
    return result ? "connected" : shown(result.error());
  }
  std::string read(std::size_t bytes_max, net_time limit = net_now() + 10s) {
    std::string into(bytes_max, ' ');
    const auto result = run(stream->read_some(into, limit));
    return result ? into.substr(0, *result) : shown(result.error());
  }
  moved write(byte_view first, byte_view second) { return run(stream->write_some(first, second, net_now() + 10s)); }
  // Another stream on the same context.
  void renew() { stream.emplace(context.get_executor(), trusts, resolve); }
  // Reads until the peer ends; why it did.
  stream_failure end_of_stream() {
    std::array<char, 100> into{};
    for (;;) {
      const auto got = run(stream->read_some(into, net_now() + 10s));
      if (!got) return got.error();
    }
  }

  static http_origin plain(const std::string& host, std::uint16_t port) {
    return {.tls = false, .host = host, .port = port, .verify_name = "", .ca_file = ""};
  }

  asio::io_context context;
  tls_trusts trusts;
  std::vector<std::string> asked;
  resolve_result addresses = std::unexpected(std::string("nothing is known"));
  resolve_function resolve = [this](const std::string& name, const resolve_done& done) {
    asked.push_back(name);
    done(addresses);
  };
  std::optional<http_stream> stream{std::in_place, context.get_executor(), trusts, resolve};
};

void until_closed(peer& client) { client.wait_for_close(); }

// --- names and addresses -------------------------------------------------------------------------------------------

TEST_F(http_stream_test, asks_nobody_about_an_address) {
  loopback_server server(until_closed);
  EXPECT_EQ(connect(plain("127.0.0.1", server.port())), "connected");
  renew();
  const deaf_port closed("127.0.0.1", 0, false);
  for (const char* host : {"::1", "[::1]"}) {
    renew();
    EXPECT_EQ(connect(plain(host, closed.port())).substr(0, 16), "connect: cannot ") << host;
  }
  EXPECT_TRUE(asked.empty());
}

TEST_F(http_stream_test, asks_once_about_a_name_and_tries_what_it_is_told) {
  loopback_server server(until_closed);
  addresses = std::vector<std::string>{"127.0.0.1"};
  EXPECT_EQ(connect(plain("service.test", server.port())), "connected");
  EXPECT_EQ(asked, std::vector<std::string>{"service.test"});
}

TEST_F(http_stream_test, passes_over_addresses_that_are_none) {
  loopback_server server(until_closed);
  addresses = std::vector<std::string>{"", "not an address", "127.0.0.1"};
  EXPECT_EQ(connect(plain("service.test", server.port())), "connected");
  renew();
  addresses = std::vector<std::string>{"", "not an address"};
  EXPECT_EQ(connect(plain("service.test", server.port())), "resolve: service.test has no usable address");
}

TEST_F(http_stream_test, says_why_a_name_is_not_known) {
  EXPECT_EQ(connect(plain("service.test", 1)), "resolve: cannot resolve service.test: nothing is known");
}

TEST_F(http_stream_test, says_so_when_every_address_refuses) {
  const deaf_port closed("127.0.0.1", 0, false);
  addresses = std::vector<std::string>{"127.0.0.1", "127.0.0.1"};
  EXPECT_EQ(connect(plain("service.test", closed.port())), "connect: cannot connect: Connection refused");
}

TEST_F(http_stream_test, leaves_time_for_the_second_address_when_the_first_is_dead) {
  loopback_server server(until_closed);
  const deaf_port dead("127.0.0.2", server.port(), true);
  addresses = std::vector<std::string>{"127.0.0.2", "127.0.0.1"};
  EXPECT_EQ(connect(plain("service.test", server.port()), net_now() + 2s), "connected");
}

TEST_F(http_stream_test, takes_an_end_before_the_tls_handshake_for_a_refusal) {
  loopback_server server([](peer&) {});
  http_origin origin = plain("127.0.0.1", server.port());
  origin.tls = true;
  origin.verify_name = "127.0.0.1";
  const auto result = run(stream->connect(origin, net_now() + 10s));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, http_errc::connect) << result.error().text;
  EXPECT_TRUE(result.error().text.ends_with(" in the TLS handshake")) << result.error().text;
  EXPECT_FALSE(result.error().orderly_end);
}

// --- reading and writing -------------------------------------------------------------------------------------------

TEST_F(http_stream_test, writes_the_first_bytes_before_the_second) {
  std::promise<std::string> received;
  loopback_server server([&](peer& client) {
    received.set_value(client.read_request().value_or("nothing"));
    client.wait_for_close();
  });
  ASSERT_EQ(connect(plain("127.0.0.1", server.port())), "connected");
  EXPECT_EQ(write("POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n", "body").value(), 42u);
  EXPECT_EQ(received.get_future().get(), "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody");
}

TEST_F(http_stream_test, reads_no_more_than_there_is_room_for) {
  loopback_server server([](peer& client) {
    client.send("0123456789");
    client.wait_for_close();
  });
  ASSERT_EQ(connect(plain("127.0.0.1", server.port())), "connected");
  EXPECT_EQ(read(1), "0");
  EXPECT_EQ(read(3), "123");
  std::string rest;
  while (rest.size() < 6) rest += read(100);
  EXPECT_EQ(rest, "456789");
}

TEST_F(http_stream_test, takes_all_tls_records_that_have_arrived_in_one_call_and_loses_none) {
  constexpr std::size_t record_bytes = 16'384;
  const tests::test_authority authority;
  std::string sent;
  for (int i = 0; sent.size() < 3 * record_bytes; ++i) sent += std::to_string(i) + ' ';
  loopback_server server(
      [&sent](peer& client) {
        while (client.read_request()) client.send(sent);
      },
      tests::tls_settings{.self = authority.issue("IP:127.0.0.1")});
  http_origin origin = plain("127.0.0.1", server.port());
  origin.tls = true;
  origin.verify_name = "127.0.0.1";
  origin.ca_file = authority.ca_file();
  ASSERT_EQ(connect(origin), "connected");
  std::size_t largest = 0;
  for (std::size_t round = 0; round < 300 && largest <= record_bytes; ++round) {
    ASSERT_TRUE(write("GET / HTTP/1.1\r\n\r\n", ""));
    std::string received;
    while (received.size() < sent.size()) {
      const std::size_t room = round % 2 == 0 ? 100'000 : 1 + round * 997 % 40'000;
      const std::string part = read(room);
      ASSERT_LE(part.size(), room);
      largest = std::max(largest, part.size());
      received += part;
    }
    ASSERT_EQ(received, sent) << "round " << round;
  }
  EXPECT_GT(largest, record_bytes);
}

TEST_F(http_stream_test, tells_an_orderly_end_from_any_other) {
  const tests::test_authority authority;
  struct row {
    bool tls;
    void (*ending)(peer&);
    bool orderly;
  };
  const auto return_at_once = [](peer&) {};
  const auto end_tls = [](peer& client) { client.end_tls(); };
  const auto reset = [](peer& client) { client.reset(); };
  for (const row& one : {row{false, return_at_once, true}, row{true, end_tls, true}, row{true, return_at_once, false},
                         row{false, reset, false}}) {
    auto settings =
        one.tls ? std::optional(tests::tls_settings{.self = authority.issue("IP:127.0.0.1")}) : std::nullopt;
    loopback_server server(
        [ending = one.ending](peer& client) {
          client.read_request();
          ending(client);
        },
        std::move(settings));
    renew();
    http_origin origin = plain("127.0.0.1", server.port());
    if (one.tls) {
      origin.tls = true;
      origin.verify_name = "127.0.0.1";
      origin.ca_file = authority.ca_file();
    }
    ASSERT_EQ(connect(origin), "connected");
    ASSERT_TRUE(write("GET / HTTP/1.1\r\n\r\n", ""));
    const auto end = end_of_stream();
    EXPECT_EQ(end.code, http_errc::reset) << end.text;
    EXPECT_EQ(end.orderly_end, one.orderly) << one.tls << ' ' << end.text;
  }
}

// What ends the stream may be met while the bytes before it are read, or by the next call: it is told alike.
TEST_F(http_stream_test, tells_what_ends_tls_after_the_bytes_before_it) {
  const tests::test_authority authority;
  struct row {
    void (*ending)(peer&);
    std::string told;
  };
  const row rows[] = {{[](peer& client) { client.end_tls(); }, "reset: the peer closed the connection"},
                      {[](peer&) {}, "reset: the peer closed the connection without ending TLS"},
                      {[](peer& client) {
                         client.send_outside_tls(std::string(100, 'x'));
                         client.wait_for_close();
                       },
                       "tls: wrong version number (SSL routines)"}};
  for (int round = 0; round < 20; ++round) {
    for (const row& one : rows) {
      loopback_server server(
          [ending = one.ending](peer& client) {
            client.read_request();
            client.send("data");
            ending(client);
          },
          tests::tls_settings{.self = authority.issue("IP:127.0.0.1")});
      renew();
      http_origin origin = plain("127.0.0.1", server.port());
      origin.tls = true;
      origin.verify_name = "127.0.0.1";
      origin.ca_file = authority.ca_file();
      ASSERT_EQ(connect(origin), "connected");
      ASSERT_TRUE(write("GET / HTTP/1.1\r\n\r\n", ""));
      EXPECT_EQ(read(100), "data");
      EXPECT_EQ(read(100), one.told);
      EXPECT_EQ(read(100).substr(0, 3), one.told.substr(0, 3));
    }
  }
}

TEST_F(http_stream_test, ends_a_call_at_its_limit) {
  loopback_server server(until_closed);
  ASSERT_EQ(connect(plain("127.0.0.1", server.port())), "connected");
  EXPECT_EQ(read(1, net_now() + 20ms), "timeout: time limit reached");
}

// --- cancelling ----------------------------------------------------------------------------------------------------

const std::string closed_by_us = "cancelled: the connection was closed by us";

TEST_F(http_stream_test, does_nothing_any_more_once_cancelled) {
  loopback_server server(until_closed);
  stream->cancel();
  EXPECT_EQ(connect(plain("127.0.0.1", server.port())), closed_by_us);
  EXPECT_EQ(connect(plain("service.test", server.port())), closed_by_us);
  EXPECT_TRUE(asked.empty());
  EXPECT_EQ(server.connections(), 0);
  renew();
  ASSERT_EQ(connect(plain("127.0.0.1", server.port())), "connected");
  stream->cancel();
  EXPECT_EQ(read(1), closed_by_us);
  EXPECT_EQ(shown(write("a", "b").error()), closed_by_us);
  stream->cancel();
  EXPECT_EQ(read(1), closed_by_us);
}

TEST_F(http_stream_test, cancelling_ends_the_call_that_waits) {
  loopback_server server(until_closed);
  ASSERT_EQ(connect(plain("127.0.0.1", server.port())), "connected");
  std::array<char, 10> into{};
  std::string ended;
  asio::co_spawn(
      context, stream->read_some(into, net_now() + 10s),
      [&](const std::exception_ptr&, const moved& result) { ended = result ? "bytes" : shown(result.error()); });
  context.restart();
  while (context.poll_one() != 0) {
  }
  ASSERT_EQ(ended, "") << "it waits";
  stream->cancel();
  context.run();
  EXPECT_EQ(ended, closed_by_us);
}

TEST_F(http_stream_test, cancelling_ends_a_lookup_whose_answer_may_come_later) {
  resolve_done late;
  resolve = [&late](const std::string&, resolve_done done) { late = std::move(done); };
  renew();
  std::string ended;
  asio::co_spawn(context, stream->connect(plain("service.test", 1), net_now() + 10s),
                 [&](const std::exception_ptr&, const connected& result) {
                   ended = result ? "connected" : shown(result.error());
                 });
  while (context.poll_one() != 0) {
  }
  ASSERT_TRUE(late != nullptr);
  ASSERT_EQ(ended, "") << "it waits";
  stream->cancel();
  context.restart();
  context.run();
  EXPECT_EQ(ended, closed_by_us);
  stream.reset();
  late(std::vector<std::string>{"127.0.0.1"});
  context.restart();
  context.run();
  EXPECT_EQ(ended, closed_by_us);
}

// --- between two uses ----------------------------------------------------------------------------------------------

bool becomes_loud(const http_stream& stream) {
  const auto limit = std::chrono::steady_clock::now() + 10s;
  while (stream.quiet()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    std::this_thread::yield();
  }
  return true;
}

TEST_F(http_stream_test, is_quiet_until_something_comes_and_again_when_it_is_read) {
  std::promise<void> speak;
  const auto until = speak.get_future().share();
  loopback_server server([until](peer& client) {
    until.wait_for(10s);
    client.send("!");
    client.wait_for_close();
  });
  ASSERT_EQ(connect(plain("127.0.0.1", server.port())), "connected");
  EXPECT_TRUE(stream->quiet());
  speak.set_value();
  EXPECT_TRUE(becomes_loud(*stream));
  EXPECT_FALSE(stream->quiet()) << "looking takes nothing away";
  EXPECT_EQ(read(10), "!");
  EXPECT_TRUE(stream->quiet());
}

TEST_F(http_stream_test, is_not_quiet_when_the_peer_has_closed_or_it_is_closed_itself) {
  loopback_server server([](peer& client) {
    if (client.number() == 2) client.wait_for_close();
  });
  ASSERT_EQ(connect(plain("127.0.0.1", server.port())), "connected");
  EXPECT_TRUE(becomes_loud(*stream));
  renew();
  ASSERT_EQ(connect(plain("127.0.0.1", server.port())), "connected");
  EXPECT_TRUE(stream->quiet());
  stream->cancel();
  EXPECT_FALSE(stream->quiet());
}

}  // namespace
}  // namespace engine
