#include "engine/host/state_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <map>
#include <random>

#include "engine/host/io_context.hpp"
#include "host_test_support.hpp"

namespace engine {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class fixed_clock final : public clock {
 public:
  [[nodiscard]] time_point now() const override { return time_point(1s); }
  [[nodiscard]] wall_time wall() const override { return wall_time(1'767'312'000'005ms); }
  timer_id call_at(time_point, std::move_only_function<void()>) override { return 0; }
  void cancel(timer_id) override {}
};

// A store with what it needs to live.
struct opened {
  fixed_clock time;
  metric_registry metrics;
  std::expected<std::unique_ptr<state_store>, store_failure> result;
  explicit opened(const std::string& path, std::size_t group_max = 1000)
      : result(state_store::open({.path = path, .group_max = group_max}, time, metrics)) {}
  [[nodiscard]] std::string error() const { return result ? "" : result.error().message; }
  state_store& operator*() { return **result; }
  state_store* operator->() { return result->get(); }
};

route_id route(std::int64_t shard) { return {"prod-cn", "audit-prod", "actiontrail_main", shard, "sentinel-main"}; }

dead_letter letter(std::uint64_t index, std::string original) {
  return {.route = route(3),
          .reason = "bad_json",
          .detail = "",
          .cursor = "c",
          .index = index,
          .original = std::move(original)};
}

std::vector<std::uint64_t> buried_in(const std::string& state_path) {
  std::vector<std::uint64_t> found;
  const auto files = dead_letter_files(state_store::dead_letter_directory(state_path));
  for (const std::string& file : *files) {
    auto reader = dead_letter_reader::open(file);
    while (true) {
      auto record = reader->next();
      EXPECT_TRUE(record.has_value());
      if (!record || !*record) break;
      found.push_back((*record)->letter.index);
    }
  }
  return found;
}

void execute(const std::string& path, const char* sql) {
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &handle), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(handle, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(handle);
  sqlite3_close(handle);
}

TEST(state_store, an_unknown_route_has_no_position) {
  const temporary_directory root;
  opened store(root / "state.db");
  const auto position = run_here(store->load(route(0)));
  ASSERT_TRUE(position.has_value());
  EXPECT_EQ(position->committed, "");
  EXPECT_EQ(position->pulled, "");
}

TEST(state_store, keeps_positions_of_routes_apart_and_across_a_reopening) {
  const temporary_directory root;
  route_id other = route(0);
  other.destination = "second";
  {
    opened store(root / "state.db");
    ASSERT_TRUE(run_here(store->commit(route(0), "c1")).has_value());
    ASSERT_TRUE(run_here(store->note_pulled(route(0), "p1")).has_value());
    ASSERT_TRUE(run_here(store->commit(route(0), "c2")).has_value());
    ASSERT_TRUE(run_here(store->note_pulled(other, "p9")).has_value());
    ASSERT_TRUE(run_here(store->commit(route(1), "c5")).has_value());
  }
  opened store(root / "state.db");
  EXPECT_EQ(run_here(store->load(route(0)))->committed, "c2");
  EXPECT_EQ(run_here(store->load(route(0)))->pulled, "p1");
  EXPECT_EQ(run_here(store->load(other))->committed, "");
  EXPECT_EQ(run_here(store->load(other))->pulled, "p9");
  EXPECT_EQ(run_here(store->load(route(1)))->committed, "c5");
  EXPECT_EQ(run_here(store->load(route(2)))->committed, "");
}

TEST(state_store, lists_positions_beside_a_running_store_and_after_it) {
  const temporary_directory root;
  const std::string path = root / "odd name?#%41.db";
  {
    opened store(path);
    EXPECT_TRUE(state_store::list(path)->empty());
    ASSERT_TRUE(run_here(store->commit(route(2), "c")).has_value());
    ASSERT_TRUE(run_here(store->note_pulled(route(1), "p")).has_value());
    const auto routes = state_store::list(path);
    ASSERT_TRUE(routes.has_value()) << routes.error().message;
    ASSERT_EQ(routes->size(), 2u);
    EXPECT_EQ(routes->at(0).route, route(1));
    EXPECT_EQ(routes->at(0).position.pulled, "p");
    EXPECT_EQ(routes->at(1).route, route(2));
    EXPECT_EQ(routes->at(1).position.committed, "c");
    EXPECT_EQ(routes->at(1).updated, fixed_clock().wall());
  }
  EXPECT_EQ(state_store::list(path)->size(), 2u);
}

TEST(state_store, lists_nothing_where_there_is_no_file_and_makes_none) {
  const temporary_directory root;
  const auto routes = state_store::list(root / "none.db");
  ASSERT_FALSE(routes.has_value());
  EXPECT_EQ(routes.error().code, store_errc::io);
  EXPECT_THAT(routes.error().message, HasSubstr("none.db: unable to open database file"));
  EXPECT_FALSE(std::filesystem::exists(root / "none.db"));
}

TEST(state_store, dead_letters_are_in_the_file_when_bury_returns) {
  const temporary_directory root;
  opened store(root / "state.db");
  ASSERT_TRUE(run_here(store->bury({letter(1, "a"), letter(2, "\xff")})).has_value());
  EXPECT_EQ(buried_in(root / "state.db"), (std::vector<std::uint64_t>{1, 2}));
  ASSERT_TRUE(run_here(store->bury({letter(3, "c")})).has_value());
  EXPECT_EQ(buried_in(root / "state.db"), (std::vector<std::uint64_t>{1, 2, 3}));
  EXPECT_EQ(store.metrics.counter("penstock_store_letters_total", "Dead letters written to disk.").value(), 3);
}

task<void> commit_up_to(state_store& store, std::int64_t shard, int last, std::atomic<int>& wrong) {
  for (int i = 1; i <= last; ++i) {
    const auto committed = co_await store.commit(route(shard), std::to_string(i));
    if (!committed) ++wrong;
    const auto position = co_await store.load(route(shard));
    if (!position || position->committed != std::to_string(i)) ++wrong;
  }
}

TEST(state_store, many_coroutines_on_two_threads_each_see_what_they_committed) {
  for (const std::size_t group_max : {1u, 3u, 1000u}) {
    const temporary_directory root;
    io_context io(2);
    opened store(root / "state.db", group_max);
    std::atomic<int> wrong = 0;
    for (std::int64_t shard = 0; shard < 100; ++shard) start(io.get_executor(), commit_up_to(*store, shard, 20, wrong));
    io.start();
    io.join();
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(store.metrics.counter("penstock_store_requests_total", "Requests to the state store.").value(), 4000);
    EXPECT_EQ(state_store::list(root / "state.db")->size(), 100u);
  }
}

task<void> commit_one(state_store& store, std::int64_t shard, int& saved) {
  const auto result = co_await store.commit(route(shard), "c");
  saved += result ? 1 : 0;
}

TEST(state_store, close_finishes_what_was_asked_for_and_refuses_what_comes_later) {
  const temporary_directory root;
  asio::io_context io(1);
  opened store(root / "state.db");
  int saved = 0;
  for (std::int64_t shard = 0; shard < 500; ++shard) start(io.get_executor(), commit_one(*store, shard, saved));
  io.poll();
  store->close();
  store->close();
  io.run();
  EXPECT_EQ(saved, 500);
  EXPECT_EQ(state_store::list(root / "state.db")->size(), 500u);
  EXPECT_EQ(run_here(store->commit(route(0), "d")).error().code, store_errc::closed);
  EXPECT_EQ(run_here(store->load(route(0))).error().code, store_errc::closed);
  EXPECT_EQ(run_here(store->bury({letter(1, "a")})).error().code, store_errc::closed);
  EXPECT_TRUE(buried_in(root / "state.db").empty());
  opened again(root / "state.db");  // the lock was let go of
  EXPECT_EQ(again.error(), "");
}

TEST(state_store, a_second_opener_is_refused_and_told_who_holds_it) {
  const temporary_directory root;
  opened first(root / "state.db");
  const opened second(root / "state.db");
  ASSERT_FALSE(second.result.has_value());
  EXPECT_EQ(second.result.error().code, store_errc::io);
  EXPECT_EQ(second.error(), root / "state.db.lock: held by process " + std::to_string(::getpid()) +
                                "; one process at a time may use this state");
  ASSERT_TRUE(run_here(first->commit(route(0), "still fine")).has_value());
}

TEST(state_store, makes_one_level_of_directory_and_no_more) {
  const temporary_directory root;
  {
    opened store(root / "new/state.db");
    EXPECT_EQ(store.error(), "");
  }
  const opened deep(root / "a/b/state.db");
  ASSERT_FALSE(deep.result.has_value());
  EXPECT_EQ(deep.result.error().code, store_errc::io);
  EXPECT_EQ(deep.error(), root / "a/b: the directory does not exist and cannot be made: No such file or directory");
}

TEST(state_store, refuses_a_file_of_a_newer_version) {
  const temporary_directory root;
  {
    const opened store(root / "state.db");
  }
  execute(root / "state.db", "PRAGMA user_version = 2");
  const opened newer(root / "state.db");
  ASSERT_FALSE(newer.result.has_value());
  EXPECT_EQ(newer.result.error().code, store_errc::corrupt);
  EXPECT_EQ(
      newer.error(),
      root /
          "state.db: written by a newer version of this program (schema 2, this one knows 1); use that version, or "
          "another state file");
  EXPECT_EQ(state_store::list(root / "state.db").error().message, newer.error());
}

TEST(state_store, refuses_a_database_of_another_program_and_leaves_it_alone) {
  const temporary_directory root;
  execute(root / "state.db", "CREATE TABLE theirs (a)");
  const std::string before = read_whole(root / "state.db");
  const opened store(root / "state.db");
  EXPECT_EQ(store.error(), root / "state.db: an SQLite file of another program");
  EXPECT_EQ(read_whole(root / "state.db"), before);
}

TEST(state_store, refuses_a_damaged_file_by_name) {
  const temporary_directory root;
  write_whole(root / "state.db", std::string(10'000, 'x'));
  const opened garbage(root / "state.db");
  ASSERT_FALSE(garbage.result.has_value());
  EXPECT_EQ(garbage.result.error().code, store_errc::corrupt);
  EXPECT_THAT(garbage.error(), HasSubstr(root / "state.db: file is not a database"));
  EXPECT_EQ(state_store::list(root / "state.db").error().code, store_errc::corrupt);
}

TEST(state_store, refuses_a_file_with_a_damaged_page) {
  const temporary_directory root;
  {
    opened store(root / "state.db");
    for (std::int64_t i = 0; i < 400; ++i) ASSERT_TRUE(run_here(store->commit(route(i), "cursor")).has_value());
  }
  std::string bytes = read_whole(root / "state.db");
  ASSERT_GT(bytes.size(), 5u * 4096);
  for (std::size_t i = 0; i < 4096; ++i) bytes[2 * 4096 + i] = static_cast<char>(i * 7);
  write_whole(root / "state.db", bytes);
  const opened damaged(root / "state.db");
  ASSERT_FALSE(damaged.result.has_value());
  EXPECT_EQ(damaged.result.error().code, store_errc::corrupt);
  EXPECT_THAT(damaged.error(), HasSubstr(root / "state.db: damaged"));
}

task<void> count_up(state_store& store, std::int64_t shard, int pipe_end) {
  for (std::uint32_t i = 1;; ++i) {
    const auto result = co_await store.commit(route(shard), std::to_string(i));
    if (!result) ::_exit(2);
    const std::uint32_t message[2] = {static_cast<std::uint32_t>(shard), i};
    if (::write(pipe_end, message, sizeof message) != sizeof message) ::_exit(3);
  }
}

constexpr std::uint32_t letters_mark = 0xffffffff;

task<void> bury_up(state_store& store, std::uint32_t first, int pipe_end) {
  for (std::uint32_t i = first;; ++i) {
    std::vector<dead_letter> letters;
    letters.push_back(letter(i, std::string(i % 3000, 'x')));
    const auto result = co_await store.bury(std::move(letters));
    if (!result) ::_exit(2);
    const std::uint32_t message[2] = {letters_mark, i};
    if (::write(pipe_end, message, sizeof message) != sizeof message) ::_exit(3);
  }
}

// The child says on a pipe what was answered, and is killed in the middle of it.
TEST(state_store, what_was_answered_survives_kill_nine) {
  std::mt19937_64 random(20260102);
  for (int round = 0; round < 25; ++round) {
    const temporary_directory root;
    const std::string path = root / "state.db";
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(ends[0]);
      asio::io_context io(1);
      opened store(path);
      if (!store.result) ::_exit(1);
      for (std::int64_t shard = 0; shard < 4; ++shard) start(io.get_executor(), count_up(*store, shard, ends[1]));
      start(io.get_executor(), bury_up(*store, 1, ends[1]));
      io.run();
      ::_exit(4);
    }
    ::close(ends[1]);
    std::map<std::uint32_t, std::uint32_t> answered;
    std::uint64_t messages = 0;
    const std::uint64_t kill_after = 1 + random() % 400;
    std::uint32_t message[2];
    while (::read(ends[0], message, sizeof message) == sizeof message) {
      answered[message[0]] = message[1];
      if (++messages == kill_after) ::kill(child, SIGKILL);
    }
    ::close(ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;

    const std::vector<std::uint64_t> buried = buried_in(path);
    ASSERT_GE(buried.size(), answered[letters_mark]);
    for (std::size_t i = 0; i < buried.size(); ++i) ASSERT_EQ(buried[i], i + 1);
    opened store(path);
    ASSERT_EQ(store.error(), "");
    for (std::uint32_t shard = 0; shard < 4; ++shard) {
      const auto position = run_here(store->load(route(shard)));
      ASSERT_TRUE(position.has_value());
      const std::uint32_t saved =
          position->committed.empty() ? 0 : static_cast<std::uint32_t>(std::stoul(position->committed));
      ASSERT_GE(saved, answered[shard]) << "round " << round << " shard " << shard;
      ASSERT_LE(saved, answered[shard] + 1) << "at most the one whose answer was on its way";
    }
  }
}

// In a child process whose files may not grow beyond `room` bytes: as on a full disk. Exit status: which expectation
// failed.
int fill_the_disk(const std::string& path, rlim_t room, int pipe_end) {
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{room, room};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  opened store(path);
  if (!store.result) return 1;
  std::uint32_t saved = 0;
  store_result result;
  while (saved < 100'000) {
    result = run_here(store->commit(route(saved), std::string(200, 'c')));
    if (!result) break;
    ++saved;
  }
  if (result || result.error().code != store_errc::disk_full) return 2;
  const store_failure first = result.error();
  const auto load = run_here(store->load(route(0)));
  if (load || load.error().message != first.message) return 3;
  const auto commit = run_here(store->commit(route(0), "never"));
  if (commit || commit.error().code != store_errc::disk_full) return 4;
  const auto bury = run_here(store->bury({letter(1, "small enough to fit")}));
  if (bury || bury.error().message != first.message) return 5;
  if (::write(pipe_end, &saved, sizeof saved) != sizeof saved) return 6;
  return 0;
}

TEST(state_store, a_full_disk_fails_every_later_call_and_loses_nothing_answered) {
  for (rlim_t room = 60'000; room < 400'000; room += 20'011) {
    SCOPED_TRACE(room);
    const temporary_directory root;
    const std::string path = root / "state.db";
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) ::_exit(fill_the_disk(path, room, ends[1]));
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    ASSERT_EQ(WEXITSTATUS(status), 0);
    std::uint32_t saved = 0;
    ASSERT_EQ(::read(ends[0], &saved, sizeof saved), static_cast<ssize_t>(sizeof saved));
    ::close(ends[0]);
    ::close(ends[1]);
    EXPECT_GT(saved, 0u);
    EXPECT_TRUE(buried_in(path).empty());
    opened store(path);
    ASSERT_EQ(store.error(), "");
    for (std::uint32_t i = 0; i < saved; ++i) {
      ASSERT_EQ(run_here(store->load(route(i)))->committed, std::string(200, 'c')) << i;
    }
    EXPECT_EQ(state_store::list(path)->size(), saved);
  }
}

// The dead letter of a group cannot be written, so neither may the position that counts on it.
TEST(state_store, no_position_is_saved_in_a_group_whose_dead_letter_failed) {
  const temporary_directory root;
  const std::string path = root / "state.db";
  write_whole(root / "dead-letters", "a file where the directory should be");
  opened store(path);
  ASSERT_TRUE(run_here(store->commit(route(0), "before")).has_value());
  const auto bury = run_here(store->bury({letter(1, "x")}));
  ASSERT_FALSE(bury.has_value());
  EXPECT_THAT(bury.error().message, HasSubstr("dead-letters"));
  const auto commit = run_here(store->commit(route(0), "after"));
  ASSERT_FALSE(commit.has_value());
  EXPECT_EQ(commit.error().message, bury.error().message);
  store->close();
  EXPECT_EQ(state_store::list(path)->at(0).position.committed, "before");
}

}  // namespace
}  // namespace engine
