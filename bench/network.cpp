#include "bench/network.hpp"

#include <unistd.h>

#include <filesystem>
#include <mutex>
#include <stdexcept>

#include "engine/base/metrics.hpp"
#include "engine/net/http_pool.hpp"
#include "tools/emulator/http_server.hpp"
#include "tools/emulator/tls_files.hpp"

namespace bench {
namespace {

// Removed with its files at the end.
class temporary_directory {
 public:
  temporary_directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "penstock-bench-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path_ = pattern;
  }
  ~temporary_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

engine::task<std::expected<engine::http_response, engine::http_failure>> memory_network::exchange(
    engine::http_request request, engine::exchange_options options) {
  canned_answer answer = answer_(request.body);
  engine::http_response out;
  out.head.status = answer.status;
  out.head.headers = std::move(answer.headers);
  out.head.content_length = answer.body.size();
  if (answer.body.empty()) co_return out;
  std::optional<engine::buffer> room;
  if (options.headers_step) {
    room = options.headers_step(out.head);
  } else {
    room.emplace(answer.body.size());
  }
  demand(room.has_value(), "an answer of a network row was refused");
  room->clear();
  room->append(answer.body);
  out.body = std::move(*room);
  co_return out;
}

struct loopback_network::parts {
  parts(engine::asio::io_context& io, engine::clock& clock, answer_function answer_with)
      : context(io), answer(std::move(answer_with)) {
    emulator::write_tls_files(files.path());
    server = std::make_unique<emulator::http_server>(
        emulator::http_server_options{
            .threads = 1, .certificate_file = files.path() + "/cert.pem", .key_file = files.path() + "/key.pem"},
        emulator::http_handlers{.handle = [this](const emulator::request& request) { return reply_to(request); }});
    engine::http_pool_options options;
    options.strands = false;  // one thread runs the context
    pool = std::make_unique<engine::http_pool>(io.get_executor(), std::move(options), metrics, clock);
  }
  emulator::response reply_to(const emulator::request& request) {
    const std::lock_guard lock(mutex);
    canned_answer canned = answer(request.body);
    emulator::response out;
    out.status = canned.status;
    out.headers = std::move(canned.headers);
    if (!canned.body.empty()) out.text(std::string(canned.body));
    return out;
  }

  engine::asio::io_context& context;
  const answer_function answer;
  temporary_directory files;
  engine::metric_registry metrics;
  std::mutex mutex;
  std::unique_ptr<emulator::http_server> server;
  std::unique_ptr<engine::http_pool> pool;
};

loopback_network::loopback_network(engine::asio::io_context& context, engine::clock& clock, answer_function answer)
    : parts_(std::make_unique<parts>(context, clock, std::move(answer))) {}

loopback_network::~loopback_network() {
  parts_->pool->close();
  parts_->context.poll();
}

engine::http_exchange& loopback_network::exchange() { return *parts_->pool; }
std::string loopback_network::url() const { return "https://127.0.0.1:" + std::to_string(parts_->server->port()); }
std::string loopback_network::ca_file() const { return parts_->files.path() + "/ca.pem"; }

}  // namespace bench
