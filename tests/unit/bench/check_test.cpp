#include "bench/check.hpp"

#include <gtest/gtest.h>

#include "bench/corpus.hpp"
#include "bench/prepared.hpp"
#include "long_event.hpp"
#include "tests/support/corpus_file.hpp"

namespace {

using bench_tests::event_with;
using stages::row_format;
using testing::ExitedWithCode;
using tests::corpus_file;

constexpr std::size_t over_the_limit = 70'000;

// One short event, one whose column is cut, one of which only the value row is cut; none has a time of its own.
class row_check_test : public testing::TestWithParam<row_format> {
 protected:
  row_check_test() : rows_(bench::rows_of(in_, GetParam()).front()) {}

  [[nodiscard]] std::string body() const { return bench::body_of(rows_.text); }
  // As a row of the benchmark does it: ends the program or returns.
  void check(std::string_view body, std::size_t left_out = 0) const {
    bench::row_check expected(in_, 0);
    expected.add_body(body, false);
    expected.demand_all("row", left_out);
  }

  const corpus_file file_{event_with("short", "requestParameters", 10) + "\n" +
                          event_with("cut", "responseElements", over_the_limit) + "\n" +
                          event_with("long", "additionalEventData", 65'500) + "\n"};
  bench::corpora all_{file_.path()};
  const bench::corpus& in_ = all_.get("file");
  const stages::rows rows_;
};

TEST_P(row_check_test, takes_the_rows_of_cut_events) {
  EXPECT_NE(body().find("penstock_cut"), std::string::npos);
  check(body());
}

TEST_P(row_check_test, ends_the_program_on_one_changed_byte_of_any_row) {
  for (const std::string_view place : {"\"a", "short", "sha256", "xxxx", "RunInstances"}) {
    std::string changed = body();
    if (changed.find(place) == std::string::npos) continue;
    changed[changed.find(place) + place.size() - 1] ^= 1;
    EXPECT_EXIT(check(changed), ExitedWithCode(1), "1 altered|1 unknown") << place;
  }
}

TEST_P(row_check_test, ends_the_program_when_a_row_is_missing_or_comes_twice) {
  const std::string all = body();
  const std::string last(rows_.row(rows_.refs.size() - 1));
  EXPECT_EXIT(check(all.substr(0, all.size() - last.size() - 2) + "]"), ExitedWithCode(1), "0 altered, 0 unknown");
  EXPECT_EXIT(check(all.substr(0, all.size() - 1) + "," + last + "]"), ExitedWithCode(1), "0 altered, 0 unknown");
}

TEST_P(row_check_test, ends_the_program_on_a_body_that_breaks_off) {
  EXPECT_EXIT(check(body().substr(0, body().size() - 1)), ExitedWithCode(1), "no JSON array of rows");
}

TEST_P(row_check_test, takes_fewer_rows_only_when_as_many_are_said_to_be_left_out) {
  const std::string all = body();
  const std::string fewer = all.substr(0, all.size() - rows_.row(rows_.refs.size() - 1).size() - 2) + "]";
  check(fewer, 1);
  EXPECT_EXIT(check(fewer, 2), ExitedWithCode(1), "2 were left out");
  EXPECT_EXIT(check(all, 1), ExitedWithCode(1), "1 were left out");
}

INSTANTIATE_TEST_SUITE_P(formats, row_check_test, testing::Values(row_format::typed, row_format::value),
                         [](const auto& made) { return made.param == row_format::typed ? "typed" : "value"; });

}  // namespace
