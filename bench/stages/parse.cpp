#include "stages/parse.hpp"

#include <string>

#include "bench/prepared.hpp"
#include "bench/row.hpp"
#include "stages/decode.hpp"

namespace bench {
namespace {

// The events in their order, each with the slice of its eventId.
void check_records(const corpus& in, std::size_t block, const stages::records& found) {
  demand(found.events.size() == in.events[block].size(), "stage/parse: events were lost or made");
  demand(found.bad.empty(), "stage/parse: a good event was set aside");
  for (const stages::record& one : found.events) {
    const std::string& text = in.events[block][one.index];
    demand(text.find(one.text) != std::string::npos && one.text.size() + 16 > text.size(),
           "stage/parse: a record holds another text");
    if (!in.generated) continue;
    const auto id = one.slices[static_cast<std::size_t>(stages::column::eventId)];
    const std::string member = "\"eventId\":" + std::string(id);
    demand(id.size() > 20 && text.find(member) != std::string::npos, "stage/parse: a wrong slice for eventId");
  }
}

}  // namespace

void add_parse_rows(corpora& all) {
  add_corpus_rows("stage/parse", all, [](benchmark::State& state, bool check, const corpus& in) {
    auto blocks = padded_blocks(in);
    std::vector<stages::log_groups> groups(blocks.size());
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      demand(stages::decode(block_of(blocks[i]), std::nullopt, groups[i]).has_value(), "stage/parse: no groups");
    }
    stages::parse parse;
    stages::records records;
    walk(
        state, blocks.size(), check,
        [&](std::size_t i) {
          parse(groups[i], records);
          benchmark::DoNotOptimize(records.events.data());
        },
        [&](std::size_t i) { check_records(in, i, records); }, in.event_counts, in.plain_bytes);
  });
}

}  // namespace bench
