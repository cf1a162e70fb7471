#include "stages/repair.hpp"

#include <gtest/gtest.h>

#include <string>

namespace stages {
namespace {

struct repaired {
  std::string text;
  std::uint64_t places = 0;
  bool operator==(const repaired&) const = default;
};

repaired repair(std::string_view token) {
  repaired out{std::string(2 * token.size(), '\0'), 0};
  out.text.resize(static_cast<std::size_t>(repair_json(token, out.text.data(), out.places) - out.text.data()));
  return out;
}

void PrintTo(const repaired& r, std::ostream* out) { *out << r.text << " (" << r.places << ")"; }

TEST(repair, puts_the_replacement_character_for_lone_surrogates) {
  EXPECT_EQ(repair(R"("\ud800")"), (repaired{R"("\ufffd")", 1}));
  EXPECT_EQ(repair(R"("a\uDC00b")"), (repaired{R"("a\ufffdb")", 1}));
  EXPECT_EQ(repair(R"("\ud83d\ud83d\ude00\ude00")"), (repaired{R"("\ufffd\ud83d\ude00\ufffd")", 2}));
  EXPECT_EQ(repair(R"("\ud800\n\udc00")"), (repaired{R"("\ufffd\n\ufffd")", 2}));
  EXPECT_EQ(repair(R"({"\udfff":["\ud800x"]})"), (repaired{R"({"\ufffd":["\ufffdx"]})", 2}));
}

TEST(repair, leaves_pairs_and_other_escapes_alone) {
  for (const std::string_view token :
       {R"("\ud83d\ude00")", R"("\\ud800")", R"("\u4e2d\ud7ff\ue000")", R"({"a":"\"\\","b":[1,true,null]})"}) {
    EXPECT_EQ(repair(token), (repaired{std::string(token), 0}));
  }
}

TEST(repair, quotes_numbers_beyond_a_double) {
  EXPECT_EQ(repair("1e309"), (repaired{R"("1e309")", 1}));
  EXPECT_EQ(repair(R"({"a":-1E+400,"b":[2e28390]})"), (repaired{R"({"a":"-1E+400","b":["2e28390"]})", 2}));
  const std::string digits(310, '9');
  EXPECT_EQ(repair(digits), (repaired{'"' + digits + '"', 1}));
}

TEST(repair, keeps_numbers_a_double_comes_near_to) {
  for (const std::string_view token : {"1.7976931348623157e308", "1e-400", "5558349267652842123", "-0.0", "0e99999",
                                       "[\"1e999\",12]", "{\"1e999\":1}"}) {
    EXPECT_EQ(repair(token), (repaired{std::string(token), 0})) << token;
  }
}

}  // namespace
}  // namespace stages
