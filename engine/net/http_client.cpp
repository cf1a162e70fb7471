#include "engine/net/http_client.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <cctype>
#include <cstring>
#include <optional>

#include "engine/net/http_request_head.hpp"
#include "engine/net/joined.hpp"

namespace engine {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using response_parser = http::response_parser<http::buffer_body>;

// What one read may bring. With Beast's default growth a body costs 18 times as much.
constexpr std::size_t read_bytes = 64 * kib;
constexpr std::size_t first_growing_bytes = 16 * kib;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::string_view text_of(beast::string_view text) { return {text.data(), text.size()}; }

stream_failure malformed(std::string text) { return {.code = http_errc::malformed, .text = std::move(text)}; }

// The failure, with words of its own when it is a time limit.
std::unexpected<stream_failure> silent(stream_failure why, std::string_view words, duration limit) {
  if (why.code == http_errc::timeout) why.text = joined(words, format_duration(limit));
  return std::unexpected(std::move(why));
}

http_response_head head_of(const response_parser& parser) {
  http_response_head head;
  head.status = static_cast<int>(parser.get().result_int());
  for (const auto& field : parser.get()) {
    head.headers.emplace_back(lower(text_of(field.name_string())), text_of(field.value()));
  }
  const auto length = parser.content_length();
  if (length) head.content_length = *length;
  return head;
}

}  // namespace

// What lives only while an exchange runs; a parked connection holds none of it.
struct http_client::progress {
  explicit progress(const http_origin& peer) : origin(peer), bytes(read_bytes) { bytes.reserve(read_bytes); }
  const http_origin& origin;
  beast::flat_buffer bytes;               // read, not yet parsed
  std::optional<response_parser> parser;  // a new one for each interim answer
  http_client_result result;
  bool request_sent = false;

  void parse(error_code& ec) { bytes.consume(parser->put(bytes.data(), ec)); }
  http_client_result fail(stream_failure why) {
    result.reusable = false;
    result.answer = std::unexpected(http_failure{.code = why.code,
                                                 .message = joined(origin.host, ":", origin.port, ": ", why.text),
                                                 .request_sent = request_sent,
                                                 .head = std::nullopt});
    return std::move(result);
  }
};

http_client::http_client(executor where, http_origin origin, tls_trusts& trusts, const resolve_function& resolve)
    : where_(std::move(where)), origin_(std::move(origin)), stream_(where_, trusts, resolve) {}

task<http_client_result> http_client::exchange(std::shared_ptr<http_client> self, const http_request& request,
                                               exchange_options& options) {
  auto result = co_await self->run(request, options);
  if (result.reusable) self->stream_.rest();
  co_return result;
}

void http_client::cancel(const std::shared_ptr<http_client>& self) {
  asio::post(self->where_, [self] { self->stream_.cancel(); });
}

void http_client::dispose(std::shared_ptr<http_client> self) {
  const executor where = self->where_;
  asio::post(where, [last = std::move(self)]() mutable { last.reset(); });
}

task<http_client_result> http_client::run(const http_request& request, exchange_options& options) {
  progress now(origin_);
  const auto head_bytes = request_head(request);
  if (!head_bytes) co_return now.fail(malformed(head_bytes.error()));
  if (!connected_) {
    auto connected = co_await stream_.connect(origin_, net_now() + options.connect_max);
    if (!connected) co_return now.fail(std::move(connected).error());
    connected_ = true;
  }

  auto written = co_await write(now, *head_bytes, request.body, options.stall_max);
  // A service that refuses early (413, 401) answers and closes while we still write: the answer is worth more than the
  // broken pipe, if it can still be read.
  if (!written && written.error().code != http_errc::reset) co_return now.fail(std::move(written).error());

  auto began = co_await read_head(now, request, options.answer_max);
  if (!began) {
    const bool blame_write = !written && began.error().code == http_errc::reset;
    co_return now.fail(blame_write ? std::move(written).error() : std::move(began).error());
  }
  const auto& parser = *now.parser;
  http_response response;
  response.head = head_of(parser);
  if (!parser.is_done() && response.head.content_length) {
    const std::uint64_t length = *response.head.content_length;
    if (options.headers_step && response.head.status / 100 == 2) {
      auto given = options.headers_step(response.head);
      if (!given) {
        auto refused = now.fail({.code = http_errc::refused_by_caller, .text = "the announced answer was refused"});
        refused.answer.error().head = std::move(response.head);
        co_return refused;
      }
      response.body = *std::move(given);
      response.body.clear();
      if (response.body.capacity() < length) {
        co_return now.fail({.code = http_errc::too_large,
                            .text = joined(length, " bytes announced, ", response.body.capacity(), " bytes of room")});
      }
    } else {
      if (length > options.body_bytes_max) {
        co_return now.fail({.code = http_errc::too_large,
                            .text = joined(length, " bytes announced, the limit is ", options.body_bytes_max)});
      }
      response.body = buffer(static_cast<std::size_t>(length));
    }
    auto whole = co_await read_known(now, response.body, static_cast<std::size_t>(length), options.stall_max);
    if (!whole) co_return now.fail(std::move(whole).error());
  } else if (!parser.is_done()) {
    auto grown = co_await read_growing(now, options.body_bytes_max, options.stall_max);
    if (!grown) co_return now.fail(std::move(grown).error());
    response.body = *std::move(grown);
  }
  // Bytes after the answer belong to nothing we asked for: such a connection would answer the wrong question next.
  now.result.reusable = written && parser.keep_alive() && now.bytes.size() == 0;
  now.result.answer = std::move(response);
  co_return std::move(now.result);
}

task<std::expected<void, stream_failure>> http_client::write(progress& now, byte_view head, byte_view body,
                                                             duration stall_max) {
  while (!head.empty() || !body.empty()) {
    auto count = co_await stream_.write_some(head, body, net_now() + stall_max);
    if (!count) co_return silent(std::move(count).error(), "the request was not taken for ", stall_max);
    const std::size_t of_head = std::min(*count, head.size());
    head.remove_prefix(of_head);
    body.remove_prefix(*count - of_head);
  }
  now.request_sent = true;
  co_return std::expected<void, stream_failure>();
}

task<std::expected<void, stream_failure>> http_client::read_head(progress& now, const http_request& request,
                                                                 duration answer_max) {
  const auto limit = net_now() + answer_max;  // for all of it: a head that trickles in does not get more
  for (int interim = 0;; ++interim) {
    if (interim > interim_answers_max) co_return std::unexpected(malformed("too many interim answers"));
    auto& parser = now.parser.emplace();
    parser.header_limit(static_cast<std::uint32_t>(response_head_bytes_max));
    parser.body_limit(boost::none);  // lengths are checked here, against limits that differ by answer
    parser.skip(request.method == "HEAD");
    while (!parser.is_header_done()) {
      error_code ec;
      if (now.bytes.size() > 0) now.parse(ec);
      if (ec && ec != http::error::need_more) {
        co_return std::unexpected(malformed(joined("not an HTTP answer: ", ec.message())));
      }
      if (parser.is_header_done()) break;
      const auto space = now.bytes.prepare(now.bytes.capacity() - now.bytes.size());
      const std::span<char> into(static_cast<char*>(space.data()), space.size());
      auto count = co_await stream_.read_some(into, limit);
      if (!count) co_return silent(std::move(count).error(), "no answer within ", answer_max);
      now.bytes.commit(*count);
      now.result.answer_began = true;
    }
    const auto status = parser.get().result_int();
    if (status < 100 || status > 999 || status == 101) {
      co_return std::unexpected(malformed(joined("status ", status, " is no answer to this request")));
    }
    const auto fields = std::distance(parser.get().begin(), parser.get().end());
    if (static_cast<std::size_t>(fields) > response_head_fields_max) {
      co_return std::unexpected(malformed("too many header fields"));
    }
    if (parser.get().has_content_length() && parser.chunked()) {
      co_return std::unexpected(malformed("both a length and chunks are announced"));
    }
    if (parser.get().count(http::field::transfer_encoding) > 0 && !parser.chunked()) {
      co_return std::unexpected(malformed("a transfer encoding other than chunked"));
    }
    if (status / 100 != 1) co_return std::expected<void, stream_failure>();
  }
}

task<std::expected<void, stream_failure>> http_client::read_known(progress& now, buffer& body, std::size_t length,
                                                                  duration stall_max) {
  const std::size_t came_with_head = std::min(length, now.bytes.size());
  body.append({static_cast<const char*>(now.bytes.data().data()), came_with_head});
  now.bytes.consume(came_with_head);
  while (body.size() < length) {
    const auto rest = body.spare().first(length - body.size());
    auto count = co_await stream_.read_some(rest, net_now() + stall_max);
    if (!count) {
      auto why = silent(std::move(count).error(), "silent for ", stall_max);
      why.error().text += joined(" after ", body.size(), " of ", length, " bytes of the body");
      co_return why;
    }
    body.resize(body.size() + *count);
  }
  co_return std::expected<void, stream_failure>();
}

task<std::expected<buffer, stream_failure>> http_client::read_growing(progress& now, std::size_t bytes_max,
                                                                      duration stall_max) {
  auto& parser = *now.parser;
  buffer body(std::min(first_growing_bytes, bytes_max));
  while (!parser.is_done()) {
    error_code ec;
    if (now.bytes.size() > 0) {
      auto& target = parser.get().body();
      const auto room = body.spare();
      target.data = room.data();
      target.size = room.size();
      target.more = true;
      now.parse(ec);
      body.resize(body.size() + (room.size() - target.size));
      if (ec == http::error::need_buffer) {
        if (body.capacity() == bytes_max) {
          co_return std::unexpected(stream_failure{
              .code = http_errc::too_large, .text = joined("the body is over its limit of ", bytes_max, " bytes")});
        }
        buffer larger(std::min(bytes_max, body.capacity() * 2));
        larger.append(body.view());
        body = std::move(larger);
        continue;
      }
      if (ec && ec != http::error::need_more) {
        co_return std::unexpected(malformed(joined("the body cannot be read: ", ec.message())));
      }
      if (parser.is_done()) break;
      if (!ec && now.bytes.size() > 0) continue;
      if (now.bytes.size() == now.bytes.capacity()) co_return std::unexpected(malformed("a chunk's head is too long"));
    }
    const auto space = now.bytes.prepare(now.bytes.capacity() - now.bytes.size());
    const std::span<char> into(static_cast<char*>(space.data()), space.size());
    auto count = co_await stream_.read_some(into, net_now() + stall_max);
    if (!count) {
      auto why = std::move(count).error();
      if (why.orderly_end && parser.need_eof()) {
        parser.put_eof(ec);
        if (!ec && parser.is_done()) break;
      }
      co_return silent(std::move(why), "silent in the body for ", stall_max);
    }
    now.bytes.commit(*count);
  }
  co_return body;
}

}  // namespace engine
