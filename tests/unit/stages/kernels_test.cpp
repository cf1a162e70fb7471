// Every kernel that this machine has is forced and gives what its portable twin gives. (Those of ours
// by themselves: json_escape_test.cpp, escape_check_test.cpp.)
#include "stages/kernels.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <optional>
#include <random>
#include <string>

#include "stages/decode.hpp"
#include "stages/parse.hpp"
#include "stages/transform.hpp"
#include "tests/support/log_group_builder.hpp"

namespace stages {
namespace {

using testing::AnyOf;
using testing::Contains;

// The implementation stays chosen for the objects made meanwhile; the one before comes back at the end.
class forced_index_kernel {
 public:
  explicit forced_index_kernel(std::string_view name) {
    simdjson::get_active_implementation() = simdjson::get_available_implementations()[std::string(name)];
  }
  ~forced_index_kernel() { simdjson::get_active_implementation() = before_; }
  forced_index_kernel(const forced_index_kernel&) = delete;
  forced_index_kernel& operator=(const forced_index_kernel&) = delete;

 private:
  const simdjson::implementation* const before_ = simdjson::get_active_implementation();
};

// One event with what index kernels disagree about when one is wrong: escapes and quotes across 64-byte boundaries,
// multi-byte text, control characters.
std::string random_event(std::mt19937& random) {
  static constexpr std::string_view pieces[] = {
      R"(\")", R"(\\)", R"(\\\\)", R"(\n)",  R"(\u00e9)", R"(\ud83d\ude00)", "{",          "}", "[", "]", ":",
      ",",     " ",     "中文",    "møller", "😀",        "plain",           "0123456789", "/", "'"};
  std::string text;
  for (auto n = random() % 120; n > 0; --n) text += pieces[random() % std::size(pieces)];
  return R"({"eventId":")" + std::to_string(random()) + R"(","eventName":"DescribeInstances","errorMessage":")" + text +
         R"(","requestParameters":{"a":[1,-2.5e3,true,null,"x"],"b":{}},"isGlobal":false})";
}

// The good ones, and ones with a byte changed, left out or doubled.
std::vector<std::string> random_events(unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::string> out;
  for (int i = 0; i < 2'000; ++i) {
    std::string event = random_event(random);
    const std::size_t at = random() % event.size();
    if (i % 4 == 1) event[at] = static_cast<char>(random());
    if (i % 4 == 2) event.erase(at, 1);
    if (i % 4 == 3) event.insert(at, 1, event[at]);
    out.push_back(std::move(event));
  }
  return out;
}

// The rows of what parses, then what does not with its reason.
std::string outcome(const std::vector<std::string>& events, kernel kind) {
  tests::log_group_builder group;
  for (const std::string& event : events) group.event(event);
  tests::padded_block block(tests::group_list({group}));
  log_groups groups;
  EXPECT_TRUE(decode(block.block(), std::nullopt, groups).has_value());
  records found;
  parse stage({}, kind);
  stage(groups, found);
  rows made;
  transform build({.format = row_format::value}, kind);
  build(found, made);
  std::string out = made.text;
  for (const set_aside& bad : found.bad)
    out += '\n' + std::to_string(bad.index) + ' ' + std::string(name_of(bad.reason));
  return out;
}

TEST(kernels, every_index_kernel_finds_the_same_events_good_and_bad) {
  constexpr unsigned seed = 20'261'121;
  SCOPED_TRACE("seed " + std::to_string(seed));
  const auto events = random_events(seed);
  std::string expected;
  {
    const forced_index_kernel portable("fallback");
    expected = outcome(events, kernel::portable);
  }
  ASSERT_GT(std::ranges::count(expected, '\n'), 200);        // bad ones are among them
  ASSERT_GT(expected.size() - expected.find('\n'), 1'000U);  // and named
  for (const std::string_view name : index_kernel_names()) {
    SCOPED_TRACE(name);
    const forced_index_kernel forced(name);
    EXPECT_EQ(index_kernel_name(), name);
    EXPECT_EQ(outcome(events, kernel::portable), expected);
  }
}

TEST(kernels, every_kernel_of_ours_takes_the_same_events_and_makes_the_same_rows) {
  constexpr unsigned seed = 20'261'122;
  SCOPED_TRACE("seed " + std::to_string(seed));
  const auto events = random_events(seed);
  const std::string expected = outcome(events, kernel::portable);
  for (const kernel kind : kernels_here()) {
    SCOPED_TRACE(name_of(kind));
    EXPECT_EQ(outcome(events, kind), expected);
  }
}

TEST(kernels, the_active_ones_are_among_those_this_machine_has_and_the_portable_ones_always_are) {
  EXPECT_EQ(kernels_here().front(), best_kernel());
  EXPECT_EQ(kernels_here().back(), kernel::portable);
  for (const kernel kind : {kernel::portable, kernel::avx2, kernel::avx512}) {
    EXPECT_EQ(std::ranges::count(kernels_here(), kind), runs_here(kind) ? 1 : 0) << name_of(kind);
  }
  EXPECT_THAT(index_kernel_names(), Contains(index_kernel_name()));
  EXPECT_THAT(index_kernel_names(), Contains("fallback"));
}

TEST(kernels, names_the_encoder_of_each_setting) {
  EXPECT_THAT(encoder_name(compression_level::fast), AnyOf("ISA-L igzip, level 1", "libdeflate, level 1"));
  EXPECT_EQ(encoder_name(compression_level::small), "libdeflate, level 6");
  EXPECT_EQ(encoder_name(compression_level::none), "none");
}

}  // namespace
}  // namespace stages
