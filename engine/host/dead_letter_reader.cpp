#include <fcntl.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "engine/base/result.hpp"
#include "engine/host/dead_letters.hpp"
#include "engine/host/file_handle.hpp"

namespace engine {
namespace {

constexpr int window_log_max = 23;  // our own frames use 21
constexpr std::size_t read_bytes = 64 * kib;
constexpr std::size_t plain_bytes = 128 * kib;

}  // namespace

struct dead_letter_reader::state {
  bytes_at source;
  std::string name;
  dead_letter_limits limits;
  std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context{ZSTD_createDCtx(), ZSTD_freeDCtx};
  std::vector<char> input = std::vector<char>(read_bytes);
  std::vector<char> plain = std::vector<char>(plain_bytes);
  ZSTD_inBuffer in{};
  std::uint64_t offset = 0;       // in the file, behind `input`
  std::uint64_t frame_start = 0;  // of the frame being read or to be read next
  bool in_frame = false;          // checked, and its lines are being shown
  bool frame_done = false;        // all of it is in `lines`
  std::string lines;              // decompressed and not yet shown
  std::size_t shown = 0;          // of `lines`
  bool ended = false;
  std::uint64_t torn = 0;
  std::optional<store_failure> failed;

  [[nodiscard]] std::uint64_t position() const { return offset - (in.size - in.pos); }

  void start(std::uint64_t at) {
    ZSTD_DCtx_reset(context.get(), ZSTD_reset_session_and_parameters);
    ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, window_log_max);
    offset = at;
    in = {input.data(), 0, 0};
  }

  store_failure corrupt(const std::string& what) const {
    return {store_errc::corrupt, name + ": " + what + " in the frame at byte " + std::to_string(frame_start)};
  }

  enum class step { more, frame_end, input_end, damaged };
  struct piece {
    step kind;
    std::string_view bytes;
  };
  // The next decompressed bytes of the frame.
  std::expected<piece, store_failure> decompress() {
    while (true) {
      ZSTD_outBuffer out{plain.data(), plain.size(), 0};
      const std::size_t left = ZSTD_decompressStream(context.get(), &out, &in);
      const std::string_view bytes(plain.data(), out.pos);
      if (ZSTD_isError(left) != 0) return piece{step::damaged, {}};
      if (left == 0) return piece{step::frame_end, bytes};
      if (out.pos > 0) return piece{step::more, bytes};
      if (in.pos < in.size) continue;
      TRY(const std::size_t size, source(offset, std::span(input)));
      if (size == 0) return piece{step::input_end, {}};
      offset += size;
      in = {input.data(), size, 0};
    }
  }

  // Whether a whole, undamaged frame stands at frame_start; sets `ended` where the file or its finished part ends.
  store_result check_frame() {
    start(frame_start);
    std::uint64_t total = 0;
    std::size_t line = 0;
    while (true) {
      TRY(const piece p, decompress());
      total += p.bytes.size();
      const std::size_t last = p.bytes.rfind('\n');
      const std::size_t first = p.bytes.find('\n');
      const std::size_t longest = line + std::min(first, p.bytes.size());  // later lines fit into one piece
      line = last == std::string_view::npos ? line + p.bytes.size() : p.bytes.size() - last - 1;
      if (total > limits.frame_bytes_max) return std::unexpected(corrupt("more than frame_bytes_max bytes"));
      if (std::max(longest, line) > limits.record_bytes_max)
        return std::unexpected(corrupt("a line over record_bytes_max"));
      if (p.kind == step::frame_end) {
        if (line != 0) return std::unexpected(corrupt("an unfinished line"));
        return {};
      }
      if (p.kind == step::input_end) return end_at(position() - frame_start);
      if (p.kind == step::damaged) {
        TRY(const std::uint64_t zeros, length_if_zeros());
        if (zeros == 0) return std::unexpected(corrupt("damaged data"));
        return end_at(zeros);
      }
    }
  }

  store_result end_at(std::uint64_t unfinished) {
    ended = true;
    torn = unfinished;
    return {};
  }

  // Some file systems show a block that was never written as zeros; how many of them the file ends with, 0 when the
  // rest of the file holds anything else.
  std::expected<std::uint64_t, store_failure> length_if_zeros() {
    std::uint64_t length = 0;
    while (true) {
      TRY(const std::size_t size, source(frame_start + length, std::span(input)));
      if (size == 0) return length;
      if (std::any_of(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(size),
                      [](char c) { return c != 0; })) {
        return 0;
      }
      length += size;
    }
  }

  // Until `lines` holds an unshown line or the frame is used up.
  std::expected<std::optional<std::string_view>, store_failure> next_line() {
    std::size_t searched = shown;
    while (true) {
      if (const std::size_t end = lines.find('\n', searched); end != std::string::npos) {
        const std::string_view line = std::string_view(lines).substr(shown, end - shown);
        shown = end + 1;
        return line;
      }
      if (frame_done) return std::nullopt;
      lines.erase(0, shown);
      shown = 0;
      searched = lines.size();
      TRY(const piece p, decompress());
      // The first pass saw this frame whole; a file that changes under us is the only way here.
      if (p.kind == step::input_end || p.kind == step::damaged) return std::unexpected(corrupt("changed data"));
      lines += p.bytes;
      if (lines.size() > limits.record_bytes_max + plain_bytes) return std::unexpected(corrupt("changed data"));
      frame_done = p.kind == step::frame_end;
    }
  }

  std::expected<std::optional<dead_letter_record>, store_failure> next() {
    while (!ended) {
      if (!in_frame) {
        if (auto checked = check_frame(); !checked) return std::unexpected(checked.error());
        if (ended) break;
        start(frame_start);
        in_frame = true;
        frame_done = false;
        lines.clear();
        shown = 0;
      }
      TRY(const auto line, next_line());
      if (line) {
        auto record = parse_json_line(*line);
        if (!record) return std::unexpected(corrupt("a line that is no dead letter"));
        return record;
      }
      in_frame = false;
      frame_start = position();
    }
    return std::nullopt;
  }
};

dead_letter_reader::dead_letter_reader(bytes_at source, std::string name, dead_letter_limits limits)
    : state_(std::make_unique<state>()) {
  state_->source = std::move(source);
  state_->name = std::move(name);
  state_->limits = limits;
}
dead_letter_reader::~dead_letter_reader() = default;
dead_letter_reader::dead_letter_reader(dead_letter_reader&&) noexcept = default;

std::expected<dead_letter_reader, store_failure> dead_letter_reader::open(const std::string& path,
                                                                          dead_letter_limits limits) {
  file_handle opened(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened.is_open()) return std::unexpected(file_failure(path, "cannot be opened", errno));
  bytes_at source = [opened = std::move(opened), path](
                        std::uint64_t offset, std::span<char> into) -> std::expected<std::size_t, store_failure> {
    while (true) {
      const ssize_t size = ::pread(opened.fd(), into.data(), into.size(), static_cast<off_t>(offset));
      if (size >= 0) return static_cast<std::size_t>(size);
      if (errno != EINTR) return std::unexpected(file_failure(path, "cannot be read", errno));
    }
  };
  return dead_letter_reader(std::move(source), path, limits);
}

std::expected<std::optional<dead_letter_record>, store_failure> dead_letter_reader::next() {
  if (state_->failed) return std::unexpected(*state_->failed);
  auto result = state_->next();
  if (!result) state_->failed = result.error();
  return result;
}

std::uint64_t dead_letter_reader::torn_bytes() const { return state_->torn; }

}  // namespace engine
