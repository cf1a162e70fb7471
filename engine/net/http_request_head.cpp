#include "engine/net/http_request_head.hpp"

#include <algorithm>
#include <cctype>

#include "engine/net/joined.hpp"

namespace engine {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool is_token_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || std::string_view("!#$%&'*+-.^_`|~").contains(c);
}

bool is_token(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_token_character); }

bool is_value(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return is_control(c) && c != '\t'; });
}

bool is_target(std::string_view text) {
  return text.starts_with('/') && std::ranges::none_of(text, [](char c) { return is_control(c) || c == ' '; });
}

bool equal_without_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
  });
}

}  // namespace

std::expected<std::string, std::string> request_head(const http_request& request) {
  if (!is_token(request.method)) return std::unexpected("the request's method is not a word");
  if (!is_target(request.target))
    return std::unexpected("the request's target is not a path without control characters");
  std::string head = joined(request.method, " ", request.target, " HTTP/1.1\r\n");
  for (const auto& [name, value] : request.headers) {
    if (!is_token(name)) return std::unexpected("a name among the request's headers is not a word");
    if (!is_value(value)) return std::unexpected(joined("the request's header ", name, " holds a control character"));
    if (equal_without_case(name, "content-length")) continue;
    head += joined(name, ": ", value, "\r\n");
  }
  const bool length_expected = request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  if (length_expected || !request.body.empty()) head += joined("Content-Length: ", request.body.size(), "\r\n");
  head += "\r\n";
  return head;
}

bool expects_no_body(const http_request& request, int status) {
  return request.method == "HEAD" || status == 204 || status == 304;
}

}  // namespace engine
