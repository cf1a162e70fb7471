#include "bench/event_file.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "engine/base/units.hpp"
#include "long_event.hpp"
#include "tests/support/corpus_file.hpp"

namespace {

using bench::read_event_file;
using bench_tests::event_with;
using tests::corpus_file;
using lines = std::vector<std::string>;

struct outcome {
  lines events;
  std::string said;  // on stderr, the file's name left out
  std::string thrown;
};

outcome read(std::string_view text, std::size_t bytes_wanted = engine::mib) {
  const corpus_file file(text);
  outcome out;
  testing::internal::CaptureStderr();
  try {
    out.events = read_event_file(file.path(), bytes_wanted);
  } catch (const std::runtime_error& failure) {
    out.thrown = failure.what();
  }
  out.said = testing::internal::GetCapturedStderr();
  for (std::string* told : {&out.said, &out.thrown}) {
    for (auto at = told->find(file.path()); at != told->npos; at = told->find(file.path())) {
      told->replace(at, file.path().size(), "FILE");
    }
  }
  return out;
}

TEST(event_file, is_silent_about_good_lines_however_they_end) {
  for (const std::string_view text : {"{\"a\":1}\n{\"b\":2}\n", "{\"a\":1}\n{\"b\":2}", "{\"a\":1}\r\n{\"b\":2}\r\n",
                                      "\xef\xbb\xbf{\"a\":1}\n{\"b\":2}\n"}) {
    const outcome got = read(text);
    EXPECT_EQ(got.events, (lines{"{\"a\":1}", "{\"b\":2}"}));
    EXPECT_EQ(got.said + got.thrown, "");
  }
}

TEST(event_file, keeps_what_is_odd_but_an_event) {
  const lines odd = {R"({"eventId":"a","eventId":"b"})", R"({"cut \ud83d":"\udc00"})", R"({"eventTime":"yesterday"})",
                     R"({"n":1e400})", " { } "};
  std::string text;
  for (const std::string& line : odd) text += line + "\n";
  const outcome got = read(text);
  EXPECT_EQ(got.events, odd);
  EXPECT_EQ(got.said + got.thrown, "");
}

TEST(event_file, counts_what_it_leaves_out_by_reason_with_the_first_line) {
  const outcome got = read("{}\nno\n\n[1]\n{\"a\":\"\xff\"}\n{\"a\":" + std::string(200, '[') + std::string(200, ']') +
                           "}\n{\"a\":1\n" + event_with("x", "unknownMember", 70'000) + "\n\r\n");
  EXPECT_EQ(got.events, lines{"{}"});
  EXPECT_EQ(got.said,
            "penstock-bench: FILE: 8 of 9 lines are left out: empty 2 (first: line 3), bad_encoding 1 (line 5), "
            "bad_json 2 (first: line 2), not_an_object 1 (line 4), too_deep 1 (line 6), too large for a value row 1 "
            "(line 8)\n");
}

TEST(event_file, counts_what_is_cut_in_each_format) {
  const outcome got = read("{}\n" + event_with("value", "responseElements", 65'500) + "\n" +
                           event_with("both", "responseElements", 70'000) + "\n");
  EXPECT_EQ(got.events.size(), 3U);
  EXPECT_EQ(
      got.said,
      "penstock-bench: FILE: rows with a value above 64 KiB, which is cut: typed 1 (line 3), value 2 (first: line "
      "2)\n");
}

TEST(event_file, leaves_out_an_event_above_the_limit_of_one) {
  EXPECT_EQ(read("{}\n" + event_with("x", "responseElements", 17 * engine::mib) + "\n").said,
            "penstock-bench: FILE: 1 of 2 lines are left out: too_large 1 (line 2)\n");
}

TEST(event_file, reads_no_further_than_wanted) {
  const outcome got = read("{\"a\":1}\n{\"b\":2}\n{\"c\":3}\nnot read\n", 14);
  EXPECT_EQ(got.events, (lines{"{\"a\":1}", "{\"b\":2}"}));
  EXPECT_EQ(got.said, "");
}

TEST(event_file, names_the_file_that_holds_nothing_to_measure) {
  EXPECT_EQ(read("").thrown, "FILE: has no events, it is empty");
  EXPECT_EQ(read("\n\n").thrown, "FILE: no line of it can be measured: empty 2 (first: line 1)");
  EXPECT_EQ(read("[\n{}]\n").thrown, "FILE: no line of it can be measured: bad_json 2 (first: line 1)");
}

TEST(event_file, names_the_file_that_cannot_be_read) {
  for (const auto& [path, problem] :
       {std::pair("/nowhere/at.all", "/nowhere/at.all: cannot be read: No such file or directory"),
        std::pair("/", "/: is a directory")}) {
    try {
      read_event_file(path, 1);
      FAIL() << path;
    } catch (const std::runtime_error& failure) {
      EXPECT_STREQ(failure.what(), problem);
    }
  }
}

}  // namespace
