#include "engine/net/http_request_head.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

namespace engine {
namespace {

http_request request(std::string method, std::string target, http_headers headers = {}, byte_view body = {}) {
  return {.origin = {},
          .method = std::move(method),
          .target = std::move(target),
          .headers = std::move(headers),
          .body = body};
}

std::string head(const http_request& wanted) {
  const auto made = request_head(wanted);
  return made ? *made : "error: " + made.error();
}

TEST(http_request_head, is_the_request_line_the_headers_in_their_order_and_an_empty_line) {
  EXPECT_EQ(head(request("GET", "/a%20b?c=d&e", {{"Host", "h:8080"}, {"X-B", "2"}, {"X-A", "1"}, {"X-B", "3"}})),
            "GET /a%20b?c=d&e HTTP/1.1\r\nHost: h:8080\r\nX-B: 2\r\nX-A: 1\r\nX-B: 3\r\n\r\n");
  EXPECT_EQ(head(request("DELETE", "/")), "DELETE / HTTP/1.1\r\n\r\n");
}

TEST(http_request_head, announces_a_body_where_there_is_one_and_where_servers_expect_one) {
  for (const char* method : {"POST", "PUT", "PATCH"}) {
    EXPECT_EQ(head(request(method, "/")), std::string(method) + " / HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
  }
  for (const char* method : {"POST", "GET", "DELETE"}) {
    EXPECT_EQ(head(request(method, "/", {}, "12345678901")),
              std::string(method) + " / HTTP/1.1\r\nContent-Length: 11\r\n\r\n");
  }
  for (const char* method : {"GET", "HEAD", "DELETE"}) {
    EXPECT_EQ(head(request(method, "/")), std::string(method) + " / HTTP/1.1\r\n\r\n");
  }
}

// Two lengths, or a wrong one, would let the peer see another request than the one we sent.
TEST(http_request_head, leaves_out_every_length_but_its_own) {
  for (const char* name : {"Content-Length", "content-length", "CONTENT-LENGTH"}) {
    EXPECT_EQ(head(request("POST", "/", {{name, "99"}, {"A", "b"}, {name, "7"}}, "xyz")),
              "POST / HTTP/1.1\r\nA: b\r\nContent-Length: 3\r\n\r\n");
    EXPECT_EQ(head(request("GET", "/", {{name, "99"}})), "GET / HTTP/1.1\r\n\r\n");
  }
  EXPECT_EQ(head(request("GET", "/", {{"Content-Lengths", "9"}})), "GET / HTTP/1.1\r\nContent-Lengths: 9\r\n\r\n");
}

TEST(http_request_head, has_a_word_for_a_method) {
  EXPECT_EQ(head(request("M-SEARCH", "/")), "M-SEARCH / HTTP/1.1\r\n\r\n");
  for (const char* bad : {"", "GE T", "GET\r\n", "GET\t", "GET/", "G(T", "G\xc3\x89T"}) {
    EXPECT_EQ(head(request(bad, "/")), "error: the request's method is not a word") << bad;
  }
}

TEST(http_request_head, has_a_path_for_a_target) {
  EXPECT_EQ(head(request("GET", "//x/../y;a='()!*")), "GET //x/../y;a='()!* HTTP/1.1\r\n\r\n");
  for (const char* bad : {"", "a", "?a", "*", "http://h/", "/a b", "/a\r\nX: y", "/a\n", "/a\tb", "/\x7f"}) {
    EXPECT_EQ(head(request("GET", bad)), "error: the request's target is not a path without control characters") << bad;
  }
  EXPECT_EQ(head(request("GET", std::string("/a\0b", 4))),
            "error: the request's target is not a path without control characters");
}

TEST(http_request_head, has_words_for_names) {
  EXPECT_EQ(head(request("GET", "/", {{"!#$%&'*+-.^_`|~09azAZ", "v"}})),
            "GET / HTTP/1.1\r\n!#$%&'*+-.^_`|~09azAZ: v\r\n\r\n");
  for (const char* bad : {"", "A B", "A:", "A\r\nB", "A\"", "A(B)", "A/B", "A@B", "A[", "A{", "\xc3\xa9"}) {
    EXPECT_EQ(head(request("GET", "/", {{bad, "secret"}})), "error: a name among the request's headers is not a word")
        << bad;
  }
  EXPECT_EQ(head(request("GET", "/", {{std::string("A\0", 2), "v"}})),
            "error: a name among the request's headers is not a word");
}

TEST(http_request_head, has_values_without_control_characters_and_repeats_none_in_an_error) {
  EXPECT_EQ(head(request("GET", "/", {{"A", "b c\td~\xc3\xa9"}, {"B", ""}})),
            "GET / HTTP/1.1\r\nA: b c\td~\xc3\xa9\r\nB: \r\n\r\n");
  for (int control = 0; control < 128; ++control) {
    if (control == '\t' || (control >= 0x20 && control != 0x7f)) continue;
    const std::string value = std::string("secret") + static_cast<char>(control) + "X: y";
    EXPECT_EQ(head(request("GET", "/", {{"Fine", "1"}, {"Authorization", value}})),
              "error: the request's header Authorization holds a control character")
        << control;
  }
  // A length that is left out anyway is looked at all the same.
  EXPECT_EQ(head(request("GET", "/", {{"Content-Length", "1\r\n"}})),
            "error: the request's header Content-Length holds a control character");
}

TEST(http_request_head, knows_which_answers_have_no_body) {
  for (const int status : {200, 204, 304, 404}) EXPECT_TRUE(expects_no_body(request("HEAD", "/"), status)) << status;
  for (const char* method : {"GET", "POST", "head"}) {
    EXPECT_TRUE(expects_no_body(request(method, "/"), 204)) << method;
    EXPECT_TRUE(expects_no_body(request(method, "/"), 304)) << method;
    for (const int status : {200, 201, 205, 303, 400, 500}) {
      EXPECT_FALSE(expects_no_body(request(method, "/"), status)) << method << ' ' << status;
    }
  }
}

}  // namespace
}  // namespace engine
