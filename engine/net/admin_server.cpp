#include "engine/net/admin_server.hpp"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/status.hpp>
#include <charconv>
#include <chrono>
#include <optional>
#include <thread>

#include "engine/net/joined.hpp"

namespace engine {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;

constexpr auto tokens = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t head_bytes_max = 8 * 1024;
constexpr std::size_t connections_max = 32;
constexpr auto silence_max = std::chrono::seconds(5);
constexpr auto accept_pause = std::chrono::milliseconds(100);  // when descriptors have run out

std::expected<tcp::endpoint, std::string> parse_address(const std::string& text) {
  const auto wrong = [&text] {
    return std::unexpected(
        joined("'", text, "' is not an address to listen on (IP:PORT, [IP6]:PORT or localhost:PORT)"));
  };
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return wrong();
  std::string host = text.substr(0, colon);
  if (host == "localhost") host = "127.0.0.1";
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, bad_port] = std::from_chars(text.data() + colon + 1, end, port);
  error_code bad_host;
  const auto address = asio::ip::make_address(host, bad_host);
  if (bad_host || bad_port != std::errc() || stopped != end) return wrong();
  return tcp::endpoint(address, port);
}

std::string head_of(const admin_answer& answer, bool keep, bool allow) {
  const auto reason = http::obsolete_reason(http::int_to_status(static_cast<unsigned>(answer.status)));
  std::string head = joined("HTTP/1.1 ", answer.status, " ", std::string_view(reason.data(), reason.size()),
                            "\r\nContent-Type: ", answer.content_type, "\r\nContent-Length: ", answer.body.size(),
                            "\r\nCache-Control: no-store\r\n");
  if (allow) head += "Allow: GET, HEAD\r\n";
  head += keep ? "\r\n" : "Connection: close\r\n\r\n";
  return head;
}

}  // namespace

struct admin_server::state {
  explicit state(admin_handler h) : handler(std::move(h)), acceptor(io) {}

  asio::awaitable<void> accept();
  asio::awaitable<void> serve(tcp::socket socket);
  asio::awaitable<void> talk(beast::tcp_stream& stream);
  admin_answer ask(std::string_view method, std::string_view target);

  admin_handler handler;
  asio::io_context io{1};
  tcp::acceptor acceptor;
  std::uint16_t port = 0;
  std::size_t connections = 0;
  std::thread thread;
};

admin_answer admin_server::state::ask(std::string_view method, std::string_view target) {
  try {
    return handler(method, target);
  } catch (const std::exception&) {
    return {.status = 500, .body = "internal error\n"};
  }
}

asio::awaitable<void> admin_server::state::accept() {
  const auto ended = [this](std::exception_ptr) { --connections; };
  for (;;) {
    auto [ec, socket] = co_await acceptor.async_accept(tokens);
    if (ec) {
      asio::steady_timer pause(io, accept_pause);
      co_await pause.async_wait(tokens);
      continue;
    }
    if (connections >= connections_max) continue;  // closed at once: a clear refusal
    ++connections;
    auto served = serve(std::move(socket));
    asio::co_spawn(io, std::move(served), ended);
  }
}

asio::awaitable<void> admin_server::state::serve(tcp::socket socket) {
  beast::tcp_stream stream(std::move(socket));
  co_await talk(stream);
}

asio::awaitable<void> admin_server::state::talk(beast::tcp_stream& stream) {
  beast::flat_buffer bytes(head_bytes_max * 2);
  for (;;) {
    http::request_parser<http::empty_body> parser;
    parser.header_limit(static_cast<std::uint32_t>(head_bytes_max));
    parser.body_limit(boost::none);     // bodies are not read, whatever they announce
    stream.expires_after(silence_max);  // for the whole head: one that trickles in does not get more
    error_code bad;
    while (!parser.is_header_done()) {
      if (bytes.size() > 0) bytes.consume(parser.put(bytes.data(), bad));
      if (bad && bad != http::error::need_more) break;
      if (parser.is_header_done()) break;
      const auto space = bytes.prepare(std::min(head_bytes_max, bytes.max_size() - bytes.size()));
      auto [ec, count] = co_await stream.async_read_some(space, tokens);
      if (ec) co_return;
      bytes.commit(count);
      bad = {};
    }
    const bool head_read = parser.is_header_done();
    const auto& request = parser.get();
    admin_answer answer;
    bool keep = false;
    bool allow = false;
    bool head_only = false;
    if (!head_read) {
      answer = {.status = bad == http::error::header_limit ? 431 : 400, .body = "bad request\n"};
    } else if (request.method() != http::verb::get && request.method() != http::verb::head) {
      answer = {.status = 405, .body = "only GET and HEAD\n"};
      allow = true;
    } else {
      head_only = request.method() == http::verb::head;
      keep = parser.keep_alive() && parser.is_done();  // not done: a body follows, which nobody reads
      const auto target = request.target();
      answer = ask(head_only ? "HEAD" : "GET", {target.data(), target.size()});
    }
    const std::string head = head_of(answer, keep, allow);
    const std::array<asio::const_buffer, 2> out{asio::buffer(head),
                                                head_only ? asio::const_buffer() : asio::buffer(answer.body)};
    stream.expires_after(silence_max);
    auto [ec, count] = co_await asio::async_write(stream, out, tokens);
    if (ec) co_return;
    if (!keep) break;
  }
  error_code ignored;
  stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
  // Until the peer has closed too: closing on unread bytes would reset the connection and lose the answer.
  std::array<char, 1024> rest{};
  stream.expires_after(silence_max);
  for (;;) {
    auto [ec, count] = co_await stream.async_read_some(asio::buffer(rest), tokens);
    if (ec) break;
  }
}

admin_server::admin_server(std::unique_ptr<state> s) : state_(std::move(s)) {}

std::expected<std::unique_ptr<admin_server>, std::string> admin_server::start(const std::string& address,
                                                                              admin_handler handler) {
  const auto endpoint = parse_address(address);
  if (!endpoint) return std::unexpected(endpoint.error());
  auto made = std::make_unique<state>(std::move(handler));
  auto& acceptor = made->acceptor;
  error_code ec;
  acceptor.open(endpoint->protocol(), ec);
  if (!ec) acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
  if (!ec) acceptor.bind(*endpoint, ec);
  if (!ec) acceptor.listen(asio::socket_base::max_listen_connections, ec);
  if (ec) return std::unexpected(joined("cannot listen on ", address, ": ", ec.message()));
  made->port = acceptor.local_endpoint().port();
  auto accepting = made->accept();
  asio::co_spawn(made->io, std::move(accepting), [](std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);  // nothing in accept() throws for a reason outside this program
  });
  made->thread = std::thread([raw = made.get()] { raw->io.run(); });
  return std::unique_ptr<admin_server>(new admin_server(std::move(made)));  // the constructor is private
}

admin_server::~admin_server() {
  state_->io.stop();
  state_->thread.join();
}

std::uint16_t admin_server::port() const { return state_->port; }

}  // namespace engine
