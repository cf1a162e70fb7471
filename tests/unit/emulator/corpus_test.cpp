#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "ledger_world.hpp"
#include "tests/support/corpus_file.hpp"
#include "tools/emulator/event_source.hpp"
#include "tools/emulator/typed_row.hpp"

namespace {

using namespace emulator;
using tests::corpus_file;

std::string id_of(const std::string& text) {
  event_reader reader;
  return reader.read(text, 0) ? std::string(reader.row().event_id()) : std::string();
}

TEST(corpus, serves_the_lines_as_they_stand_first) {
  const corpus_file file("{\"eventId\":\"a\",\"eventTime\":\"2026-03-04T05:06:07Z\"}\nnot json\n{\"x\": 1}\n");
  const auto source = make_corpus(file.path(), 1);
  EXPECT_EQ(source->make("acc", 0).text, R"({"eventId":"a","eventTime":"2026-03-04T05:06:07Z"})");
  EXPECT_EQ(source->make("acc", 0).time_s, 1'772'600'767);
  EXPECT_EQ(source->make("acc", 1).text, "not json");
  EXPECT_EQ(source->make("acc", 2).text, R"({"x": 1})");
}

TEST(corpus, repeats_events_with_fresh_ids_and_nothing_else_changed) {
  const corpus_file file("{\"a\":{\"eventId\":\"inner\"},\"eventId\":\"outer\",\"b\":2}\nnot json\n{\"x\": 1}\n{ }\n");
  const auto source = make_corpus(file.path(), 1);
  std::set<std::string> ids;
  for (std::uint64_t i = 4; i < 40; ++i) {
    const auto text = source->make("acc", i).text;
    const auto id = id_of(text);
    EXPECT_EQ(id.size(), 36U) << text;
    ids.insert(id);
    const std::string expected[] = {R"({"a":{"eventId":"inner"},"eventId":")" + id + R"(","b":2})",
                                    R"({"eventId":")" + id + R"(","x": 1})", R"({"eventId":")" + id + R"(" })"};
    EXPECT_EQ(text, expected[(i - 4) % 3]);
  }
  EXPECT_EQ(ids.size(), 36U);
  EXPECT_EQ(source->make("acc", 9).text, make_corpus(file.path(), 1)->make("acc", 9).text);
  EXPECT_NE(source->make("acc", 9).text, make_corpus(file.path(), 2)->make("acc", 9).text);
  EXPECT_NE(source->make("acc", 9).text, source->make("other", 9).text);
}

TEST(corpus, names_file_and_line_of_what_it_cannot_use) {
  EXPECT_THROW(make_corpus("/nowhere/at.all", 1), std::runtime_error);
  const corpus_file file("{}\n\n{}\n");
  try {
    make_corpus(file.path(), 1);
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(std::string(error.what()), file.path() + ":2: an empty line");
  }
}

TEST(corpus, refuses_a_file_without_any_event) {
  const corpus_file file("1\n2\n");
  EXPECT_THROW(make_corpus(file.path(), 1), std::runtime_error);
}

// The made-up events that the product's tests use too.
TEST(oddities, are_all_events_that_a_value_row_delivers) {
  std::ifstream file(PENSTOCK_SOURCE_DIR "/tests/data/oddities.ndjson");
  emulator_tests::ledger_world world;
  event_reader reader;
  std::uint64_t lines = 0;
  for (std::string text; std::getline(file, text); ++lines) {
    EXPECT_TRUE(reader.read(text, 0)) << text;
    world.store(text);
    world.accept_row(emulator_tests::value_row(text));
  }
  EXPECT_EQ(lines, 42U);
  EXPECT_EQ(emulator_tests::numbers(world.book.totals()), (std::vector<std::uint64_t>{lines, lines, 0, 0, 0, 0}));
}

}  // namespace
