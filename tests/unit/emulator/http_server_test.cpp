#include "tools/emulator/http_server.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace emulator {
namespace {

// A client that sends exactly the bytes it is given. Reading gives up after 20 s.
class raw_client {
 public:
  explicit raw_client(std::uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval patience{20, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto* address = static_cast<const sockaddr*>(static_cast<const void*>(&at));
    EXPECT_EQ(connect(socket_, address, sizeof at), 0);
  }
  ~raw_client() { close(socket_); }
  raw_client(const raw_client&) = delete;
  raw_client& operator=(const raw_client&) = delete;

  void send_all(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;  // the server may have closed already; what it said is read below
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  // Up to and with the marker, or what came before the end.
  std::string read_until(std::string_view marker) {
    while (held_.find(marker) == std::string::npos && read_more()) {
    }
    const auto found = held_.find(marker);
    return take(found == std::string::npos ? held_.size() : found + marker.size());
  }
  std::string read_exactly(std::size_t size) {
    while (held_.size() < size && read_more()) {
    }
    return take(std::min(size, held_.size()));
  }
  // Head, then the body its content-length names.
  std::string read_response() {
    auto head = read_until("\r\n\r\n");
    const auto at = head.find("content-length: ");
    if (at == std::string::npos) return head;
    return head + read_exactly(std::stoul(head.substr(at + 16)));
  }
  // True when the server closes without another byte.
  bool at_end() { return held_.empty() && !read_more(); }

 private:
  bool read_more() {
    char piece[65536];
    const auto got = recv(socket_, piece, sizeof piece, 0);
    if (got <= 0) return false;
    held_.append(piece, static_cast<std::size_t>(got));
    return true;
  }
  std::string take(std::size_t size) {
    auto text = held_.substr(0, size);
    held_.erase(0, size);
    return text;
  }

  int socket_;
  std::string held_;
};

// Answers with what it understood.
response echo(const request& r) {
  response answer;
  answer.set("x-target", r.target);
  answer.set("x-host", std::string(r.header("host")));
  answer.text(r.method + " " + r.path + " " + std::to_string(r.body.size()) + " " + r.body.substr(0, 20));
  return answer;
}

http_server_options small_limits() {
  http_server_options options;
  options.header_bytes_max = 4096;
  options.body_bytes_max = 100'000;
  return options;
}

std::string body_of(const std::string& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }
std::string status_of(const std::string& answer) { return answer.substr(0, answer.find("\r\n")); }

class http_server_test : public testing::Test {
 protected:
  http_server server_{small_limits(), {.handle = echo}};
  raw_client client_{server_.port()};
};

TEST_F(http_server_test, keeps_the_connection_for_further_requests) {
  for (int i = 0; i < 3; ++i) {
    client_.send_all("GET /a?x=1 HTTP/1.1\r\nHost: p.example:80\r\n\r\n");
    const auto answer = client_.read_response();
    EXPECT_EQ(status_of(answer), "HTTP/1.1 200 OK");
    EXPECT_NE(answer.find("x-target: /a?x=1\r\n"), std::string::npos);
    EXPECT_NE(answer.find("x-host: p.example:80\r\n"), std::string::npos);
    EXPECT_NE(answer.find("connection: keep-alive\r\n"), std::string::npos);
    EXPECT_EQ(body_of(answer), "GET /a 0 ");
  }
}

TEST_F(http_server_test, answers_requests_that_arrive_together) {
  client_.send_all("POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(body_of(client_.read_response()), "POST /1 3 abc");
  EXPECT_EQ(body_of(client_.read_response()), "GET /2 0 ");
}

TEST_F(http_server_test, closes_when_asked_to) {
  client_.send_all("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_NE(client_.read_response().find("connection: close\r\n"), std::string::npos);
  EXPECT_TRUE(client_.at_end());
}

TEST_F(http_server_test, reads_bodies_of_known_length_in_any_pieces) {
  const std::string body(90'000, 'b');
  client_.send_all("POST /up HTTP/1.1\r\nHost: h\r\nContent-Length: 90000\r\n\r\nbb");
  client_.send_all(body.substr(2, 50'000));
  client_.send_all(body.substr(50'002));
  EXPECT_EQ(body_of(client_.read_response()), "POST /up 90000 " + std::string(20, 'b'));
}

TEST_F(http_server_test, reads_chunked_bodies) {
  client_.send_all(
      "POST /up HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n");
  client_.send_all("0\r\nTrailer: t\r\n\r\nGET /next HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(body_of(client_.read_response()), "POST /up 11 hello world");
  EXPECT_EQ(body_of(client_.read_response()), "GET /next 0 ");
}

TEST_F(http_server_test, lets_a_client_go_on_that_waits_for_it) {
  client_.send_all("POST /up HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client_.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client_.send_all("body");
  EXPECT_EQ(body_of(client_.read_response()), "POST /up 4 body");
}

TEST_F(http_server_test, takes_targets_in_absolute_form) {
  client_.send_all("GET http://p.example/logstores?a=b HTTP/1.1\r\nHost: p.example\r\n\r\n");
  EXPECT_NE(client_.read_response().find("x-target: /logstores?a=b\r\n"), std::string::npos);
}

TEST_F(http_server_test, answers_head_with_the_length_but_no_body) {
  client_.send_all("HEAD /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_NE(client_.read_until("\r\n\r\n").find("content-length: 10\r\n"), std::string::npos);
  EXPECT_EQ(body_of(client_.read_response()), "GET /b 0 ");
}

TEST_F(http_server_test, refuses_garbage_and_closes) {
  client_.send_all("\x16\x03\x01 this is no HTTP\r\n\r\n");
  EXPECT_EQ(status_of(client_.read_response()), "HTTP/1.1 400 Bad Request");
  EXPECT_TRUE(client_.at_end());
}

TEST_F(http_server_test, refuses_a_header_beyond_its_limit) {
  client_.send_all("GET / HTTP/1.1\r\nHost: h\r\nX-Long: " + std::string(5000, 'x') + "\r\n\r\n");
  EXPECT_EQ(status_of(client_.read_response()), "HTTP/1.1 431 Request Header Fields Too Large");
}

TEST_F(http_server_test, refuses_bodies_beyond_their_limit_without_reading_them) {
  client_.send_all("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999\r\n\r\n");
  EXPECT_EQ(status_of(client_.read_response()), "HTTP/1.1 413 Payload Too Large");
  raw_client chunked(server_.port());
  chunked.send_all("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n30000\r\n" +
                   std::string(0x30000, 'x'));
  EXPECT_EQ(status_of(chunked.read_response()), "HTTP/1.1 413 Payload Too Large");
}

TEST_F(http_server_test, serves_many_connections_at_once) {
  std::vector<std::unique_ptr<raw_client>> clients;
  for (int i = 0; i < 50; ++i) {
    clients.push_back(std::make_unique<raw_client>(server_.port()));
    clients.back()->send_all("POST /n HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nx");  // one byte short
  }
  for (auto& client : clients) client->send_all("y");
  for (auto& client : clients) EXPECT_EQ(body_of(client->read_response()), "POST /n 2 xy");
}

TEST(http_server_delivery, a_reset_before_the_body_closes_with_the_body_unread) {
  std::atomic<int> handled{0};
  http_handlers handlers;
  handlers.handle = [&](const request&) {
    ++handled;
    return response{};
  };
  handlers.resets_before = [](const request& r) { return r.path == "/reset"; };
  const http_server server({}, handlers);
  raw_client client(server.port());
  client.send_all("POST /reset HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n");
  EXPECT_TRUE(client.at_end());
  EXPECT_EQ(handled, 0);
}

TEST(http_server_delivery, closes_without_answer_drips_and_answers_apart) {
  const auto body = std::make_shared<const std::string>(100'000, 'z');
  http_handlers handlers;
  handlers.handle = [&](const request& r) {
    response answer;
    answer.body = body;
    if (r.path == "/lost") answer.how = delivery::close_without_answer;
    if (r.path == "/slow") answer.drip = std::chrono::milliseconds(40);
    if (r.path == "/held") answer.hold = std::chrono::milliseconds(20);
    if (r.path == "/none") answer.status = 204;
    if (r.path == "/throws") throw std::runtime_error("broken");
    return answer;
  };
  handlers.runs_apart = [](const request& r) { return r.path == "/apart"; };
  const http_server server({}, handlers);
  for (const auto* path : {"/plain", "/slow", "/held", "/apart"}) {
    raw_client client(server.port());
    client.send_all(std::string("GET ") + path + " HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(body_of(client.read_response()), *body) << path;
  }
  raw_client lost(server.port());
  lost.send_all("GET /lost HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(lost.at_end());
  raw_client none(server.port());
  none.send_all("GET /none HTTP/1.1\r\nHost: h\r\n\r\nGET /throws HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto empty = none.read_response();
  EXPECT_EQ(status_of(empty), "HTTP/1.1 204 No Content");
  EXPECT_EQ(empty.find("content-length"), std::string::npos);
  EXPECT_EQ(status_of(none.read_response()), "HTTP/1.1 500 Internal Server Error");
}

TEST(http_server_delivery, a_taken_port_is_an_error) {
  const http_server first({}, {.handle = echo});
  http_server_options same;
  same.port = first.port();
  EXPECT_ANY_THROW(http_server(same, {.handle = echo}));
}

}  // namespace
}  // namespace emulator
