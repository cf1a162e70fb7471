#include "tests/support/memory_exchange.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace tests {

using engine::http_errc;
using engine::http_failure;
using engine::http_response;

std::string seen_request::header(std::string_view name) const {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
  };
  for (const auto& [key, value] : headers) {
    if (std::ranges::equal(key, name, same)) return value;
  }
  return {};
}

memory_exchange::memory_exchange(script answers) : script_(std::move(answers)) {}

void memory_exchange::fail_at(std::size_t step) {
  const std::lock_guard lock(mutex_);
  fail_in_ = step;
  failed_ = false;
}

bool memory_exchange::has_failed() const {
  const std::lock_guard lock(mutex_);
  return failed_;
}

void memory_exchange::hold() {
  const std::lock_guard lock(mutex_);
  held_ = true;
}

void memory_exchange::release() {
  {
    const std::lock_guard lock(mutex_);
    held_ = false;
  }
  released_.notify();
}

void memory_exchange::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    held_ = false;
  }
  released_.notify();
}

std::vector<seen_request> memory_exchange::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::size_t memory_exchange::request_count() const {
  const std::lock_guard lock(mutex_);
  return requests_.size();
}

std::optional<http_failure> memory_exchange::step(http_errc code, bool request_sent) {
  const std::lock_guard lock(mutex_);
  if (closed_)
    return http_failure{.code = http_errc::cancelled, .message = "closed", .request_sent = request_sent, .head = {}};
  if (!fail_in_) return std::nullopt;
  if (*fail_in_ > 0) {
    --*fail_in_;
    return std::nullopt;
  }
  fail_in_.reset();
  failed_ = true;
  return http_failure{.code = code, .message = "made to fail", .request_sent = request_sent, .head = {}};
}

engine::task<std::expected<http_response, http_failure>> memory_exchange::exchange(engine::http_request request,
                                                                                   engine::exchange_options options) {
  if (auto lost = step(http_errc::resolve, false)) co_return std::unexpected(std::move(*lost));
  if (auto lost = step(http_errc::connect, false)) co_return std::unexpected(std::move(*lost));
  if (request.origin.tls) {
    if (auto lost = step(http_errc::tls, false)) co_return std::unexpected(std::move(*lost));
  }
  if (auto lost = step(http_errc::reset, false)) co_return std::unexpected(std::move(*lost));
  if (auto lost = step(http_errc::reset, true)) co_return std::unexpected(std::move(*lost));

  seen_request seen{.origin = request.origin,
                    .method = request.method,
                    .target = request.target,
                    .headers = request.headers,
                    .body = std::string(request.body)};
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(seen);
  }
  for (;;) {
    const auto version = released_.version();
    {
      const std::lock_guard lock(mutex_);
      if (!held_) break;
    }
    co_await released_.wait(version);
  }
  auto answer = script_(seen);
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  if (auto lost = step(http_errc::timeout, true)) co_return std::unexpected(std::move(*lost));
  if (auto lost = step(http_errc::malformed, true)) co_return std::unexpected(std::move(*lost));

  http_response out;
  out.head.status = answer->status;
  out.head.headers = std::move(answer->headers);
  if (answer->length_known) out.head.content_length = answer->body.size();
  const bool asked = answer->status >= 200 && answer->status < 300 && answer->length_known && !answer->body.empty() &&
                     options.headers_step;
  if (asked) {
    auto room = options.headers_step(out.head);
    if (!room) {
      co_return std::unexpected(http_failure{.code = http_errc::refused_by_caller,
                                             .message = "refused",
                                             .request_sent = true,
                                             .head = std::move(out.head)});
    }
    out.body = std::move(*room);
  } else {
    if (answer->body.size() > options.body_bytes_max) {
      co_return std::unexpected(http_failure{
          .code = http_errc::too_large, .message = "too large", .request_sent = true, .head = std::move(out.head)});
    }
    out.body = engine::buffer(answer->body.size());
  }
  if (auto lost = step(http_errc::reset, true)) co_return std::unexpected(std::move(*lost));
  if (auto lost = step(http_errc::timeout, true)) co_return std::unexpected(std::move(*lost));
  out.body.append(answer->body);
  co_return std::move(out);
}

scripted json(int status, std::string body, engine::http_headers more) {
  more.emplace_back("content-type", "application/json");
  return scripted_answer{.status = status, .headers = std::move(more), .body = std::move(body)};
}

}  // namespace tests
