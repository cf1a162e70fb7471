#include "engine/host/dead_letters.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "engine/base/result.hpp"
#include "engine/host/file_handle.hpp"

namespace engine {
namespace {

constexpr std::string_view suffix = ".ndjson.zst";

// Makes the entries of a directory durable.
store_result sync_directory(const std::string& path) {
  const file_handle directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.is_open()) return std::unexpected(file_failure(path, "cannot be opened", errno));
  if (::fsync(directory.fd()) != 0) return std::unexpected(file_failure(path, "cannot be synced", errno));
  return {};
}

std::string day_of(wall_time now) {
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(now));
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(day.year()),
                static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
  return text.data();
}

}  // namespace

struct dead_letter_writer::state {
  dead_letter_options options;
  file_handle out;
  std::string path;
  std::string day;
  std::uint64_t size = 0;  // of the finished frames

  std::expected<std::string, store_failure> compress(std::span<const dead_letter* const> letters, wall_time now) {
    // Made anew for each group: letters are rare and a context holds several MiB.
    const std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
    if (context == nullptr) return std::unexpected(store_failure{store_errc::io, "zstd: out of memory"});
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
    std::string frame;
    std::string line;
    std::array<char, 32 * kib> piece;
    const auto feed = [&](ZSTD_EndDirective directive) -> store_result {
      ZSTD_inBuffer in{line.data(), line.size(), 0};
      std::size_t left = 1;
      while (in.pos < in.size || (directive == ZSTD_e_end && left != 0)) {
        ZSTD_outBuffer to{piece.data(), piece.size(), 0};
        left = ZSTD_compressStream2(context.get(), &to, &in, directive);
        if (ZSTD_isError(left) != 0) {
          return std::unexpected(store_failure{store_errc::io, options.directory + ": " + ZSTD_getErrorName(left)});
        }
        frame.append(piece.data(), to.pos);
      }
      return {};
    };
    for (const dead_letter* letter : letters) {
      line.clear();
      append_json_line(line, *letter, now);
      if (auto fed = feed(ZSTD_e_continue); !fed) return std::unexpected(fed.error());
    }
    line.clear();
    if (auto ended = feed(ZSTD_e_end); !ended) return std::unexpected(ended.error());
    return frame;
  }

  store_result make_directory() {
    if (::mkdir(options.directory.c_str(), 0700) == 0) {
      const auto parent = std::filesystem::path(options.directory).parent_path();
      return sync_directory(parent.empty() ? "." : parent.string());
    }
    if (errno != EEXIST) return std::unexpected(file_failure(options.directory, "cannot be made", errno));
    return {};
  }

  store_result begin_file(const std::string& today) {
    if (auto made = make_directory(); !made) return made;
    TRY(const auto files, dead_letter_files(options.directory));
    unsigned long number = 0;
    for (const std::string& name : files) {
      const std::string base = std::filesystem::path(name).filename();
      if (base.starts_with(today + "-"))
        number = std::max(number, std::strtoul(base.c_str() + today.size() + 1, nullptr, 10));
    }
    std::array<char, 32> counter{};
    std::snprintf(counter.data(), counter.size(), "-%06lu", number + 1);
    path = options.directory + "/" + today + counter.data() + std::string(suffix);
    out = file_handle(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600));
    if (!out.is_open()) return std::unexpected(file_failure(path, "cannot be made", errno));
    day = today;
    size = 0;
    auto synced = sync_directory(options.directory);
    if (!synced) out.close();
    return synced;
  }

  store_result fail(const char* what, int cause) {
    // What the kernel kept of the frame is unknown; it must not stand between this frame and the next one.
    if (::ftruncate(out.fd(), static_cast<off_t>(size)) != 0 || ::fdatasync(out.fd()) != 0) out.close();
    return std::unexpected(file_failure(path, what, cause));
  }

  store_result write(std::string_view frame) {
    for (std::string_view left = frame; !left.empty();) {
      const ssize_t written = ::write(out.fd(), left.data(), left.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return fail("cannot be written", errno);
      left.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fdatasync(out.fd()) != 0) return fail("cannot be synced", errno);
    size += frame.size();
    return {};
  }
};

dead_letter_writer::dead_letter_writer(dead_letter_options options) : state_(std::make_unique<state>()) {
  state_->options = std::move(options);
}
dead_letter_writer::~dead_letter_writer() = default;
dead_letter_writer::dead_letter_writer(dead_letter_writer&&) noexcept = default;

store_result dead_letter_writer::append(std::span<const dead_letter* const> letters, wall_time now) {
  if (letters.empty()) return {};
  TRY(const std::string frame, state_->compress(letters, now));
  const std::string today = day_of(now);
  const bool is_full = state_->size > 0 && state_->size + frame.size() > state_->options.file_bytes_max;
  if (!state_->out.is_open() || state_->day != today || is_full) {
    if (auto begun = state_->begin_file(today); !begun) return begun;
  }
  return state_->write(frame);
}

std::expected<std::vector<std::string>, store_failure> dead_letter_files(const std::string& directory) {
  std::vector<std::string> files;
  std::error_code error;
  for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    if (at->path().filename().string().ends_with(suffix)) files.push_back(at->path().string());
  }
  if (error && error.value() != ENOENT)
    return std::unexpected(file_failure(directory, "cannot be read", error.value()));
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace engine
