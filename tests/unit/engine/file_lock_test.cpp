#include "engine/host/file_lock.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <utility>

#include "host_test_support.hpp"

namespace engine {
namespace {

const std::string own_id = std::to_string(::getpid());

std::string refusal(const std::string& path) {
  const auto lock = file_lock::acquire(path);
  return lock ? "" : lock.error();
}

std::string held_by(const std::string& path, const std::string& holder) {
  return path + ": held by " + holder + "; one process at a time may use this state";
}

TEST(file_lock, makes_its_file_and_writes_the_process_into_it) {
  const temporary_directory root;
  const std::string path = root / "lock";
  const auto lock = file_lock::acquire(path);
  ASSERT_TRUE(lock.has_value()) << lock.error();
  EXPECT_EQ(read_whole(path), own_id + "\n");
}

TEST(file_lock, refuses_a_second_holder_and_names_the_first) {
  const temporary_directory root;
  const std::string path = root / "lock";
  const auto lock = file_lock::acquire(path);
  ASSERT_TRUE(lock.has_value());
  EXPECT_EQ(refusal(path), held_by(path, "process " + own_id));
  EXPECT_EQ(refusal(path), held_by(path, "process " + own_id)) << "a refusal changes nothing";
  EXPECT_EQ(read_whole(path), own_id + "\n");
}

TEST(file_lock, is_let_go_of_at_its_end_and_leaves_the_file) {
  const temporary_directory root;
  const std::string path = root / "lock";
  for (int round = 0; round < 3; ++round) {
    const auto lock = file_lock::acquire(path);
    ASSERT_TRUE(lock.has_value()) << lock.error();
  }
  EXPECT_TRUE(std::filesystem::exists(path));
  EXPECT_EQ(refusal(path), "");
}

TEST(file_lock, moves_with_its_owner) {
  const temporary_directory root;
  const std::string path = root / "lock";
  auto first = file_lock::acquire(path);
  ASSERT_TRUE(first.has_value());
  {
    const file_lock second = *std::move(first);
    first = std::unexpected(std::string("gone"));
    EXPECT_EQ(refusal(path), held_by(path, "process " + own_id));
  }
  EXPECT_EQ(refusal(path), "");
}

TEST(file_lock, of_one_path_says_nothing_about_another) {
  const temporary_directory root;
  const auto one = file_lock::acquire(root / "one");
  const auto two = file_lock::acquire(root / "two");
  EXPECT_TRUE(one.has_value());
  EXPECT_TRUE(two.has_value());
}

TEST(file_lock, replaces_what_an_earlier_process_wrote) {
  const temporary_directory root;
  write_whole(root / "lock", "99999999999999\nand more\n");
  const auto lock = file_lock::acquire(root / "lock");
  ASSERT_TRUE(lock.has_value());
  EXPECT_EQ(read_whole(root / "lock"), own_id + "\n");
}

TEST(file_lock, speaks_of_another_process_when_the_file_names_none) {
  const temporary_directory root;
  const std::string path = root / "lock";
  const auto lock = file_lock::acquire(path);
  ASSERT_TRUE(lock.has_value());
  for (const char* text : {"", "pid 5\n", "\n5", "-5"}) {
    write_whole(path, text);
    EXPECT_EQ(refusal(path), held_by(path, "another process")) << text;
  }
  write_whole(path, "5x");
  EXPECT_EQ(refusal(path), held_by(path, "process 5"));
}

TEST(file_lock, says_why_the_file_cannot_be_opened) {
  const temporary_directory root;
  EXPECT_EQ(refusal(root / "absent/lock"), root / "absent/lock" + ": cannot be opened: No such file or directory");
  EXPECT_EQ(refusal(root.path()), root.path() + ": cannot be opened: Is a directory");
}

// A started program must not go on holding the state of one that has ended.
TEST(file_lock, is_not_handed_to_programs_that_are_started) {
  const temporary_directory root;
  std::filesystem::create_directory(root / "d");
  const std::string path = root / "d/lock";
  const auto lock = file_lock::acquire(path);
  ASSERT_TRUE(lock.has_value());
  int found = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;  // the descriptor of this very listing
    if (std::filesystem::read_symlink(entry.path(), gone) != path) continue;
    ++found;
    EXPECT_NE(::fcntl(std::stoi(entry.path().filename()), F_GETFD) & FD_CLOEXEC, 0);
  }
  EXPECT_EQ(found, 1);
}

// A child process takes the lock, says so through the pipe and waits to be killed.
class holding_child {
 public:
  explicit holding_child(const std::string& path) {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    id_ = ::fork();
    if (id_ == 0) {
      ::alarm(60);  // whatever becomes of the test
      const auto lock = file_lock::acquire(path);
      const char word = lock ? 'y' : 'n';
      if (::write(ends[1], &word, 1) == 1) {
        for (;;) ::pause();
      }
      ::_exit(1);
    }
    ::close(ends[1]);
    char word = 0;
    EXPECT_EQ(::read(ends[0], &word, 1), 1);
    EXPECT_EQ(word, 'y');
    ::close(ends[0]);
  }
  ~holding_child() { end(SIGKILL); }
  holding_child(const holding_child&) = delete;
  holding_child& operator=(const holding_child&) = delete;

  [[nodiscard]] std::string id() const { return std::to_string(id_); }
  void end(int signal) {
    if (id_ <= 0) return;
    ::kill(id_, signal);
    ::waitpid(std::exchange(id_, -1), nullptr, 0);
  }

 private:
  pid_t id_ = -1;
};

TEST(file_lock, outlives_its_holder_in_no_way) {
  const temporary_directory root;
  const std::string path = root / "lock";
  for (const int signal : {SIGKILL, SIGTERM, SIGABRT}) {
    holding_child child(path);
    EXPECT_EQ(refusal(path), held_by(path, "process " + child.id()));
    child.end(signal);
    EXPECT_EQ(refusal(path), "") << signal;
  }
}

}  // namespace
}  // namespace engine
