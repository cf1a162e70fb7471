#include "tools/penstock/service.hpp"

#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <exception>

#include "tools/penstock/dry_store.hpp"

namespace penstock {
namespace {

// Connections towards the destinations; the rest are for pulls. A token request may come beside the uploads.
std::size_t upload_connections(const stages::config& c) {
  const std::size_t wanted = c.destinations.size() * (c.tuning.upload_concurrency + 1);
  return std::clamp<std::size_t>(wanted, 2, c.tuning.connections_max / 2);
}

}  // namespace

service::service(const stages::config& c)
    : config_(c),
      counts_(metrics_),
      io_(c.tuning.io_threads),
      clock_(io_.get_executor()),
      cpu_(c.tuning.cpu_threads, engine::mib, metrics_),
      pulls_(io_.get_executor(),
             pool_options(c.tuning.connections_max - upload_connections(c), c.tuning.fetch_per_host), metrics_, clock_),
      uploads_(io_.get_executor(), pool_options(upload_connections(c), c.tuning.upload_concurrency + 1), metrics_,
               clock_) {}

service::~service() { path_.reset(); }

engine::http_pool_options service::pool_options(std::size_t connections, std::size_t per_origin) {
  engine::http_pool_options out;
  out.connections_max = connections;
  out.per_origin_max = per_origin;
  out.strands = config_.tuning.io_threads > 1;
  return out;
}

std::expected<std::unique_ptr<service>, std::string> service::open(const stages::config& c,
                                                                   const stages::run_options& options,
                                                                   engine::logger& log) {
  std::unique_ptr<service> made(new service(c));
  if (options.dry_run) {
    made->store_ = std::make_unique<dry_store>(c.state_path);
  } else {
    auto store = engine::state_store::open({.path = c.state_path}, made->clock_, made->metrics_);
    if (!store) return std::unexpected(store.error().message);
    made->store_ = *std::move(store);
  }
  stages::path_ports ports{.where = made->io_.get_executor(),
                           .clock = made->clock_,
                           .rng = made->rng_,
                           .cpu = made->cpu_,
                           .pulls = made->pulls_,
                           .uploads = made->uploads_,
                           .store = *made->store_,
                           .log = log,
                           .metrics = made->metrics_};
  made->path_ = std::make_unique<stages::data_path>(c, options, ports, made->counts_);
  return made;
}

void service::start(std::function<void()> ended) {
  boost::asio::co_spawn(io_.get_executor(), path_->run(), [this, ended = std::move(ended)](std::exception_ptr failure) {
    if (failure) {
      try {
        std::rethrow_exception(failure);
      } catch (const std::exception& e) {
        internal_error_ = e.what();
      }
    }
    ended();
  });
  io_.start();
}

void service::join() {
  pulls_.close();
  uploads_.close();
  io_.join();
  cpu_.stop();
  if (auto* kept = dynamic_cast<engine::state_store*>(store_.get())) kept->close();
}

}  // namespace penstock
