#include "bench/event_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include "bench/event_judge.hpp"
#include "bench/row.hpp"
#include "tools/emulator/json_text.hpp"
#include "tools/emulator/typed_row.hpp"

namespace bench {
namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

// No JSON has them outside of white space; RapidJSON's vector code lets some pass within strings.
bool has_control(std::string_view text) {
  return std::ranges::any_of(text,
                             [](char c) { return static_cast<unsigned char>(c) < ' ' && c != '\t' && c != '\r'; });
}

// How many lines, and which is the first.
struct line_count {
  std::size_t lines = 0;
  std::size_t first = 0;
  void add(std::size_t number) {
    if (lines++ == 0) first = number;
  }
};

// `list`, continued by "what 3 (first: line 7)" when there are any.
void tell(std::string& list, std::string_view what, const line_count& count) {
  if (count.lines == 0) return;
  if (!list.empty()) list += ", ";
  list.append(what).append(" ").append(std::to_string(count.lines));
  list.append(count.lines == 1 ? " (line " : " (first: line ").append(std::to_string(count.first)).append(")");
}

class line_sorter {
 public:
  explicit line_sorter(std::string file) : file_(std::move(file)) {}

  // Whether the line belongs into the corpus.
  bool operator()(const std::string& text) {
    ++lines_;
    const event_verdict found = judge_(text);
    if (found.set_aside) {
      demand_no_event(text, *found.set_aside);
      set_aside_[static_cast<std::size_t>(*found.set_aside)].add(lines_);
      return false;
    }
    if (!found.typed.fits) no_typed_.add(lines_);
    if (!found.value.fits) no_value_.add(lines_);
    if (!found.typed.fits || !found.value.fits) demand_above(emulator::field_bytes_max, text, "too large for a row");
    // Rows of both formats are told as multiples of one chain: they must be rows of the same events.
    if (!found.typed.fits || !found.value.fits) return false;
    if (found.typed.cut) cut_typed_.add(lines_);
    if (found.value.cut) cut_value_.add(lines_);
    ++events_;
    return true;
  }

  [[nodiscard]] std::size_t lines() const { return lines_; }

  void demand_events() const {
    if (lines_ == 0) throw std::runtime_error(file_ + ": has no events, it is empty");
    if (events_ == 0) throw std::runtime_error(file_ + ": no line of it can be measured: " + left_out());
  }

  void tell_counts() const {
    if (events_ < lines_) {
      say(std::to_string(lines_ - events_) + " of " + std::to_string(lines_) + " lines are left out: " + left_out());
    }
    std::string cut;
    tell(cut, "typed", cut_typed_);
    tell(cut, "value", cut_value_);
    if (!cut.empty()) say("rows with a value above 64 KiB, which is cut: " + cut);
  }

 private:
  // What is left out is in no check: so the other reader is asked here.
  void demand_no_event(const std::string& text, stages::set_aside_reason reason) {
    using enum stages::set_aside_reason;
    const std::string_view name = stages::name_of(reason);
    if (reason == too_deep) return demand_above(2 * stages::nesting_max, text, name);
    if (reason == too_large) return demand_above(stages::parse_options().event_bytes_max, text, name);
    const bool event = !has_control(text) && emulator::valid_utf8(text) && reader_.read(text, 0);
    demand(!event, at_line() + std::string(name) + ", but it is an event to the checks' reader");
  }
  void demand_above(std::size_t bytes, const std::string& text, std::string_view reason) const {
    demand(text.size() > bytes,
           at_line() + std::string(reason) + ", but has only " + std::to_string(text.size()) + " bytes");
  }
  [[nodiscard]] std::string at_line() const { return file_ + ":" + std::to_string(lines_) + ": set aside as "; }

  [[nodiscard]] std::string left_out() const {
    std::string out;
    for (std::size_t i = 0; i < set_aside_.size(); ++i) {
      tell(out, stages::name_of(static_cast<stages::set_aside_reason>(i)), set_aside_[i]);
    }
    tell(out, "too large for a value row", no_value_);
    tell(out, "too large for a typed row", no_typed_);
    return out;
  }

  void say(const std::string& what) const {
    std::fprintf(stderr, "penstock-bench: %s: %s\n", file_.c_str(), what.c_str());
  }

  const std::string file_;
  event_judge judge_;
  emulator::event_reader reader_;
  std::size_t lines_ = 0;
  std::size_t events_ = 0;
  std::array<line_count, static_cast<std::size_t>(stages::set_aside_reason::count_)> set_aside_;
  line_count no_typed_;
  line_count no_value_;
  line_count cut_typed_;
  line_count cut_value_;
};

}  // namespace

std::vector<std::string> read_event_file(const std::string& file, std::size_t bytes_wanted) {
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) throw std::runtime_error(file + ": is a directory");
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error(file + ": cannot be read: " + std::generic_category().message(errno));
  std::vector<std::string> events;
  std::size_t bytes = 0;
  line_sorter is_event(file);
  for (std::string line; bytes < bytes_wanted && std::getline(in, line);) {
    if (is_event.lines() == 0 && line.starts_with(byte_order_mark)) line.erase(0, byte_order_mark.size());
    if (line.ends_with('\r')) line.pop_back();
    if (!is_event(line)) continue;
    bytes += line.size();
    events.push_back(line);
  }
  if (in.bad()) throw std::runtime_error(file + ": cannot be read to its end");
  is_event.demand_events();
  is_event.tell_counts();
  return events;
}

}  // namespace bench
