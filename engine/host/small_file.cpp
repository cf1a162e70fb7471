#include "engine/host/small_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "engine/base/units.hpp"

namespace engine {
namespace {

struct descriptor {
  explicit descriptor(int number) : number_(number) {}
  ~descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  int number_;
};

std::unexpected<std::string> unreadable(int error) {
  return std::unexpected("cannot be read: " + std::generic_category().message(error));
}

}  // namespace

std::expected<std::string, std::string> read_small_file(const std::filesystem::path& path, std::size_t bytes_max) {
  // O_NONBLOCK: opening a pipe without a writer would wait.
  const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.number_ < 0) return unreadable(errno);
  struct stat about{};
  if (::fstat(file.number_, &about) != 0) return unreadable(errno);
  if (!S_ISREG(about.st_mode)) return std::unexpected<std::string>("is not a regular file");

  // Sizes are not trusted (a file may grow, /proc files claim 0): read to the end, or one byte past the limit.
  std::string text;
  while (text.size() <= bytes_max) {
    const std::size_t before = text.size();
    const std::size_t step = std::min(std::size_t{16} * kib, bytes_max + 1 - before);
    text.resize(before + step);
    const ssize_t got = ::read(file.number_, text.data() + before, step);
    if (got < 0 && errno != EINTR) return unreadable(errno);
    text.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) return text;
  }
  return std::unexpected("is larger than " + format_size(bytes_max));
}

}  // namespace engine
