#include "engine/host/io_context.hpp"

#include <algorithm>
#include <cassert>

#include "engine/host/thread_name.hpp"

namespace engine {

io_context::io_context(unsigned threads)
    : thread_count_(std::max(threads, 1u)), context_(static_cast<int>(thread_count_)), work_(context_.get_executor()) {}

io_context::~io_context() {
  stop();
  join();
}

void io_context::start() {
  assert(threads_.empty());
  for (unsigned i = 0; i < thread_count_; ++i) {
    threads_.emplace_back([this, i]() noexcept {
      name_this_thread("io-", i);
      context_.run();
    });
  }
}

void io_context::stop() { context_.stop(); }

void io_context::join() {
  work_.reset();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

}  // namespace engine
