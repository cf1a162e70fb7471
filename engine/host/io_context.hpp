// The shared io_context and the threads that run it: everything that waits for the network or for time runs here.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <thread>
#include <vector>

#include "engine/flow/task.hpp"

namespace engine {

// Thread-safe, except that start() and join() belong to the thread that owns the object. An exception that leaves a
// handler ends the program: coroutines are started with a completion handler that deals with theirs.
class io_context {
 public:
  explicit io_context(unsigned threads);
  // Stops and joins. Coroutines still waiting are destroyed without running on.
  ~io_context();
  io_context(const io_context&) = delete;
  io_context& operator=(const io_context&) = delete;

  executor get_executor() { return context_.get_executor(); }
  // Threads are named io-0, io-1 ... Once per object.
  void start();
  // Makes the threads return after the handler each is in, whatever is left to do.
  void stop();
  // Returns when nothing is left to do, or after stop(). Call it from outside the threads.
  void join();

 private:
  unsigned thread_count_;
  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;  // keeps idle threads until join()
  std::vector<std::thread> threads_;
};

}  // namespace engine
