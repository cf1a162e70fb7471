// The coroutine vocabulary: task<T>, and nothing else of Asio in the headers of the stages.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace engine {

namespace asio = boost::asio;

// Lazily started; awaited exactly once. Runs on the executor of the coroutine that awaits it.
template <class T = void>
using task = asio::awaitable<T>;
using executor = asio::any_io_executor;

}  // namespace engine
