// canonical_instant: times compared by instant, not by spelling.
#include <algorithm>
#include <chrono>

#include "typed_row.hpp"

namespace emulator {

namespace {

constexpr std::size_t fraction_digits_max = 9;

// Takes fixed-width pieces off the front of a text; any mismatch sticks.
class scanner {
 public:
  explicit scanner(std::string_view text) : rest_(text) {}

  int number(std::size_t width) {
    int value = 0;
    for (std::size_t i = 0; i < width; ++i) {
      if (rest_.size() <= i || rest_[i] < '0' || rest_[i] > '9') return fail();
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(width);
    return value;
  }
  bool skip(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void need(char c) {
    if (!skip(c)) fail();
  }
  std::string_view digits() {
    const auto end = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    const auto found = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return found;
  }
  int fail() {
    good_ = false;
    return 0;
  }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] bool good() const { return good_; }

 private:
  std::string_view rest_;
  bool good_ = true;
};

std::string spelt(std::int64_t unix_s, std::string_view fraction) {
  while (fraction.ends_with('0')) fraction.remove_suffix(1);
  std::string text = "T" + std::to_string(unix_s);
  if (!fraction.empty()) text.append(".").append(fraction);
  return text;
}

// Seconds east of Greenwich.
int read_offset(scanner& in) {
  if (in.skip('Z')) return 0;
  const bool west = in.skip('-');
  if (!west) in.need('+');
  const int hours = in.number(2);
  in.skip(':');
  const int minutes = in.number(2);
  if (hours > 23 || minutes > 59) return in.fail();
  return (west ? -1 : 1) * (hours * 3600 + minutes * 60);
}

}  // namespace

std::optional<std::string> canonical_instant(std::string_view text) {
  scanner in(text);
  const int year = in.number(4);
  in.need('-');
  const int month = in.number(2);
  in.need('-');
  const int day = in.number(2);
  in.need('T');
  const int hour = in.number(2);
  in.need(':');
  const int minute = in.number(2);
  in.need(':');
  const int second = in.number(2);
  std::string_view fraction;
  if (in.skip('.')) {
    fraction = in.digits();
    if (fraction.empty() || fraction.size() > fraction_digits_max) in.fail();
  }
  const int offset = read_offset(in);
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!in.good() || !in.at_end() || !date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return spelt(days * 86'400 + hour * 3600 + minute * 60 + second - offset, fraction);
}

std::string canonical_instant(std::int64_t unix_s, std::uint32_t ns) {
  const std::string digits = std::to_string(1'000'000'000 + std::uint64_t{ns});
  return spelt(unix_s, std::string_view(digits).substr(1, 7));
}

}  // namespace emulator
