// Helpers of the tests of engine/host: a coroutine run to its end, and a directory of one's own.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "engine/flow/task.hpp"

namespace engine {

inline void rethrow(const std::exception_ptr& error) {
  if (error) std::rethrow_exception(error);
}

// Starts a coroutine; an exception that leaves it leaves the executor's run().
inline void start(const executor& ex, task<void> work) { asio::co_spawn(ex, std::move(work), rethrow); }

// On a context that outlives every store and pool: one of their threads may still be inside the post that woke us.
template <class T>
T run_here(task<T> work) {
  static asio::io_context io(1);
  io.restart();
  std::optional<T> result;
  asio::co_spawn(io, std::move(work), [&](const std::exception_ptr& error, T value) {
    rethrow(error);
    result.emplace(std::move(value));
  });
  io.run();
  return *std::move(result);
}

class temporary_directory {
 public:
  temporary_directory() {
    std::string name = (std::filesystem::temp_directory_path() / "penstock-test-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~temporary_directory() { std::filesystem::remove_all(path_); }
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::string read_whole(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_whole(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace engine
