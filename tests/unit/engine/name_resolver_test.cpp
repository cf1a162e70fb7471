// Names that need no name server only: these tests ask nobody outside this machine.
#include "engine/net/name_resolver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace engine {
namespace {

using testing::ElementsAre;
using namespace std::chrono_literals;

struct answer {
  resolve_result result;
  std::thread::id thread;
};

std::future<answer> ask(name_resolver& resolver, const std::string& name) {
  const auto promised = std::make_shared<std::promise<answer>>();
  auto pending = promised->get_future();
  resolver.resolve(name, [promised](const resolve_result& result) {
    promised->set_value({.result = result, .thread = std::this_thread::get_id()});
  });
  return pending;
}

answer resolved(const std::string& name) {
  name_resolver resolver;
  auto pending = ask(resolver, name);
  if (pending.wait_for(20s) != std::future_status::ready) {
    return {.result = std::unexpected(std::string("no answer")), .thread = {}};
  }
  return pending.get();
}

TEST(name_resolver, takes_an_address_for_itself) {
  EXPECT_THAT(resolved("127.0.0.1").result.value(), ElementsAre("127.0.0.1"));
  EXPECT_THAT(resolved("192.0.2.7").result.value(), ElementsAre("192.0.2.7"));
}

TEST(name_resolver, knows_localhost_and_names_below_it_without_asking) {
  for (const char* name : {"localhost", "project.localhost", "a.b.localhost"}) {
    EXPECT_THAT(resolved(name).result.value(), ElementsAre("127.0.0.1", "::1")) << name;
  }
}

TEST(name_resolver, makes_a_failure_a_value_with_a_text_for_people) {
  // Longer than any name may be, so the C library refuses it by itself.
  std::string endless;
  for (int i = 0; i < 200; ++i) endless += "ab.";
  for (const std::string& name : {endless + "invalid", std::string(300, 'a')}) {
    const auto failed = resolved(name).result;
    ASSERT_FALSE(failed.has_value()) << name.size();
    EXPECT_NE(failed.error(), "");
    EXPECT_NE(failed.error(), "no answer");
  }
}

TEST(name_resolver, answers_on_a_thread_of_its_own) {
  EXPECT_NE(resolved("127.0.0.1").thread, std::this_thread::get_id());
  EXPECT_NE(resolved("localhost").thread, std::this_thread::get_id());
}

TEST(name_resolver, answers_each_question_once_whoever_asks_and_from_where) {
  constexpr int threads = 4;
  constexpr int each = 100;
  name_resolver resolver;
  std::vector<std::atomic<int>> answered(threads * each);
  std::atomic<int> wrong = 0;
  std::atomic<int> left = threads * each;
  std::promise<void> all;
  std::vector<std::thread> asking;
  for (int t = 0; t < threads; ++t) {
    asking.emplace_back([&, t] {
      for (int i = 0; i < each; ++i) {
        // Few names and many questions: most of them join a lookup that is under way.
        const std::string name = "127.0.0." + std::to_string(1 + i % 6);
        resolver.resolve(name, [&, name, at = t * each + i](const resolve_result& result) {
          ++answered[static_cast<std::size_t>(at)];
          if (!result || *result != std::vector{name}) ++wrong;
          if (--left == 0) all.set_value();
        });
      }
    });
  }
  for (auto& one : asking) one.join();
  ASSERT_EQ(all.get_future().wait_for(20s), std::future_status::ready);
  EXPECT_EQ(wrong, 0);
  for (const auto& times : answered) EXPECT_EQ(times, 1);
}

TEST(name_resolver, may_end_before_its_answers) {
  const auto witness = std::make_shared<int>(0);
  {
    name_resolver resolver;
    for (int i = 1; i < 30; ++i) {
      resolver.resolve("127.0.0." + std::to_string(i), [witness](const resolve_result&) {});
    }
  }
  // What was not answered is destroyed uncalled, not kept by a thread that looks up still.
  EXPECT_EQ(witness.use_count(), 1);
}

}  // namespace
}  // namespace engine
