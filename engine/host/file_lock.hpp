// One process per state file: an advisory lock that the kernel lets go of when its holder dies, however it dies.
#pragma once

#include <expected>
#include <string>

namespace engine {

class file_lock {
 public:
  // Creates the file if need be and writes this process's id into it. The error names who holds it. Never waits.
  static std::expected<file_lock, std::string> acquire(const std::string& path);
  ~file_lock();
  file_lock(file_lock&& other) noexcept;
  file_lock& operator=(file_lock&&) = delete;

 private:
  explicit file_lock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace engine
