// A file descriptor that closes itself, and the failure that a system call's errno means to a store.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "engine/flow/ports.hpp"

namespace engine {

class file_handle {
 public:
  file_handle() = default;
  explicit file_handle(int fd) : fd_(fd) {}
  ~file_handle() { close(); }
  file_handle(file_handle&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  file_handle& operator=(file_handle&& other) noexcept {
    close();
    fd_ = std::exchange(other.fd_, -1);
    return *this;
  }
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

// `what` could not be done with the file, and why.
inline store_failure file_failure(const std::string& path, const char* what, int cause) {
  const bool no_room = cause == ENOSPC || cause == EDQUOT || cause == EFBIG;
  return {no_room ? store_errc::disk_full : store_errc::io, path + ": " + what + ": " + std::strerror(cause)};
}

}  // namespace engine
