// A request as the bytes of its head. Pure.
#pragma once

#include <expected>
#include <string>

#include "engine/flow/http_message.hpp"

namespace engine {

// Content-Length is ours: one in the headers is left out. A line break or another control character anywhere, which
// could turn one request into two, is an error; its text names the place, never the value.
std::expected<std::string, std::string> request_head(const http_request&);

bool expects_no_body(const http_request&, int status);  // in the answer

}  // namespace engine
