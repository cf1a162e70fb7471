#include "bench/event_judge.hpp"

#include "stages/compress.hpp"

namespace bench {

event_judge::event_judge()
    : encoder_(stages::make_encoder(stages::compression_level::fast, {}, pool_)), batch_({}, *encoder_) {}

event_verdict event_judge::operator()(std::string_view text) {
  engine::buffer padded(text.size() + stages::padding_bytes);
  padded.append(text);
  padded.append(std::string(stages::padding_bytes, ' '));
  stages::log_groups groups;
  groups.logs.emplace_back().event = {padded.data(), text.size()};
  parse_(groups, records_);
  if (!records_.bad.empty()) return {.set_aside = records_.bad.front().reason, .typed = {}, .value = {}};
  return {.set_aside = std::nullopt, .typed = judge_row(typed_), .value = judge_row(value_)};
}

row_verdict event_judge::judge_row(stages::transform& transform) {
  transform(records_, rows_);
  if (rows_.refs.empty()) return {};
  batch_.reset();
  return {.fits = !batch_.add(rows_, 0, {}).next_fits_nowhere, .cut = !rows_.cut.empty()};
}

}  // namespace bench
