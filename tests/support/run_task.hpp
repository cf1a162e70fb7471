// Runs a task to its end on an io_context of its own. A task that would wait for ever is an error, not a hang.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

#include "engine/flow/task.hpp"

namespace tests {

template <class T>
T run_task(engine::task<T> task) {
  engine::asio::io_context context;
  std::optional<T> result;
  std::exception_ptr thrown;
  engine::asio::co_spawn(context, std::move(task), [&](std::exception_ptr failure, T value) {
    thrown = failure;
    if (!failure) result.emplace(std::move(value));
  });
  context.run();
  if (thrown) std::rethrow_exception(thrown);
  if (!result) throw std::logic_error("the task waits for something that never comes");
  return std::move(*result);
}

inline void run_task(engine::task<void> task) {
  engine::asio::io_context context;
  bool done = false;
  std::exception_ptr thrown;
  engine::asio::co_spawn(context, std::move(task), [&](std::exception_ptr failure) {
    thrown = failure;
    done = true;
  });
  context.run();
  if (thrown) std::rethrow_exception(thrown);
  if (!done) throw std::logic_error("the task waits for something that never comes");
}

}  // namespace tests
