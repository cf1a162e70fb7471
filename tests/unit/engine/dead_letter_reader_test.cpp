// Frames that our writer never makes, and sources that fail: what the tests of the files (dead_letters_test.cpp) leave
// open.
#include <gtest/gtest.h>
#include <zstd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/host/dead_letters.hpp"

namespace engine {
namespace {

using namespace std::chrono_literals;

constexpr wall_time noon = std::chrono::sys_days(std::chrono::year(2026) / 1 / 2) + 12h;

std::string line(std::uint64_t index, std::string original = "{}") {
  const dead_letter letter{.route = {"a", "p", "l", 3, "d"},
                           .reason = "bad_json",
                           .detail = "",
                           .cursor = "MTY=",
                           .index = index,
                           .original = std::move(original)};
  std::string out;
  append_json_line(out, letter, noon);
  return out;
}

std::string frame(std::string_view content, int window_log = 0) {
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  if (window_log != 0) ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
  // Without the size of the content in the frame's head, as a stream is written.
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  std::string out(ZSTD_compressBound(content.size()), ' ');
  out.resize(ZSTD_compress2(context, out.data(), out.size(), content.data(), content.size()));
  ZSTD_freeCCtx(context);
  return out;
}

std::string noise(std::size_t size) {
  std::mt19937_64 random(1);
  std::string text(size, ' ');
  for (char& c : text) c = static_cast<char>('a' + random() % 26);
  return text;
}

// Gives what memory holds, at most `step` bytes at a time.
dead_letter_reader::bytes_at in_memory(const std::string& bytes, std::size_t step = SIZE_MAX) {
  return [&bytes, step](std::uint64_t offset, std::span<char> into) -> std::expected<std::size_t, store_failure> {
    const auto from = std::string_view(bytes).substr(std::min<std::size_t>(offset, bytes.size()));
    return from.copy(into.data(), std::min(into.size(), step));
  };
}

// The indices of the letters, then how it ended: "1 2 end", "1 torn 5", "1 failed: why".
std::string shown(dead_letter_reader reader) {
  std::string out;
  while (true) {
    const auto record = reader.next();
    if (!record) {
      const auto again = reader.next();
      EXPECT_EQ(again.error().message, record.error().message) << "a failure is final";
      return out + "failed: " + record.error().message;
    }
    if (!*record) {
      EXPECT_FALSE(reader.next().value().has_value()) << "the end is final";
      const auto torn = reader.torn_bytes();
      return out + (torn == 0 ? "end" : "torn " + std::to_string(torn));
    }
    out += std::to_string((*record)->letter.index) + " ";
  }
}

std::string shown(const std::string& bytes, dead_letter_limits limits = {}, std::size_t step = SIZE_MAX) {
  return shown(dead_letter_reader(in_memory(bytes, step), "f", limits));
}

TEST(dead_letter_reader, shows_nothing_of_a_file_without_bytes) { EXPECT_EQ(shown(""), "end"); }

TEST(dead_letter_reader, shows_the_lines_of_all_frames_in_their_order) {
  EXPECT_EQ(shown(frame(line(1) + line(2)) + frame(line(3)) + frame(line(4))), "1 2 3 4 end");
}

TEST(dead_letter_reader, passes_over_empty_frames_and_frames_of_others) {
  const std::string note("\x50\x2a\x4d\x18\x05\0\0\0hello", 13);  // skippable, by the format's own page
  EXPECT_EQ(shown(frame("") + frame(line(1)) + frame("") + note + frame(line(2)) + note), "1 2 end");
}

TEST(dead_letter_reader, reads_the_same_in_pieces_of_any_size) {
  const std::string bytes = frame(line(1) + line(2, noise(200'000)) + line(3)) + frame(line(4));
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{4096}, std::size_t{65536}}) {
    EXPECT_EQ(shown(bytes, {}, step), "1 2 3 4 end") << step;
  }
  for (const std::size_t cut : {std::size_t{1}, std::size_t{5}, std::size_t{40}}) {
    const auto torn = bytes.substr(0, bytes.size() - cut);
    const auto left = torn.size() - frame(line(1) + line(2, noise(200'000)) + line(3)).size();
    EXPECT_EQ(shown(torn, {}, 1), "1 2 3 torn " + std::to_string(left)) << cut;
  }
}

TEST(dead_letter_reader, gives_back_a_line_longer_than_all_its_buffers) {
  const std::string text = noise(3'000'000);
  const std::string bytes = frame(line(1, "short") + line(2, text) + line(3, "short"));
  dead_letter_reader reader(in_memory(bytes), "f", {});
  EXPECT_EQ(reader.next().value()->letter.original, "short");
  EXPECT_EQ(reader.next().value()->letter.original, text);
  EXPECT_EQ(reader.next().value()->letter.index, 3u);
  EXPECT_FALSE(reader.next().value().has_value());
}

TEST(dead_letter_reader, shows_the_letters_before_damage_and_none_of_the_damaged_frame) {
  const std::string good = frame(line(1) + line(2));
  std::string bad = frame(line(3) + line(4, noise(1000)));
  bad[bad.size() - 1] = static_cast<char>(bad[bad.size() - 1] ^ 1);  // of the checksum, behind both its lines
  EXPECT_EQ(shown(good + bad + frame(line(5))),
            "1 2 failed: f: damaged data in the frame at byte " + std::to_string(good.size()));
}

TEST(dead_letter_reader, takes_zeros_for_an_unwritten_tail_only_where_nothing_follows) {
  const std::string good = frame(line(1));
  const std::string zeros(100'000, '\0');
  EXPECT_EQ(shown(good + zeros), "1 torn 100000");
  EXPECT_EQ(shown(good + zeros, {}, 1000), "1 torn 100000");
  EXPECT_EQ(shown(zeros), "torn 100000");
  EXPECT_EQ(shown(good + zeros + "x"), "1 failed: f: damaged data in the frame at byte " + std::to_string(good.size()));
}

TEST(dead_letter_reader, refuses_a_frame_whose_last_line_does_not_end) {
  const std::string open_line = line(2).substr(0, line(2).size() - 1);
  EXPECT_EQ(shown(frame(line(1) + open_line)), "failed: f: an unfinished line in the frame at byte 0");
  EXPECT_EQ(shown(frame(open_line) + frame("\n")), "failed: f: an unfinished line in the frame at byte 0");
}

TEST(dead_letter_reader, refuses_lines_that_are_no_dead_letter_where_they_stand) {
  const std::string good = frame(line(1));
  const auto at = std::to_string(good.size());
  EXPECT_EQ(shown(good + frame(line(2) + "{}\n" + line(3))),
            "1 2 failed: f: a line that is no dead letter in the frame at byte " + at);
  EXPECT_EQ(shown(good + frame("\n")), "1 failed: f: a line that is no dead letter in the frame at byte " + at);
}

TEST(dead_letter_reader, holds_its_limits_to_the_byte) {
  const std::string two = line(1, noise(500)) + line(2);
  const std::size_t longest = line(1, noise(500)).size() - 1;  // a line feed is no part of a line
  EXPECT_EQ(shown(frame(two), {.record_bytes_max = longest}), "1 2 end");
  EXPECT_EQ(shown(frame(two), {.record_bytes_max = longest - 1}),
            "failed: f: a line over record_bytes_max in the frame at byte 0");
  EXPECT_EQ(shown(frame(two), {.frame_bytes_max = two.size()}), "1 2 end");
  EXPECT_EQ(shown(frame(two), {.frame_bytes_max = two.size() - 1}),
            "failed: f: more than frame_bytes_max bytes in the frame at byte 0");
  EXPECT_EQ(shown(frame(line(1)) + frame(line(2)), {.frame_bytes_max = line(1).size()}), "1 2 end");
}

TEST(dead_letter_reader, ends_a_line_without_end_at_its_limit) {
  const std::string bomb = frame(std::string(50'000'000, 'x'));
  ASSERT_LT(bomb.size(), 100'000u);
  EXPECT_EQ(shown(bomb, {.record_bytes_max = 1'000'000}),
            "failed: f: a line over record_bytes_max in the frame at byte 0");
  EXPECT_EQ(shown(bomb, {.frame_bytes_max = 1'000'000}),
            "failed: f: more than frame_bytes_max bytes in the frame at byte 0");
}

TEST(dead_letter_reader, takes_no_frame_that_wants_more_memory_than_ours_do) {
  const std::string wide = line(1, noise(9 * mib));
  EXPECT_EQ(shown(frame(wide, 23)), "1 end");
  EXPECT_EQ(shown(frame(wide, 24)), "failed: f: damaged data in the frame at byte 0");
}

// --- sources that fail or change -----------------------------------------------------------------------------------

TEST(dead_letter_reader, passes_on_a_failure_of_its_source_and_ends_with_it) {
  const std::string first = frame(line(1));
  const std::string bytes = first + frame(line(2));
  int failures = 0;
  dead_letter_reader reader(
      [&](std::uint64_t offset, std::span<char> into) -> std::expected<std::size_t, store_failure> {
        if (offset >= first.size()) {
          ++failures;
          return std::unexpected(store_failure{store_errc::io, "f: cannot be read: Input/output error"});
        }
        return std::string_view(first).substr(offset).copy(into.data(), into.size());
      },
      "f", {});
  EXPECT_EQ(reader.next().value()->letter.index, 1u);
  const auto failed = reader.next();
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().code, store_errc::io);
  EXPECT_EQ(failed.error().message, "f: cannot be read: Input/output error");
  EXPECT_EQ(reader.next().error().message, failed.error().message);
  EXPECT_EQ(failures, 1) << "the source is not asked again";
}

// Every frame is read twice; what the second reading shows must be what the first one has checked.
TEST(dead_letter_reader, says_so_when_a_frame_is_gone_at_its_second_reading) {
  const std::string bytes = frame(line(1, noise(400'000)));
  for (const bool cut : {true, false}) {
    int readings = 0;
    dead_letter_reader reader(
        [&](std::uint64_t offset, std::span<char> into) -> std::expected<std::size_t, store_failure> {
          readings += offset == 0 ? 1 : 0;
          std::string now = bytes;
          if (readings > 1 && cut) now.resize(bytes.size() / 2);
          if (readings > 1 && !cut) now[bytes.size() / 2] = static_cast<char>(now[bytes.size() / 2] ^ 1);
          return std::string_view(now).substr(std::min<std::size_t>(offset, now.size())).copy(into.data(), into.size());
        },
        "f", {});
    const auto changed = reader.next();
    ASSERT_FALSE(changed.has_value());
    EXPECT_EQ(changed.error().code, store_errc::corrupt);
    EXPECT_EQ(changed.error().message, "f: changed data in the frame at byte 0");
  }
}

TEST(dead_letter_reader, can_be_moved_while_it_reads) {
  const std::string bytes = frame(line(1) + line(2));
  dead_letter_reader reader(in_memory(bytes), "f", {});
  EXPECT_EQ(reader.next().value()->letter.index, 1u);
  EXPECT_EQ(shown(std::move(reader)), "2 end");
}

}  // namespace
}  // namespace engine
