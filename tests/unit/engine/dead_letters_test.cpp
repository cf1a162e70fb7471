#include "engine/host/dead_letters.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <random>

#include "host_test_support.hpp"

namespace engine {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr wall_time noon = std::chrono::sys_days(std::chrono::year(2026) / 1 / 2) + 12h + 5ms;

dead_letter letter(std::uint64_t index, std::string original) {
  return {.route = {"prod-cn", "audit-prod", "actiontrail_main", 3, "sentinel-main"},
          .reason = "bad_json",
          .detail = "trailing comma",
          .cursor = "MTY3OTU=",
          .index = index,
          .original = std::move(original)};
}

bool operator==(const dead_letter& a, const dead_letter& b) {
  return a.route == b.route && a.reason == b.reason && a.detail == b.detail && a.cursor == b.cursor &&
         a.index == b.index && a.original == b.original;
}

store_result append(dead_letter_writer& writer, const std::vector<dead_letter>& letters, wall_time now = noon) {
  std::vector<const dead_letter*> pointers;
  for (const dead_letter& l : letters) pointers.push_back(&l);
  return writer.append(pointers, now);
}

struct contents {
  std::vector<dead_letter> letters;
  std::uint64_t torn = 0;
  std::string failure;
};

contents read_all(dead_letter_reader reader) {
  contents found;
  while (true) {
    auto record = reader.next();
    if (!record) {
      found.failure = record.error().message;
      EXPECT_EQ(reader.next().error().message, found.failure) << "a failure is final";
      break;
    }
    if (!*record) break;
    found.letters.push_back((*record)->letter);
  }
  found.torn = reader.torn_bytes();
  return found;
}

contents read_file(const std::string& path, dead_letter_limits limits = {}) {
  auto reader = dead_letter_reader::open(path, limits);
  EXPECT_TRUE(reader.has_value());
  return read_all(*std::move(reader));
}

contents read_bytes(const std::string& bytes, dead_letter_limits limits = {}) {
  return read_all(dead_letter_reader(
      [&bytes](std::uint64_t offset, std::span<char> into) -> std::expected<std::size_t, store_failure> {
        return std::string_view(bytes)
            .substr(std::min<std::size_t>(offset, bytes.size()))
            .copy(into.data(), into.size());
      },
      "memory", limits));
}

std::string only_file(const std::string& directory) {
  const auto files = dead_letter_files(directory);
  EXPECT_TRUE(files.has_value());
  EXPECT_EQ(files->size(), 1u);
  return files->empty() ? "" : files->front();
}

std::string bytes_beyond_ascii() {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  return all;
}

TEST(dead_letters, a_line_is_the_json_people_expect) {
  std::string line;
  append_json_line(line, letter(7, "{\"a\":\"x\\\"\xc3\xa9\"}\n\x01"), noon);
  EXPECT_EQ(line,
            "{\"time\":\"2026-01-02T12:00:00.005Z\",\"account\":\"prod-cn\",\"project\":\"audit-prod\","
            "\"logstore\":\"actiontrail_main\",\"shard\":3,\"destination\":\"sentinel-main\",\"cursor\":\"MTY3OTU=\","
            "\"index\":7,\"reason\":\"bad_json\",\"detail\":\"trailing comma\","
            "\"original\":\"{\\\"a\\\":\\\"x\\\\\\\"\xc3\xa9\\\"}\\n\\u0001\"}\n");
}

TEST(dead_letters, bytes_that_are_no_text_are_written_in_base64) {
  std::string line;
  append_json_line(line, letter(0, "\xff\xfe"), noon);
  EXPECT_NE(line.find("\"original_base64\":\"//4=\"}"), std::string::npos) << line;
}

TEST(dead_letters, every_text_and_every_byte_comes_back) {
  const std::vector<std::string> originals = {"",
                                              "{}",
                                              "\"\\/\b\f\n\r\t",
                                              std::string("\0\0", 2),
                                              "\xed\xa0\x80",
                                              "\xc0\x80",
                                              "\xf4\x90\x80\x80",
                                              "\xe2\x82",
                                              "\xf0\x9f\x98\x80 \xe2\x82\xac",
                                              bytes_beyond_ascii(),
                                              std::string(100'000, 'x'),
                                              "\x7f\xc2\x80"};
  for (const std::string& original : originals) {
    std::string line;
    append_json_line(line, letter(UINT64_MAX, original), noon);
    const auto back = parse_json_line(line.substr(0, line.size() - 1));
    ASSERT_TRUE(back.has_value()) << line.substr(0, 400);
    EXPECT_EQ(back->time, noon);
    EXPECT_TRUE(back->letter == letter(UINT64_MAX, original)) << line.substr(0, 400);
  }
}

TEST(dead_letters, reads_any_order_of_keys_escapes_and_unknown_keys) {
  const auto record = parse_json_line(
      R"( { "index" : 4 , "shard":-1,"note":"x","n":1.5,"b":true,"original":"\ud83d\ude00\u00e9\/","reason":"r",)"
      R"("detail":"","cursor":"c","destination":"d","logstore":"l","project":"p","account":"a",)"
      R"("time":"2026-01-02T03:04:05Z"} )");
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->letter.original, "\xf0\x9f\x98\x80\xc3\xa9/");
  EXPECT_EQ(record->letter.route.shard, -1);
  EXPECT_EQ(record->letter.index, 4u);
}

TEST(dead_letters, refuses_lines_that_are_no_dead_letter) {
  std::string good;
  append_json_line(good, letter(1, "x"), noon);
  good.pop_back();
  ASSERT_TRUE(parse_json_line(good).has_value());
  for (std::size_t length = 0; length < good.size(); ++length) {
    EXPECT_FALSE(parse_json_line(good.substr(0, length)).has_value()) << length;
  }
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = good;
    changed.replace(changed.find(from), from.size(), to);
    return parse_json_line(changed).has_value();
  };
  EXPECT_FALSE(with("}", "}x"));
  EXPECT_FALSE(with("\"original\":\"x\"", "\"original\":\"\\ud800\""));
  EXPECT_FALSE(with("\"original\":\"x\"", "\"original\":\"\xff\""));
  EXPECT_FALSE(with("\"original\":\"x\"", "\"original\":\"x\",\"original_base64\":\"eA==\""));
  EXPECT_FALSE(with("\"original\":\"x\"", "\"original_base64\":\"*\""));
  EXPECT_FALSE(with("\"index\":1", "\"index\":-1"));
  EXPECT_FALSE(with("\"index\":1", "\"index\":\"1\""));
  EXPECT_FALSE(with("\"index\":1", "\"index\":1,\"index\":1"));
  EXPECT_FALSE(with("\"shard\":3", "\"shard\":[3]"));
  EXPECT_FALSE(with("\"time\":\"2026", "\"time\":\"x2026"));
}

TEST(dead_letters, come_back_from_the_file_in_order) {
  const temporary_directory root;
  const std::string directory = root / "dead-letters";
  dead_letter_writer writer({.directory = directory});
  const std::vector<dead_letter> first = {letter(1, "one"), letter(2, bytes_beyond_ascii())};
  const std::vector<dead_letter> second = {letter(3, std::string(300'000, 'z'))};
  ASSERT_TRUE(append(writer, first).has_value());
  ASSERT_TRUE(append(writer, {}).has_value());
  ASSERT_TRUE(append(writer, second).has_value());
  const contents found = read_file(only_file(directory));
  EXPECT_EQ(found.failure, "");
  EXPECT_EQ(found.torn, 0u);
  ASSERT_EQ(found.letters.size(), 3u);
  EXPECT_TRUE(found.letters[0] == first[0]);
  EXPECT_TRUE(found.letters[1] == first[1]);
  EXPECT_TRUE(found.letters[2] == second[0]);
}

TEST(dead_letters, nothing_is_made_before_the_first_letter) {
  const temporary_directory root;
  dead_letter_writer writer({.directory = root / "dead-letters"});
  EXPECT_FALSE(std::filesystem::exists(root / "dead-letters"));
  EXPECT_TRUE(dead_letter_files(root / "dead-letters")->empty());
}

TEST(dead_letters, a_file_belongs_to_one_start_and_one_day_and_has_its_owner_alone) {
  const temporary_directory root;
  for (int start = 0; start < 2; ++start) {
    dead_letter_writer writer({.directory = root / "d"});
    ASSERT_TRUE(append(writer, {letter(1, "a")}, noon).has_value());
    ASSERT_TRUE(append(writer, {letter(2, "b")}, noon + 11h).has_value());
    ASSERT_TRUE(append(writer, {letter(3, "c")}, noon + 12h).has_value());
  }
  const auto files = dead_letter_files(root / "d");
  EXPECT_THAT(*files, ElementsAre(root / "d/2026-01-02-000001.ndjson.zst", root / "d/2026-01-02-000002.ndjson.zst",
                                  root / "d/2026-01-03-000001.ndjson.zst", root / "d/2026-01-03-000002.ndjson.zst"));
  EXPECT_EQ(read_file(files->at(1)).letters.size(), 2u);
  using std::filesystem::perms;
  EXPECT_EQ(std::filesystem::status(files->at(0)).permissions(), perms::owner_read | perms::owner_write);
}

TEST(dead_letters, a_full_file_is_followed_by_a_new_one) {
  const temporary_directory root;
  dead_letter_writer writer({.directory = root / "d", .file_bytes_max = 1000});
  std::mt19937_64 random(1);
  std::string noise(600, ' ');
  for (char& c : noise) c = static_cast<char>(random());
  for (std::uint64_t i = 0; i < 5; ++i) ASSERT_TRUE(append(writer, {letter(i, noise)}).has_value());
  const auto files = dead_letter_files(root / "d");
  ASSERT_EQ(files->size(), 5u);
  for (std::uint64_t i = 0; i < 5; ++i) EXPECT_EQ(read_file(files->at(i)).letters.at(0).index, i);
}

TEST(dead_letters, a_tail_cut_anywhere_leaves_the_frames_before_it) {
  const temporary_directory root;
  dead_letter_writer writer({.directory = root / "d"});
  ASSERT_TRUE(append(writer, {letter(1, "one"), letter(2, "two")}).has_value());
  const std::size_t kept = read_whole(only_file(root / "d")).size();
  ASSERT_TRUE(append(writer, {letter(3, "three"), letter(4, bytes_beyond_ascii())}).has_value());
  const std::string whole = read_whole(only_file(root / "d"));
  ASSERT_GT(whole.size(), kept);
  for (std::size_t size = kept; size < whole.size(); ++size) {
    const contents found = read_bytes(whole.substr(0, size));
    ASSERT_EQ(found.failure, "") << size;
    ASSERT_EQ(found.letters.size(), 2u) << size;
    ASSERT_EQ(found.torn, size - kept);
  }
  EXPECT_EQ(read_bytes(whole).letters.size(), 4u);
  const contents zeros = read_bytes(whole + std::string(5000, '\0'));
  EXPECT_EQ(zeros.failure, "");
  EXPECT_EQ(zeros.letters.size(), 4u);
  EXPECT_EQ(zeros.torn, 5000u);
}

TEST(dead_letters, one_changed_byte_never_gives_a_wrong_letter) {
  const temporary_directory root;
  dead_letter_writer writer({.directory = root / "d"});
  const std::vector<dead_letter> letters = {letter(1, "one"), letter(2, "two")};
  ASSERT_TRUE(append(writer, {letters[0]}).has_value());
  ASSERT_TRUE(append(writer, {letters[1]}).has_value());
  const std::string whole = read_whole(only_file(root / "d"));
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    const contents found = read_bytes(changed);
    ASSERT_LE(found.letters.size(), 2u) << at;
    for (std::size_t i = 0; i < found.letters.size(); ++i) {
      ASSERT_TRUE(found.letters[i] == letters[i]) << at;
    }
  }
}

TEST(dead_letters, names_the_file_and_the_place_of_damage) {
  const temporary_directory root;
  write_whole(root / "x", "this is no zstd file");
  EXPECT_EQ(read_file(root / "x").failure, root / "x" + ": damaged data in the frame at byte 0");
  EXPECT_EQ(dead_letter_reader::open(root / "missing").error().message,
            root / "missing" + ": cannot be opened: No such file or directory");
}

TEST(dead_letters, limits_on_lines_and_frames_hold) {
  const temporary_directory root;
  dead_letter_writer writer({.directory = root / "d"});
  ASSERT_TRUE(append(writer, {letter(1, std::string(1'000'000, 'x'))}).has_value());
  const std::string path = only_file(root / "d");
  EXPECT_EQ(read_file(path).letters.size(), 1u);
  EXPECT_EQ(read_file(path, {.record_bytes_max = 999'999}).failure,
            path + ": a line over record_bytes_max in the frame at byte 0");
  EXPECT_EQ(read_file(path, {.frame_bytes_max = 999'999}).failure,
            path + ": more than frame_bytes_max bytes in the frame at byte 0");
}

// In a child process whose files may not grow beyond 64 KiB; its exit status says what it saw.
TEST(dead_letters, a_write_that_fails_half_way_is_cut_off_again) {
  const temporary_directory root;
  std::mt19937_64 random(1);
  std::string noise(200'000, ' ');
  for (char& c : noise) c = static_cast<char>(random());
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{65536, 65536};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    dead_letter_writer writer({.directory = root / "d"});
    const auto good = append(writer, {letter(1, "good")});
    const auto failed = append(writer, {letter(2, noise)});
    const auto after = append(writer, {letter(3, "after")});
    const bool as_expected = good && !failed && failed.error().code == store_errc::disk_full && after;
    ::_exit(as_expected ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  const contents found = read_file(only_file(root / "d"));
  EXPECT_EQ(found.failure, "");
  EXPECT_EQ(found.torn, 0u);
  ASSERT_EQ(found.letters.size(), 2u);
  EXPECT_EQ(found.letters[0].index, 1u);
  EXPECT_EQ(found.letters[1].index, 3u);
}

TEST(dead_letters, says_when_the_directory_cannot_be_made) {
  const temporary_directory root;
  dead_letter_writer writer({.directory = root / "a/b"});
  const auto result = append(writer, {letter(1, "x")});
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, store_errc::io);
  EXPECT_EQ(result.error().message, root / "a/b" + ": cannot be made: No such file or directory");
}

}  // namespace
}  // namespace engine
