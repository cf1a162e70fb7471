#include "comparison.hpp"

#include "gunzip.hpp"

namespace emulator {

namespace {

// What one call may carry (azure spec, 2.2), with room: bodies were checked before they came here.
constexpr std::size_t body_bytes_max = std::size_t{64} << 20U;

// The eventId of a text that is no JSON any more: a changed byte elsewhere must not hide which event it was.
std::string_view id_in_broken_text(std::string_view text) {
  constexpr std::string_view key = "\"eventId\":\"";
  const auto at = text.find(key);
  if (at == text.npos) return {};
  const auto from = at + key.size();
  return text.substr(from, text.find('"', from) - from);
}

}  // namespace

std::uint32_t comparison::add_distinct(std::uint32_t logstore, const content_hash& text_hash) {
  const auto event = static_cast<std::uint32_t>(events_.size());
  events_.push_back({never, logstore});
  by_text_.add(text_hash, event);
  if (logstores_.size() <= logstore) logstores_.resize(logstore + 1);
  ++logstores_[logstore].stored;
  ++counts_.stored;
  return event;
}

void comparison::index_typed(std::uint32_t event, const content_hash& row_hash) {
  bool known = false;
  by_row_.each(row_hash, [&](std::uint32_t other) { return known = other == event; });
  if (!known) by_row_.add(row_hash, event);
}

std::uint32_t comparison::add_unreadable(std::uint32_t logstore, std::string_view bytes) {
  const content_hash hash = hash_content(bytes);
  const std::uint32_t earlier = by_text_.first(hash);
  return earlier != multi_index::none ? earlier : add_distinct(logstore, hash);
}

std::uint32_t comparison::add_log(std::uint32_t logstore, const stored_log& log, const log_place& place) {
  const auto text = event_text(log);
  if (!text) return add_unreadable(logstore, log.bytes);

  const content_hash text_hash = hash_content(*text);
  std::uint32_t event = by_text_.first(text_hash);
  const bool is_new = event == multi_index::none;
  if (is_new) event = add_distinct(logstore, text_hash);
  // An equal text under another log time is the same event with, perhaps, another TimeGenerated: either row is right.
  if (!event_reader_.read(*text, log.time_s)) return event;
  // The row of an over-long event is not one text: it is compared by the cut rule.
  if (text->size() <= field_bytes_max) index_typed(event, event_reader_.row().hash());
  // The log's time is right with its nanoseconds as well as without.
  if (event_reader_.used_log_time() && log.time_ns != 0 && event_reader_.read(*text, log.time_s, log.time_ns) &&
      text->size() <= field_bytes_max) {
    index_typed(event, event_reader_.row().hash());
  }
  if (!is_new) return event;

  const content_hash id_hash = hash_content(event_reader_.row().event_id());
  if (!event_reader_.row().event_id().empty() && !by_id_.contains(id_hash)) by_id_.add(id_hash, event);
  if (!log.event) {
    if (const auto whole = canonical_json(*text)) by_rebuilt_.add(hash_content(*whole), event);
  }
  if (text->size() > field_bytes_max) {
    by_long_id_.add(id_hash, static_cast<std::uint32_t>(over_long_.size()));
    over_long_.push_back({event, place});
  }
  return event;
}

void comparison::deliver(std::uint32_t event, milliseconds now) {
  stored_event& one = events_[event];
  if (one.accepted_at != never) {
    ++counts_.duplicates;
    return;
  }
  one.accepted_at = now;
  ++counts_.delivered_unique;
  ++logstores_[one.logstore].delivered_unique;
}

std::uint32_t comparison::find_over_long(std::string_view event_id,
                                         const std::function<bool(std::string_view, log_time)>& equal) const {
  std::uint32_t found = multi_index::none;
  by_long_id_.each(hash_content(event_id), [&](std::uint32_t number) {
    const over_long& one = over_long_[number];
    const auto groups = read_(one.place.shard, one.place.group, one.place.group + 1);
    if (groups.empty()) return false;
    const auto logs = read_log_group(groups.front());
    if (!logs || logs->size() <= one.place.log) return false;
    const stored_log& log = (*logs)[one.place.log];
    const auto text = event_text(log);
    if (!text || !equal(*text, {.s = log.time_s, .ns = log.time_ns})) return false;
    found = one.event;
    // Of equal candidates the first not yet delivered.
    return events_[found].accepted_at == never;
  });
  return found;
}

std::uint32_t comparison::match_value(std::string_view value) const {
  // The service keeps the first field_bytes_max bytes of a longer value: no stored event's text.
  if (value.size() > field_bytes_max) return multi_index::none;
  const std::uint32_t event = by_text_.first(hash_content(value));
  if (event != multi_index::none || by_rebuilt_.empty()) return event;
  const auto whole = canonical_json(value);
  return whole ? by_rebuilt_.first(hash_content(*whole)) : multi_index::none;
}

std::uint32_t comparison::match_typed(const typed_row& row) const {
  // Events may differ only in what no column holds: each equal row then stands for another of them.
  std::uint32_t event = multi_index::none;
  by_row_.each(row.hash(), [&](std::uint32_t candidate) {
    event = candidate;
    return events_[candidate].accepted_at == never;
  });
  return event;
}

void comparison::count_stranger(std::string_view event_id) {
  const bool known = !event_id.empty() && by_id_.contains(hash_content(event_id));
  ++(known ? counts_.altered : counts_.unknown);
}

void comparison::compare_value(std::string_view value, milliseconds now) {
  if (const auto event = match_value(value); event != multi_index::none) return deliver(event, now);
  if (!event_reader_.read(value, 0)) return count_stranger(id_in_broken_text(value));
  const std::string id(event_reader_.row().event_id());
  if (!over_long_.empty() && value.size() <= field_bytes_max) {
    const auto equal = [&](std::string_view stored, log_time) { return value_cut_matches(stored, value); };
    if (const auto event = find_over_long(id, equal); event != multi_index::none) return deliver(event, now);
  }
  count_stranger(id);
}

void comparison::compare_typed(const typed_row& row, milliseconds now) {
  if (const auto event = match_typed(row); event != multi_index::none) return deliver(event, now);
  if (!over_long_.empty()) {
    const auto equal = [&](std::string_view stored, log_time time) { return typed_cut_matches(stored, time, row); };
    if (const auto event = find_over_long(row.event_id(), equal); event != multi_index::none)
      return deliver(event, now);
  }
  count_stranger(row.event_id());
}

std::optional<std::uint64_t> comparison::add_body(std::string_view wire, bool gzip, milliseconds now) {
  std::uint64_t rows = 0;
  const auto fill = [&](std::string& body) {
    if (gzip) return gunzip(wire, body, body_bytes_max) == gunzip_outcome::ok;
    body = wire;
    return true;
  };
  const bool whole = body_reader_.read(fill, [&](const received_row& row) {
    ++rows;
    if (row.value) {
      compare_value(*row.value, now);
    } else if (row.repeated_key) {
      count_stranger(row.typed->event_id());
    } else {
      compare_typed(*row.typed, now);
    }
  });
  if (!whole) return std::nullopt;
  return rows;
}

event_counts comparison::totals() const {
  event_counts counts = counts_;
  counts.missing = counts.stored - counts.delivered_unique;
  return counts;
}

comparison::logstore_counts comparison::in_logstore(std::uint32_t logstore) const {
  return logstore < logstores_.size() ? logstores_[logstore] : logstore_counts{};
}

}  // namespace emulator
