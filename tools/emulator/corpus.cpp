// A corpus file as a source of events.
#include <fstream>
#include <stdexcept>

#include "event_kinds.hpp"
#include "event_source.hpp"
#include "typed_row.hpp"

namespace emulator {

namespace {

struct corpus_line {
  std::string text;
  std::int64_t time_s = 0;
  bool is_event = false;
  // Where the text of the eventId stands, between its quotes; equal for an event that has none.
  std::size_t id_from = 0;
  std::size_t id_to = 0;
};

// Unix seconds out of the one form of an instant, "T" and seconds.
std::int64_t seconds_of(std::string_view instant) { return std::stoll(std::string(instant.substr(1))); }

// The raw text of the top-level eventId: found by its value, so that an eventId inside a nested object is not taken for
// it.
void find_id(corpus_line& line, std::string_view id) {
  const std::string token = "\"eventId\":\"" + std::string(id) + '"';
  const auto at = line.text.find(token);
  if (id.empty() || at == std::string::npos) return;
  line.id_from = at + token.size() - 1 - id.size();
  line.id_to = line.id_from + id.size();
}

// The log time of a line without a readable eventTime: SLS never stores a log without one. 2026-01-01.
constexpr std::uint32_t time_of_unknown_s = 1'767'225'600;

corpus_line read_line(std::string text, event_reader& reader) {
  corpus_line line;
  line.is_event = reader.read(text, time_of_unknown_s);
  line.text = std::move(text);
  line.time_s = time_of_unknown_s;
  if (line.is_event) line.time_s = seconds_of(reader.row().values[time_column]);
  if (line.is_event) find_id(line, reader.row().event_id());
  return line;
}

class corpus final : public event_source {
 public:
  corpus(std::vector<corpus_line> lines, std::uint64_t seed) : lines_(std::move(lines)), seed_(seed) {
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      if (lines_[i].is_event) events_.push_back(i);
    }
  }

  event_record make(std::string_view account_id, std::uint64_t index) const override {
    // The first round is the file as it stands; later rounds are its events with ids of their own.
    if (index < lines_.size())
      return {lines_[static_cast<std::size_t>(index)].text, lines_[static_cast<std::size_t>(index)].time_s};
    const std::uint64_t again = index - lines_.size();
    const corpus_line& line = lines_[events_[static_cast<std::size_t>(again % events_.size())]];
    seeded_random random(seed_for(seed_, account_id) ^ seeded_random(index).next());
    std::string id;
    append_uuid(id, random, true);
    return {with_id(line, id), line.time_s};
  }

 private:
  static std::string with_id(const corpus_line& line, const std::string& id) {
    std::string text = line.text;
    if (line.id_from != line.id_to) return text.replace(line.id_from, line.id_to - line.id_from, id);
    // An event without a findable id gets one in front, unless it is an empty object.
    const auto brace = text.find('{');
    const bool empty = text.find_first_not_of(" \t\r\n", brace + 1) == text.find('}', brace + 1);
    return text.insert(brace + 1, "\"eventId\":\"" + id + (empty ? "\"" : "\","));
  }

  const std::vector<corpus_line> lines_;
  const std::uint64_t seed_;
  std::vector<std::size_t> events_;  // the lines that are events
};

}  // namespace

std::unique_ptr<event_source> make_corpus(const std::string& path, std::uint64_t seed) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(path + ": cannot be read");
  std::vector<corpus_line> lines;
  event_reader reader;
  bool any_event = false;
  for (std::string text; std::getline(file, text);) {
    if (text.ends_with('\r')) text.pop_back();
    if (text.empty()) throw std::runtime_error(path + ":" + std::to_string(lines.size() + 1) + ": an empty line");
    lines.push_back(read_line(std::move(text), reader));
    any_event = any_event || lines.back().is_event;
    text.clear();
  }
  if (!any_event)
    throw std::runtime_error(path + ":" + std::to_string(lines.size()) + ": no JSON object up to the last line");
  return std::make_unique<corpus>(std::move(lines), seed);
}

}  // namespace emulator
