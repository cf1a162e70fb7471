#include "http_server.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstring>
#include <iostream>
#include <optional>
#include <thread>
#include <vector>

namespace emulator {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using tls_stream = asio::ssl::stream<beast::tcp_stream>;

constexpr auto as_values = asio::as_tuple(asio::use_awaitable);
// Beast reads into what the buffer has left: an empty default buffer would read 512 bytes at a time.
constexpr std::size_t read_buffer_bytes = 64U << 10U;
// Up to this size head and body leave as one piece: one TLS record instead of two.
constexpr std::size_t joined_bytes_max = 16U << 10U;
constexpr int drip_pieces = 20;

struct server_parts {
  http_server_options options;
  http_handlers handlers;
  asio::thread_pool apart{1};
};

std::string head_of(const response& answer, bool keep_alive) {
  std::string head = "HTTP/1.1 " + std::to_string(answer.status) + " ";
  head += std::string_view(http::obsolete_reason(http::int_to_status(static_cast<unsigned>(answer.status))));
  head += "\r\n";
  for (const auto& [name, value] : answer.headers) head += name + ": " + value + "\r\n";
  if (answer.status != 204) head += "content-length: " + std::to_string(answer.body ? answer.body->size() : 0) + "\r\n";
  return head += keep_alive ? "connection: keep-alive\r\n\r\n" : "connection: close\r\n\r\n";
}

response plain_answer(int status, std::string text) {
  response answer;
  answer.status = status;
  answer.set("content-type", "text/plain");
  answer.text(std::move(text));
  answer.how = delivery::send_then_close;
  return answer;
}

request head_values(const http::request<http::empty_body>& message) {
  request r;
  r.method = std::string(message.method_string());
  for (const auto& field : message) {
    std::string name(field.name_string());
    std::ranges::transform(name, name.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    r.headers.emplace_back(std::move(name), std::string(field.value()));
  }
  set_target(r, std::string_view(message.target().data(), message.target().size()));
  return r;
}

asio::awaitable<response> run_apart(const http_handlers& handlers, const request& r) { co_return handlers.handle(r); }

// One connection, from its first request to its end.
template <class stream_type>
class session {
 public:
  session(stream_type stream, std::shared_ptr<server_parts> parts)
      : stream_(std::move(stream)), parts_(std::move(parts)) {
    buffer_.reserve(read_buffer_bytes);
  }

  asio::awaitable<void> run() {
    bool open = true;
    if constexpr (std::is_same_v<stream_type, tls_stream>) {
      expect_progress();
      const auto [error] = co_await stream_.async_handshake(asio::ssl::stream_base::server, as_values);
      open = !error;
    }
    while (open) {
      open = co_await serve_one();
    }
    error_code ignored;
    lowest().socket().shutdown(tcp::socket::shutdown_send, ignored);
    lowest().socket().close(ignored);
  }

 private:
  using header_parser = http::request_parser<http::empty_body>;

  beast::tcp_stream& lowest() { return beast::get_lowest_layer(stream_); }
  void expect_progress() { lowest().expires_after(parts_->options.idle_max); }

  void reset() {
    error_code ignored;
    lowest().socket().set_option(asio::socket_base::linger(true, 0), ignored);
    lowest().socket().close(ignored);
  }

  // False: the connection is to end.
  asio::awaitable<bool> serve_one() {
    header_parser parser;
    parser.header_limit(parts_->options.header_bytes_max);
    parser.body_limit(boost::none);  // checked where the body is read
    expect_progress();
    const auto [error, size] = co_await http::async_read_header(stream_, buffer_, parser, as_values);
    if (error) {
      co_return co_await refuse_head(error);
    }
    request r = head_values(parser.get());
    const bool keep_alive = parser.keep_alive();
    const bool head_only = parser.get().method() == http::verb::head;
    if (parts_->handlers.resets_before(r)) {
      reset();
      co_return false;
    }
    const bool read = co_await read_body(parser, r);
    if (!read) {
      co_return false;
    }
    const response answer = co_await answer_to(r);
    co_return co_await send(answer, keep_alive, head_only);
  }

  asio::awaitable<bool> refuse_head(error_code error) {
    if (error == http::error::header_limit) {
      const auto answer = plain_answer(431, "the request header is too large\n");
      co_return co_await send(answer, false, false);
    }
    // Not HTTP at all, as opposed to a connection that ended.
    const bool garbage = error.category() == http::make_error_code(http::error::bad_method).category() &&
                         error != http::error::end_of_stream && error != http::error::partial_message;
    if (garbage) {
      const auto answer = plain_answer(400, "not an HTTP request: " + error.message() + "\n");
      co_return co_await send(answer, false, false);
    }
    co_return false;
  }

  // False: there is no request to answer (what there was to say is sent).
  asio::awaitable<bool> read_body(header_parser& parser, request& r) {
    const auto length = parser.content_length();
    if (length && *length > parts_->options.body_bytes_max) {
      const auto answer = plain_answer(413, "the request body is too large\n");
      co_await send(answer, false, false);
      co_return false;
    }
    const bool awaited = beast::iequals(parser.get()[http::field::expect], "100-continue");
    if (awaited) {
      constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
      expect_progress();
      const auto [error, size] = co_await asio::async_write(stream_, asio::buffer(go_on), as_values);
      if (error) co_return false;
    }
    if (parser.chunked()) {
      co_return co_await read_chunks(parser, r);
    }
    if (!length || *length == 0) co_return true;
    r.body.resize(*length);
    const auto have = std::min<std::size_t>(buffer_.size(), r.body.size());
    std::memcpy(r.body.data(), buffer_.data().data(), have);
    buffer_.consume(have);
    std::size_t filled = have;
    while (filled < r.body.size()) {
      expect_progress();
      const auto rest = asio::buffer(r.body) + filled;
      const auto [error, size] = co_await stream_.async_read_some(rest, as_values);
      if (error) co_return false;
      filled += size;
    }
    co_return true;
  }

  asio::awaitable<bool> read_chunks(header_parser& parser, request& r) {
    http::request_parser<http::string_body> whole(std::move(parser));
    whole.body_limit(parts_->options.body_bytes_max);
    expect_progress();
    const auto [error, size] = co_await http::async_read(stream_, buffer_, whole, as_values);
    if (error) {
      const bool too_large = error == http::error::body_limit;
      const auto answer = too_large ? plain_answer(413, "the request body is too large\n")
                                    : plain_answer(400, "the chunked body is malformed\n");
      co_await send(answer, false, false);
      co_return false;
    }
    r.body = std::move(whole.get().body());
    co_return true;
  }

  asio::awaitable<response> answer_to(const request& r) {
    response answer;
    try {
      if (parts_->handlers.runs_apart(r)) {
        lowest().expires_never();
        auto work = asio::co_spawn(parts_->apart.get_executor(), run_apart(parts_->handlers, r), asio::use_awaitable);
        answer = co_await std::move(work);
      } else {
        answer = parts_->handlers.handle(r);
      }
    } catch (const std::exception& broken) {
      answer = plain_answer(500, std::string("the emulator failed: ") + broken.what() + "\n");
    }
    co_return answer;
  }

  asio::awaitable<void> pause(std::chrono::milliseconds time) {
    lowest().expires_never();
    asio::steady_timer timer(stream_.get_executor(), time);
    co_await timer.async_wait(as_values);
  }

  asio::awaitable<bool> send(const response& answer, bool keep_alive, bool head_only) {
    if (answer.hold.count() > 0) co_await pause(answer.hold);
    if (answer.how == delivery::close_without_answer) {
      reset();
      co_return false;
    }
    keep_alive = keep_alive && answer.how == delivery::normal;
    std::string head = head_of(answer, keep_alive);
    const bool has_body = answer.body && !answer.body->empty() && !head_only && answer.status != 204;
    bool sent = false;
    if (has_body && answer.drip.count() > 0) {
      sent = co_await send_slowly(head, *answer.body, answer.drip);
    } else if (has_body && head.size() + answer.body->size() > joined_bytes_max) {
      const std::array<asio::const_buffer, 2> both{asio::buffer(head), asio::buffer(*answer.body)};
      expect_progress();
      const auto [error, size] = co_await asio::async_write(stream_, both, as_values);
      sent = !error;
    } else {
      if (has_body) head += *answer.body;
      expect_progress();
      const auto [error, size] = co_await asio::async_write(stream_, asio::buffer(head), as_values);
      sent = !error;
    }
    co_return sent&& keep_alive;
  }

  asio::awaitable<bool> send_slowly(const std::string& head, const std::string& body, std::chrono::milliseconds time) {
    const auto [head_error, head_size] = co_await asio::async_write(stream_, asio::buffer(head), as_values);
    if (head_error) co_return false;
    const std::size_t piece = body.size() / drip_pieces + 1;
    for (std::size_t at = 0; at < body.size(); at += piece) {
      co_await pause(time / drip_pieces);
      expect_progress();
      const auto part = asio::buffer(body.data() + at, std::min(piece, body.size() - at));
      const auto [error, size] = co_await asio::async_write(stream_, part, as_values);
      if (error) co_return false;
    }
    co_return true;
  }

  stream_type stream_;
  std::shared_ptr<server_parts> parts_;
  beast::flat_buffer buffer_;
};

template <class stream_type>
asio::awaitable<void> serve(stream_type stream, std::shared_ptr<server_parts> parts) {
  session<stream_type> one(std::move(stream), std::move(parts));
  co_await one.run();
}

void report_failure(std::exception_ptr failure) {
  if (!failure) return;
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& broken) {
    std::cerr << "penstock-emulator: a connection failed: " << broken.what() << '\n';
  }
}

}  // namespace

struct http_server::state {
  std::shared_ptr<server_parts> parts = std::make_shared<server_parts>();
  asio::io_context work;
  asio::io_context accepting{1};
  asio::executor_work_guard<asio::io_context::executor_type> keep_working{work.get_executor()};
  asio::ssl::context tls{asio::ssl::context::tls_server};
  bool with_tls = false;
  tcp::acceptor acceptor{accepting};
  std::vector<std::thread> threads;

  asio::awaitable<void> accept() {
    while (true) {
      auto [error, socket] = co_await acceptor.async_accept(asio::make_strand(work), as_values);
      if (error == asio::error::operation_aborted || !acceptor.is_open()) co_return;
      if (error) continue;
      error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      const auto executor = socket.get_executor();
      if (with_tls) {
        asio::co_spawn(executor, serve(tls_stream(beast::tcp_stream(std::move(socket)), tls), parts), report_failure);
      } else {
        asio::co_spawn(executor, serve(beast::tcp_stream(std::move(socket)), parts), report_failure);
      }
    }
  }
};

http_server::http_server(const http_server_options& options, http_handlers handlers)
    : state_(std::make_unique<state>()) {
  state_->parts->options = options;
  state_->parts->handlers = std::move(handlers);
  if (!options.certificate_file.empty()) {
    state_->tls.set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
    state_->tls.use_certificate_chain_file(options.certificate_file);
    state_->tls.use_private_key_file(options.key_file, asio::ssl::context::pem);
    state_->with_tls = true;
  }
  const tcp::endpoint at(asio::ip::make_address(options.address), options.port);
  state_->acceptor.open(at.protocol());
  state_->acceptor.set_option(tcp::acceptor::reuse_address(true));
  state_->acceptor.bind(at);
  state_->acceptor.listen(4096);
  asio::co_spawn(state_->accepting, state_->accept(), report_failure);
  state_->threads.emplace_back([s = state_.get()] { s->accepting.run(); });
  for (std::size_t i = 0; i < std::max<std::size_t>(options.threads, 1); ++i) {
    state_->threads.emplace_back([s = state_.get()] { s->work.run(); });
  }
}

http_server::~http_server() {
  state_->accepting.stop();
  state_->work.stop();
  for (auto& thread : state_->threads) thread.join();
  state_->parts->apart.join();
}

std::uint16_t http_server::port() const { return state_->acceptor.local_endpoint().port(); }

}  // namespace emulator
