#include "engine/host/signals.hpp"

#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <mutex>

namespace engine {

class signals::listener : public std::enable_shared_from_this<listener> {
 public:
  listener(const executor& ex, signal_handlers handlers)
      : handlers_(std::move(handlers)), set_(ex, SIGTERM, SIGINT, SIGHUP) {}

  void wait() {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    set_.async_wait([self = shared_from_this()](const boost::system::error_code& error, int number) {
      if (!error) self->arrived(number);
    });
  }

  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    boost::system::error_code ignored;
    set_.cancel(ignored);
    set_.clear(ignored);  // the default actions again
  }

 private:
  void arrived(int number) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return;
    }
    const auto& handler = number == SIGHUP ? handlers_.on_reload : draining_ ? handlers_.on_abort : handlers_.on_drain;
    if (number != SIGHUP) draining_ = true;
    if (handler) handler();
    wait();
  }

  const signal_handlers handlers_;
  std::mutex mutex_;
  boost::asio::signal_set set_;
  bool closed_ = false;
  bool draining_ = false;  // touched only between one wait and the next
};

signals::signals(executor ex, signal_handlers handlers)
    : listener_(std::make_shared<listener>(ex, std::move(handlers))) {
  std::signal(SIGPIPE, SIG_IGN);
  listener_->wait();
}

signals::~signals() { listener_->close(); }

}  // namespace engine
