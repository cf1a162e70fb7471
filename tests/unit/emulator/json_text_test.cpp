#include "tools/emulator/json_text.hpp"

#include <gtest/gtest.h>

namespace {

using namespace emulator;

std::string mended(std::string json) {
  mend_surrogates(json);
  return json;
}

TEST(json_text, mends_only_surrogates_that_have_no_partner) {
  EXPECT_EQ(mended(R"("\ud83d\ude00")"), R"("\ud83d\ude00")");
  EXPECT_EQ(mended(R"("\ud83d")"), R"("\ufffd")");
  EXPECT_EQ(mended(R"("\uDE00\uD83D")"), R"("\ufffd\ufffd")");
  EXPECT_EQ(mended(R"("\ud83d\ud83d\ude00")"), R"("\ufffd\ud83d\ude00")");
  EXPECT_EQ(mended(R"("\\ud83d")"), R"("\\ud83d")");
  EXPECT_EQ(mended(R"("\\\ud83d")"), R"("\\\ufffd")");
  EXPECT_EQ(mended(R"("\ud83)"), R"("\ud83)");
  EXPECT_EQ(mended("\\"), "\\");
}

TEST(json_text, knows_numbers_that_no_double_holds) {
  EXPECT_TRUE(beyond_double("1e309"));
  EXPECT_TRUE(beyond_double("-1E999"));
  EXPECT_TRUE(beyond_double(std::string(310, '9')));
  EXPECT_FALSE(beyond_double("1e308"));
  EXPECT_FALSE(beyond_double("0e999"));
  EXPECT_FALSE(beyond_double("1e-999"));
  EXPECT_FALSE(beyond_double("9007199254740993"));
  EXPECT_FALSE(beyond_double("0." + std::string(400, '9')));
}

TEST(json_text, shields_numbers_and_gives_the_same_text_back) {
  constexpr std::string_view json = R"({"a 1e5":[1e400,-2E+3,17,"1e9 \"2e9"],"b":-0.5e-7})";
  const std::string shielded = shield_numbers(json);
  EXPECT_NE(shielded.find("\"\x7fN1e400\""), std::string::npos);
  EXPECT_NE(shielded.find(",17,"), std::string::npos);
  EXPECT_NE(shielded.find(R"("1e9 \"2e9")"), std::string::npos);
  EXPECT_EQ(unshield(shielded), json);
  EXPECT_EQ(shielded_number("\x7fN1e400"), "1e400");
  EXPECT_EQ(shielded_number("1e400"), "");
  // What is no number stays for the parser to refuse.
  EXPECT_EQ(shield_numbers("[1e,01e5,-e]"), "[1e,01e5,-e]");
}

TEST(json_text, tells_utf8_from_other_bytes) {
  const std::string plain(40, 'x');
  EXPECT_TRUE(valid_utf8(""));
  EXPECT_TRUE(valid_utf8(plain + "é中😀" + plain));
  for (const std::string_view bad :
       {"\x80", "\xc0\xaf", "\xc3", "\xe4\xb8", "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xff"}) {
    EXPECT_FALSE(valid_utf8(plain + std::string(bad)));
    EXPECT_FALSE(valid_utf8(plain + std::string(bad) + plain));
  }
}

}  // namespace
