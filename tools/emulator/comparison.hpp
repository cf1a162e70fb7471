// The comparison inside the ledger: distinct stored events on one side, accepted rows on the other. Of an event only
// hashes are kept (about 150 bytes each), so a million of them fit; the text of an over-long one is fetched again when
// needed.
//
// Not thread-safe: the ledger calls it one at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cut_rule.hpp"
#include "ledger.hpp"
#include "log_group_reader.hpp"
#include "multi_index.hpp"
#include "typed_row.hpp"

namespace emulator {

struct log_place {
  shard_key shard;
  std::uint64_t group = 0;
  std::size_t log = 0;  // within the group
};

class comparison {
 public:
  // Milliseconds since some start, for times of acceptance.
  using milliseconds = std::uint32_t;
  static constexpr milliseconds never = 0xffffffffU;

  struct logstore_counts {
    std::uint64_t stored = 0;
    std::uint64_t delivered_unique = 0;
  };

  explicit comparison(ledger::group_reader read) : read_(std::move(read)) {}

  // The number of the stored event, an earlier one where an equal event is stored already. logstore: a small number the
  // caller gives each logstore.
  std::uint32_t add_log(std::uint32_t logstore, const stored_log&, const log_place&);
  // Bytes that are no log group: something stored that can never arrive.
  std::uint32_t add_unreadable(std::uint32_t logstore, std::string_view bytes);

  // Compares the rows of one accepted body; the value is their number. Nothing when it is no JSON array of objects to
  // its end, or no gzip of one: the rows before the fault were compared.
  std::optional<std::uint64_t> add_body(std::string_view wire, bool gzip, milliseconds now);

  [[nodiscard]] milliseconds accepted_at(std::uint32_t event) const { return events_[event].accepted_at; }
  [[nodiscard]] event_counts totals() const;
  [[nodiscard]] logstore_counts in_logstore(std::uint32_t logstore) const;

 private:
  struct stored_event {
    milliseconds accepted_at = never;
    std::uint32_t logstore = 0;
  };
  struct over_long {
    std::uint32_t event = 0;
    log_place place;
  };

  std::uint32_t add_distinct(std::uint32_t logstore, const content_hash& text_hash);
  void index_typed(std::uint32_t event, const content_hash& row_hash);
  [[nodiscard]] std::uint32_t match_value(std::string_view value) const;
  [[nodiscard]] std::uint32_t match_typed(const typed_row&) const;
  void compare_value(std::string_view value, milliseconds now);
  void compare_typed(const typed_row&, milliseconds now);
  void count_stranger(std::string_view event_id);
  void deliver(std::uint32_t event, milliseconds now);
  [[nodiscard]] std::uint32_t find_over_long(std::string_view event_id,
                                             const std::function<bool(std::string_view, log_time)>& equal) const;

  ledger::group_reader read_;
  std::vector<stored_event> events_;
  std::vector<over_long> over_long_;
  multi_index by_text_;     // hash of the event text → event
  multi_index by_row_;      // hash of the typed row → events
  multi_index by_rebuilt_;  // hash of the canonical form of rebuilt events → event: their spelling is not fixed
  multi_index by_id_;       // hash of the eventId → any event with it
  multi_index by_long_id_;  // hash of the eventId → index into over_long_
  std::vector<logstore_counts> logstores_;
  event_counts counts_;
  event_reader event_reader_;
  body_reader body_reader_;
};

}  // namespace emulator
