#include "engine/host/signals.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <csignal>
#include <string>

namespace engine {
namespace {

// Raises signals one after the other: each when the one before was handled, since the kernel merges equal pending ones.
class signals_seen {
 public:
  explicit signals_seen(asio::io_context& io)
      : signals_(std::in_place, io.get_executor(),
                 signal_handlers{.on_drain = [this] { seen('d'); },
                                 .on_abort = [this] { seen('a'); },
                                 .on_reload = [this] { seen('r'); }}) {}
  std::string after(asio::io_context& io, std::initializer_list<int> numbers) {
    for (const int number : numbers) {
      const std::size_t before = order_.size();
      ::raise(number);
      while (order_.size() == before) io.run_one();
    }
    return order_;
  }
  void stop_listening() { signals_.reset(); }

 private:
  void seen(char what) { order_ += what; }
  std::string order_;
  std::optional<signals> signals_;
};

TEST(signals, the_first_drains_and_the_second_aborts) {
  asio::io_context io(1);
  signals_seen seen(io);
  EXPECT_EQ(seen.after(io, {SIGTERM, SIGTERM}), "da");
}

TEST(signals, interrupt_and_terminate_mean_the_same) {
  asio::io_context io(1);
  signals_seen seen(io);
  EXPECT_EQ(seen.after(io, {SIGINT, SIGTERM, SIGINT}), "daa");
}

TEST(signals, hang_up_reloads_each_time_and_counts_for_nothing_else) {
  asio::io_context io(1);
  signals_seen seen(io);
  EXPECT_EQ(seen.after(io, {SIGHUP, SIGHUP, SIGTERM, SIGHUP, SIGTERM}), "rrdra");
}

TEST(signals, a_handler_that_is_not_given_is_not_called) {
  asio::io_context io(1);
  const signals none(io.get_executor(), {});
  ::raise(SIGTERM);
  ::raise(SIGHUP);
  io.poll();
  SUCCEED();
}

TEST(signals, a_pipe_without_a_reader_is_an_error_of_the_write) {
  asio::io_context io(1);
  const signals listening(io.get_executor(), {});
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  EXPECT_EQ(::write(ends[1], "x", 1), -1);  // would end the process
  EXPECT_EQ(errno, EPIPE);
  ::close(ends[1]);
}

TEST(signals, the_context_runs_out_of_work_when_nobody_listens_any_more) {
  asio::io_context io(1);
  signals_seen seen(io);
  EXPECT_EQ(seen.after(io, {SIGHUP}), "r");
  seen.stop_listening();
  io.run();
  SUCCEED();
}

TEST(signals, have_their_default_action_again_afterwards) {
  EXPECT_EXIT(
      {
        asio::io_context io(1);
        std::optional<signals> listening(std::in_place, io.get_executor(), signal_handlers{});
        listening.reset();
        ::raise(SIGTERM);
        ::_exit(0);
      },
      testing::KilledBySignal(SIGTERM), "");
}

}  // namespace
}  // namespace engine
