#include "stages/escape_check.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>
#include <string_view>

namespace stages {
namespace {

struct judgement {
  bool sound = false;
  bool needs_repair = false;
  friend bool operator==(const judgement&, const judgement&) = default;
  friend std::ostream& operator<<(std::ostream& out, const judgement& value) {
    return out << (value.sound ? "sound" : "broken") << (value.needs_repair ? ", needs repair" : "");
  }
};

// What stands behind the text is chosen to complete every escape that the text leaves open: it must not count.
judgement judged(kernel kind, std::string_view text) {
  constexpr std::string_view behind = "n\"udc00\\udc00";
  std::string block(text);
  while (block.size() < text.size() + 64) block += behind;
  judgement found;
  found.sound = escape_check_with(kind)(std::string_view(block).substr(0, text.size()), found.needs_repair);
  return found;
}

// Slow and obvious, from RFC 8259. An escape cut off by the end of the text is completed from behind it: the text's
// last byte is no closer then, which another pass refuses. Not asked for here.
judgement expected(std::string_view text) {
  judgement out{.sound = true};
  const auto unit_at = [&](std::size_t i) {
    unsigned unit = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const std::size_t digit = std::string_view("0123456789abcdef").find(static_cast<char>(std::tolower(text[i + k])));
      if (digit == std::string_view::npos) return 0x10000U;
      unit = unit * 16 + static_cast<unsigned>(digit);
    }
    return unit;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') continue;
    ++i;
    if (std::string_view("\"\\/bfnrt").find(text[i]) != std::string_view::npos) continue;
    if (text[i] != 'u') return {.sound = false, .needs_repair = false};
    const unsigned unit = unit_at(i + 1);
    if (unit > 0xffff) return {.sound = false, .needs_repair = false};
    i += 4;
    if (unit < 0xd800 || unit > 0xdfff) continue;
    if (unit < 0xdc00 && text.substr(i + 1, 2) == "\\u" && (unit_at(i + 3) & 0xfc00) == 0xdc00) {
      i += 6;
    } else {
      out.needs_repair = true;
    }
  }
  return out;
}

class escape_check_test : public testing::TestWithParam<kernel> {};

TEST_P(escape_check_test, takes_every_escape_that_json_has_and_no_other) {
  for (int c = 0; c < 256; ++c) {
    const std::string text = std::string("{\"\\") + static_cast<char>(c) + "0041 \"}";
    const bool known = std::string_view("\"\\/bfnrtu").find(static_cast<char>(c)) != std::string_view::npos;
    EXPECT_EQ(judged(GetParam(), text).sound, known) << c;
  }
}

TEST_P(escape_check_test, asks_four_hexadecimal_digits_after_u) {
  EXPECT_TRUE(judged(GetParam(), R"("\uABcd")").sound);
  for (const std::string_view text : {R"("\uABc ")", R"("\ug000")", R"("\u 000")", R"("\u00/0")", R"("\u00:0")",
                                      R"("\u@000")", R"("\u00`0")", R"("\u00G0")"}) {
    EXPECT_FALSE(judged(GetParam(), text).sound) << text;
  }
}

TEST_P(escape_check_test, finds_surrogates_without_their_other_half) {
  for (const std::string_view text : {R"("\ud800")", R"("\udc00")", R"("\ud800\ud800\udc00")", R"("\ud800 \udc00")",
                                      R"("\ud800\\udc00")", R"("\ud83d\ude00\ude00")", R"("\ud800\u0041")"}) {
    EXPECT_EQ(judged(GetParam(), text), (judgement{.sound = true, .needs_repair = true})) << text;
  }
  for (const std::string_view text : {R"("\ud800\udc00")", R"("\uDBFF\uDFFF")", R"("\ud7ff\ue000")", R"("\\ud800")"}) {
    EXPECT_EQ(judged(GetParam(), text), (judgement{.sound = true, .needs_repair = false})) << text;
  }
}

TEST_P(escape_check_test, never_takes_a_repair_back) {
  bool needs_repair = true;
  const std::string text = "\"plain\"" + std::string(64, ' ');
  EXPECT_TRUE(escape_check_with(GetParam())(std::string_view(text).substr(0, 7), needs_repair));
  EXPECT_TRUE(needs_repair);
}

TEST_P(escape_check_test, counts_runs_of_backslashes_across_blocks) {
  for (std::size_t before = 0; before < 70; ++before) {
    for (std::size_t run = 0; run < 140; ++run) {
      const std::string text = std::string(before, 'a') + std::string(run, '\\') + "x ";
      EXPECT_EQ(judged(GetParam(), text).sound, run % 2 == 0) << before << ' ' << run;
    }
  }
}

TEST_P(escape_check_test, agrees_with_the_grammar_on_random_texts_of_all_lengths) {
  constexpr unsigned seed = 20'261'123;
  SCOPED_TRACE(seed);
  constexpr std::array<std::string_view, 12> pieces = {"\\\\",           "\\\"",         "\\n",        "\\u00e9",
                                                       "\\ud83d\\ude00", "\\ud800",      "\"",         "abcdefg",
                                                       "\\udc00",        "\xe5\xbc\xa0", "0123456789", "{}:,"};
  std::mt19937 random(seed);
  int broken = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (auto n = random() % 60; n > 0; --n) text += pieces[random() % pieces.size()];
    if (i % 4 == 0 && !text.empty()) text[random() % text.size()] = static_cast<char>(random());
    text += "         }";  // ends no escape: that of the last backslash included
    const judgement wanted = expected(text);
    broken += wanted.sound ? 0 : 1;
    const judgement found = judged(GetParam(), text);
    ASSERT_EQ(found.sound, wanted.sound) << text;
    if (wanted.sound) ASSERT_EQ(found.needs_repair, wanted.needs_repair) << text;
  }
  EXPECT_GT(broken, 300);
}

INSTANTIATE_TEST_SUITE_P(every_kernel, escape_check_test, testing::ValuesIn(kernels_here()),
                         [](const auto& info) { return std::string(name_of(info.param)); });

}  // namespace
}  // namespace stages
