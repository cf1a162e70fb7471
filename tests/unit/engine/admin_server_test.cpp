// The admin listener, spoken to byte by byte over loopback.
#include "engine/net/admin_server.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <vector>

namespace {

using engine::admin_answer;
using engine::admin_server;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// A connection of a test; reads give up after ten seconds.
class connection {
 public:
  explicit connection(std::uint16_t port) : handle_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(handle_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (::connect(handle_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error("refused");
  }
  ~connection() { ::close(handle_); }
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  void send(std::string_view bytes) { ::send(handle_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  void end() { ::shutdown(handle_, SHUT_WR); }
  std::string read_to_end() {
    std::string all;
    while (read_more(all)) {
    }
    return all;
  }
  std::string read_until(std::string_view end) {
    std::string all;
    while (!all.ends_with(end) && read_more(all)) {
    }
    return all;
  }

 private:
  bool read_more(std::string& to) {
    char bytes[4096];
    const auto got = ::recv(handle_, bytes, sizeof bytes, 0);
    if (got <= 0) return false;
    to.append(bytes, static_cast<std::size_t>(got));
    return true;
  }
  int handle_;
};

std::unique_ptr<admin_server> start(engine::admin_handler handler, const std::string& address = "127.0.0.1:0") {
  auto started = admin_server::start(address, std::move(handler));
  if (!started) throw std::runtime_error(started.error());
  return std::move(*started);
}

admin_answer echo(std::string_view method, std::string_view target) {
  return {.body = std::string(method) + " " + std::string(target)};
}

std::string ask(const admin_server& server, const std::string& bytes) {
  connection c(server.port());
  c.send(bytes);
  c.end();
  return c.read_to_end();
}

TEST(admin_server, answers_with_what_the_handler_says) {
  const auto server = start([](std::string_view, std::string_view) {
    return admin_answer{.status = 503, .content_type = "application/json", .body = "{}"};
  });
  const auto answer = ask(*server, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 503 Service Unavailable\r\n"), HasSubstr("Content-Length: 2\r\n"),
                            HasSubstr("Content-Type: application/json\r\n"), EndsWith("\r\n\r\n{}")));
}

TEST(admin_server, gives_method_and_target_to_the_handler) {
  const auto server = start(echo);
  EXPECT_THAT(ask(*server, "GET /status?json=1 HTTP/1.1\r\nHost: x\r\n\r\n"), EndsWith("GET /status?json=1"));
}

TEST(admin_server, answers_head_without_a_body) {
  const auto server = start(echo);
  EXPECT_THAT(ask(*server, "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n"),
              AllOf(HasSubstr("Content-Length: 13\r\n"), EndsWith("\r\n\r\n")));
}

TEST(admin_server, keeps_a_connection_open_until_told_otherwise) {
  const auto server = start(echo);
  connection c(server->port());
  for (const auto* target : {"/1", "/2"}) {
    c.send("GET " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(c.read_until("GET " + std::string(target)), StartsWith("HTTP/1.1 200 OK\r\n"));
  }
  c.send("GET /3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(c.read_until("GET /3"), HasSubstr("Connection: close\r\n"));
  c.end();
  EXPECT_EQ(c.read_to_end(), "");
}

TEST(admin_server, answers_requests_sent_in_one_piece_in_order) {
  const auto server = start(echo);
  const auto answers = ask(*server, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answers, AllOf(HasSubstr("GET /1HTTP/1.1 200"), EndsWith("GET /2")));
}

TEST(admin_server, allows_only_get_and_head) {
  const auto server = start(echo);
  for (const auto* method : {"POST", "PUT", "DELETE", "OPTIONS", "BREW"}) {
    const auto answer =
        ask(*server, std::string(method) + " / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\nbody");
    EXPECT_THAT(answer,
                AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr("Allow: GET, HEAD\r\n"), HasSubstr("Connection: close")));
  }
}

TEST(admin_server, closes_after_a_get_with_a_body) {
  const auto server = start(echo);
  const auto answer = ask(*server, "GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\nGET /evil HTTP/1.1\r\n");
  EXPECT_THAT(answer, AllOf(HasSubstr("Connection: close"), EndsWith("GET /a"), Not(HasSubstr("evil"))));
}

TEST(admin_server, refuses_what_is_not_http_and_heads_over_the_limit) {
  const auto server = start(echo);
  EXPECT_THAT(ask(*server, "garbage\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask(*server, "GET / HTTP/1.1\r\nX: " + std::string(10'000, 'x') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431 "));
}

TEST(admin_server, turns_an_exception_of_the_handler_into_a_500_without_its_text) {
  const auto server =
      start([](std::string_view, std::string_view) -> admin_answer { throw std::runtime_error("secret"); });
  EXPECT_THAT(ask(*server, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 500 "), Not(HasSubstr("secret"))));
}

TEST(admin_server, sends_a_large_page_whole) {
  const std::string page(5'000'000, 'm');
  const auto server = start([&](std::string_view, std::string_view) { return admin_answer{.body = page}; });
  EXPECT_THAT(ask(*server, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").size(), testing::Gt(page.size()));
}

TEST(admin_server, serves_at_most_32_connections) {
  const auto server = start(echo);
  std::vector<std::unique_ptr<connection>> open;
  for (int i = 0; i < 32; ++i) {
    open.push_back(std::make_unique<connection>(server->port()));
    open.back()->send("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(open.back()->read_until("GET /x"), EndsWith("GET /x"));
  }
  EXPECT_EQ(ask(*server, "GET /x HTTP/1.1\r\nHost: x\r\n\r\n"), "");
  open.pop_back();
  std::string answer;
  for (int i = 0; i < 1000 && answer.empty(); ++i) answer = ask(*server, "GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answer, EndsWith("GET /x"));
}

TEST(admin_server, says_when_the_address_is_taken) {
  const auto first = start(echo);
  const std::string address = "127.0.0.1:" + std::to_string(first->port());
  const auto second = admin_server::start(address, echo);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error(), AllOf(HasSubstr(address), HasSubstr("Address already in use")));
}

TEST(admin_server, says_what_an_address_must_look_like) {
  for (const auto* bad :
       {"", "9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", "host:1", "127.0.0.1:1 "}) {
    const auto started = admin_server::start(bad, echo);
    ASSERT_FALSE(started) << bad;
    EXPECT_THAT(started.error(), HasSubstr("IP:PORT"));
  }
  EXPECT_TRUE(admin_server::start("localhost:0", echo));
}

TEST(admin_server, ends_at_once_with_connections_open) {
  auto server = start(echo);
  connection idle(server->port());
  connection half(server->port());
  half.send("GET / HT");
  connection kept(server->port());
  kept.send("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(kept.read_until("GET /x"), EndsWith("GET /x"));
  server.reset();
  EXPECT_EQ(kept.read_to_end(), "");
  EXPECT_EQ(idle.read_to_end(), "");
}

}  // namespace
