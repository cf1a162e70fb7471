#include "engine/host/io_context.hpp"

#include <gtest/gtest.h>
#include <pthread.h>

#include <array>
#include <atomic>
#include <barrier>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <future>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "host_test_support.hpp"

namespace engine {
namespace {

using namespace std::chrono_literals;

std::string thread_name_here() {
  std::array<char, 16> name{};
  ::pthread_getname_np(::pthread_self(), name.data(), name.size());
  return name.data();
}

// The names of the threads of a context: `count` handlers that meet, so each is on a thread of its own.
std::set<std::string> names_of(io_context& io, int count) {
  std::barrier<> meeting(count);
  std::mutex mutex;
  std::set<std::string> names;
  for (int i = 0; i < count; ++i) {
    asio::post(io.get_executor(), [&] {
      meeting.arrive_and_wait();
      const std::lock_guard lock(mutex);
      names.insert(thread_name_here());
    });
  }
  io.start();
  io.join();
  return names;
}

TEST(io_context, runs_handlers_on_as_many_threads_as_asked_for_and_names_them) {
  io_context three(3);
  EXPECT_EQ(names_of(three, 3), (std::set<std::string>{"io-0", "io-1", "io-2"}));
}

TEST(io_context, has_one_thread_at_least) {
  io_context none(0);
  EXPECT_EQ(names_of(none, 1), std::set<std::string>{"io-0"});
}

TEST(io_context, runs_nothing_before_its_start) {
  std::atomic<bool> ran = false;
  io_context io(1);
  asio::post(io.get_executor(), [&] { ran = true; });
  EXPECT_FALSE(ran);
  io.start();
  io.join();
  EXPECT_TRUE(ran);
}

// Work that comes when there has been none for a while finds its threads.
TEST(io_context, keeps_idle_threads_until_join) {
  io_context io(2);
  io.start();
  for (int i = 0; i < 50; ++i) {
    std::promise<void> ran;
    asio::post(io.get_executor(), [&] { ran.set_value(); });
    ASSERT_EQ(ran.get_future().wait_for(20s), std::future_status::ready);
  }
  io.join();
}

TEST(io_context, join_waits_for_work_that_makes_more_work) {
  std::atomic<int> left = 1000;
  io_context io(2);
  struct step {
    executor ex;
    std::atomic<int>& left;
    void operator()() const {
      if (--left > 0) asio::post(ex, *this);
    }
  };
  asio::post(io.get_executor(), step{io.get_executor(), left});
  io.start();
  io.join();
  EXPECT_EQ(left, 0);
}

TEST(io_context, stop_lets_the_handler_that_runs_finish_and_starts_no_other) {
  std::promise<void> inside;
  std::promise<void> go_on;
  std::atomic<bool> finished = false;
  std::atomic<bool> other = false;
  io_context io(1);
  asio::post(io.get_executor(), [&] {
    inside.set_value();
    go_on.get_future().wait();
    finished = true;
  });
  asio::post(io.get_executor(), [&] { other = true; });
  io.start();
  inside.get_future().wait();
  io.stop();
  go_on.set_value();
  io.join();
  EXPECT_TRUE(finished);
  EXPECT_FALSE(other);
}

task<void> wait_for_an_hour(std::shared_ptr<int> held, std::promise<void>& waiting, std::atomic<bool>& went_on) {
  const auto ex = co_await asio::this_coro::executor;
  asio::steady_timer timer(ex, 1h);
  waiting.set_value();
  co_await timer.async_wait(asio::use_awaitable);
  went_on = true;
  ++*held;
}

TEST(io_context, destroys_coroutines_that_wait_without_running_them_on) {
  const auto held = std::make_shared<int>(0);
  std::atomic<bool> went_on = false;
  std::promise<void> waiting;
  {
    io_context io(2);
    io.start();
    start(io.get_executor(), wait_for_an_hour(held, waiting, went_on));
    waiting.get_future().wait();
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1) << "its frame and what it holds are gone";
  EXPECT_FALSE(went_on);
}

TEST(io_context, may_end_without_having_started) {
  const auto held = std::make_shared<int>(0);
  {
    io_context io(2);
    asio::post(io.get_executor(), [held] { ++*held; });
  }
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(*held, 0);
}

TEST(io_context, stop_and_join_may_be_said_twice) {
  io_context io(2);
  io.start();
  io.stop();
  io.stop();
  io.join();
  io.join();
  std::atomic<bool> ran = false;
  asio::post(io.get_executor(), [&] { ran = true; });
  EXPECT_FALSE(ran);
}

TEST(io_context_death_test, an_exception_that_leaves_a_handler_ends_the_program) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto run = [] {
    io_context io(1);
    asio::post(io.get_executor(), [] { throw std::runtime_error("left a handler"); });
    io.start();
    io.join();
  };
  EXPECT_DEATH(run(), "left a handler");
}

}  // namespace
}  // namespace engine
