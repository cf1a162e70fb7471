#include "engine/net/http_stream.hpp"

#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <optional>
#include <vector>

#include "engine/net/joined.hpp"
#include "engine/net/read_ready.hpp"

namespace engine {
namespace {

namespace beast = boost::beast;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using tls_stream = asio::ssl::stream<beast::tcp_stream>;

constexpr auto tokens = asio::as_tuple(asio::use_awaitable);

bool is_socket_error(const error_code& ec) {
  return ec.category() == boost::system::system_category() || ec == asio::error::broken_pipe;
}

// A lookup that answers, runs out of time or is cancelled; shared with the resolver, which may answer later than we
// wait.
struct lookup {
  explicit lookup(const executor& where) : answered(where) {}
  asio::steady_timer answered;  // cancelled: look at `result`
  std::optional<resolve_result> result;
};

}  // namespace

net_time net_now() { return std::chrono::steady_clock::now(); }

struct http_stream::state {
  state(executor at, tls_trusts& roots, const resolve_function& names)
      : where(std::move(at)), trusts(roots), resolve(names), tcp_layer(std::in_place, where) {}

  executor where;
  tls_trusts& trusts;
  const resolve_function& resolve;
  std::shared_ptr<tls_trust> trust;
  std::shared_ptr<tls_session_slot> session;   // declared before the TLS layer, which points to it
  std::optional<beast::tcp_stream> tcp_layer;  // in use until the TLS layer takes it over
  std::optional<tls_stream> tls_layer;
  std::shared_ptr<lookup> looking_up;
  error_code read_error;  // stands behind the bytes that the last read gave
  bool cancelled = false;

  [[nodiscard]] beast::tcp_stream& tcp() { return tls_layer ? tls_layer->next_layer() : *tcp_layer; }

  [[nodiscard]] stream_failure failure(const error_code& ec) const {
    if (cancelled) return {.code = http_errc::cancelled, .text = "the connection was closed by us"};
    if (ec == beast::error::timeout) return {.code = http_errc::timeout, .text = "time limit reached"};
    if (ec == asio::error::eof) {
      return {.code = http_errc::reset, .text = "the peer closed the connection", .orderly_end = true};
    }
    if (ec == asio::ssl::error::stream_truncated) {
      return {.code = http_errc::reset, .text = "the peer closed the connection without ending TLS"};
    }
    if (is_socket_error(ec)) return {.code = http_errc::reset, .text = ec.message()};
    return {.code = http_errc::tls, .text = ec.message()};
  }

  task<std::expected<std::vector<tcp::endpoint>, stream_failure>> addresses(const http_origin& origin, net_time limit);
  task<std::expected<void, stream_failure>> connect_tcp(const http_origin& origin, net_time limit);
  task<std::expected<void, stream_failure>> handshake(const http_origin& origin, net_time limit);
};

task<std::expected<std::vector<tcp::endpoint>, stream_failure>> http_stream::state::addresses(const http_origin& origin,
                                                                                              net_time limit) {
  const std::string name(without_brackets(origin.host));
  std::vector<tcp::endpoint> endpoints;
  error_code not_literal;
  const auto literal = asio::ip::make_address(name, not_literal);
  if (!not_literal) {
    endpoints.emplace_back(literal, origin.port);
    co_return endpoints;
  }
  const auto pending = std::make_shared<lookup>(where);
  looking_up = pending;
  pending->answered.expires_at(limit);
  resolve(name, [pending, at = where](const resolve_result& result) {
    // Back to our executor: the timer and the result belong to it.
    asio::post(at, [pending, result] {
      pending->result = result;
      pending->answered.cancel();
    });
  });
  co_await pending->answered.async_wait(tokens);
  looking_up.reset();
  if (cancelled) co_return std::unexpected(failure(asio::error::operation_aborted));
  if (!pending->result) {
    co_return std::unexpected(
        stream_failure{.code = http_errc::timeout, .text = joined("no answer to the lookup of ", name)});
  }
  if (!*pending->result) {
    co_return std::unexpected(stream_failure{.code = http_errc::resolve,
                                             .text = joined("cannot resolve ", name, ": ", pending->result->error())});
  }
  for (const auto& text : **pending->result) {
    error_code bad;
    const auto address = asio::ip::make_address(text, bad);
    if (!bad) endpoints.emplace_back(address, origin.port);
  }
  if (endpoints.empty()) {
    co_return std::unexpected(
        stream_failure{.code = http_errc::resolve, .text = joined(name, " has no usable address")});
  }
  co_return endpoints;
}

task<std::expected<void, stream_failure>> http_stream::state::connect_tcp(const http_origin& origin, net_time limit) {
  auto found = co_await addresses(origin, limit);
  if (!found) co_return std::unexpected(std::move(found).error());
  stream_failure last;
  std::size_t left = found->size();
  for (const auto& endpoint : *found) {
    if (cancelled) co_return std::unexpected(failure(asio::error::operation_aborted));
    // An equal share of the time for each address, so that a dead first one does not use up all of it.
    const auto start = net_now();
    const auto share = (limit - start) / static_cast<std::int64_t>(left--);
    tcp_layer->expires_at(start + share);
    auto [ec] = co_await tcp_layer->async_connect(endpoint, tokens);
    if (!ec && !cancelled) {
      error_code ignored;  // only a matter of speed
      tcp_layer->socket().set_option(tcp::no_delay(true), ignored);
      tcp_layer->socket().non_blocking(true, ignored);  // so that read_ready never waits
      co_return std::expected<void, stream_failure>();
    }
    last = failure(ec);
    if (last.code == http_errc::cancelled) break;
    const std::string why = ec == beast::error::timeout ? "timed out" : ec.message();
    last = {.code = http_errc::connect, .text = joined("cannot connect: ", why)};
    tcp_layer->socket().close(ec);
  }
  co_return std::unexpected(std::move(last));
}

task<std::expected<void, stream_failure>> http_stream::state::handshake(const http_origin& origin, net_time limit) {
  auto loaded = trusts.for_file(origin.ca_file);
  if (!loaded) co_return std::unexpected(stream_failure{.code = http_errc::tls, .text = std::move(loaded).error()});
  trust = *std::move(loaded);
  tls_layer.emplace(std::move(*tcp_layer), trust->context());
  tcp_layer.reset();
  SSL* const ssl = tls_layer->native_handle();
  auto prepared = trust->prepare(ssl, origin);
  if (!prepared) co_return std::unexpected(stream_failure{.code = http_errc::tls, .text = std::move(prepared).error()});
  session = *std::move(prepared);
  tcp().expires_at(limit);
  auto [ec] = co_await tls_layer->async_handshake(asio::ssl::stream_base::client, tokens);
  if (!ec && !cancelled) co_return std::expected<void, stream_failure>();
  auto failed = failure(ec);
  if (failed.code == http_errc::tls) {
    failed.text = tls_failure_text(ssl, origin.verify_name, failed.text);
  } else if (failed.code == http_errc::timeout) {
    failed.text = "no end of the TLS handshake";
  } else if (failed.code == http_errc::reset) {
    // Nothing was said about certificates or versions: as good as refused.
    failed.code = http_errc::connect;
    failed.orderly_end = false;
    failed.text = joined(failed.text, " in the TLS handshake");
  }
  co_return std::unexpected(std::move(failed));
}

http_stream::http_stream(executor where, tls_trusts& trusts, const resolve_function& resolve)
    : state_(std::make_unique<state>(std::move(where), trusts, resolve)) {}

http_stream::~http_stream() {
  if (state_->tls_layer) end_quietly(state_->tls_layer->native_handle());
}

task<std::expected<void, stream_failure>> http_stream::connect(http_origin origin, net_time limit) {
  if (state_->cancelled) co_return std::unexpected(state_->failure(asio::error::operation_aborted));
  auto connected = co_await state_->connect_tcp(origin, limit);
  if (!connected || !origin.tls) co_return connected;
  auto agreed = co_await state_->handshake(origin, limit);
  co_return agreed;
}

task<std::expected<std::size_t, stream_failure>> http_stream::read_some(std::span<char> into, net_time limit) {
  state& s = *state_;
  if (s.cancelled) co_return std::unexpected(s.failure(asio::error::operation_aborted));
  s.tcp().expires_at(limit);
  const asio::mutable_buffer target(into.data(), into.size());
  if (s.read_error) co_return std::unexpected(s.failure(s.read_error));
  error_code ec;
  std::size_t count = 0;
  if (s.tls_layer) {
    std::tie(ec, count) = co_await s.tls_layer->async_read_some(target, tokens);
    if (!ec && s.tcp().socket().non_blocking()) count += read_ready(*s.tls_layer, target + count, s.read_error);
  } else {
    std::tie(ec, count) = co_await s.tcp_layer->async_read_some(target, tokens);
  }
  if (ec) co_return std::unexpected(s.failure(ec));
  co_return count;
}

task<std::expected<std::size_t, stream_failure>> http_stream::write_some(byte_view first, byte_view second,
                                                                         net_time limit) {
  state& s = *state_;
  if (s.cancelled) co_return std::unexpected(s.failure(asio::error::operation_aborted));
  s.tcp().expires_at(limit);
  const std::array<asio::const_buffer, 2> source{asio::const_buffer(first.data(), first.size()),
                                                 asio::const_buffer(second.data(), second.size())};
  error_code ec;
  std::size_t count = 0;
  if (s.tls_layer) {
    std::tie(ec, count) = co_await s.tls_layer->async_write_some(source, tokens);
  } else {
    std::tie(ec, count) = co_await s.tcp_layer->async_write_some(source, tokens);
  }
  // What was written is reported although cancel() came meanwhile: the peer has it, and may act on it.
  if (ec) co_return std::unexpected(s.failure(ec));
  co_return count;
}

void http_stream::cancel() {
  state_->cancelled = true;
  if (state_->looking_up) state_->looking_up->answered.cancel();
  state_->tcp().close();
}

bool http_stream::quiet() const {
  const auto handle = state_->tcp().socket().native_handle();
  char byte = 0;
  const auto got = ::recv(handle, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  // Zero is a closed peer; bytes that nobody asked for are an end of TLS, or an answer to nothing.
  return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

void http_stream::rest() { state_->tcp().expires_never(); }

}  // namespace engine
