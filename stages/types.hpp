// What flows, in the order it flows: fetched_block → plain_block → log_groups → records → rows → body → receipt.
//
// A block is one PullLogs reply. Views point into the block they came from and never outlive its CPU slot.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/bytes.hpp"
#include "engine/base/fault.hpp"
#include "engine/base/units.hpp"

namespace stages {

using engine::byte_view;

// --- fetched_block: as the service sent it -------------------------------------------------------------------------

enum class codec : std::uint8_t { none, lz4, zstd, deflate };

struct fetched_block {
  engine::buffer bytes;  // the reply body, compressed as `coding` says
  codec coding = codec::none;
  std::uint64_t plain_bytes = 0;  // x-log-bodyrawsize: what the plain size must be, exactly
  std::uint64_t group_count = 0;  // x-log-count
  std::string cursor;             // where it begins
  std::string next_cursor;        // x-log-cursor: the position committed once all its events are delivered
  engine::time_point fetched_at;
};

// --- plain_block: the LogGroupList ---------------------------------------------------------------------------------

// A reply is 10 MB by the service's own limit; this is what we accept from one that lies about it.
inline constexpr std::size_t plain_bytes_max = 64 * engine::mib;

// `padding_bytes` after the end are readable and written (spaces), as the JSON parser needs.
inline constexpr std::size_t padding_bytes = 256;

struct plain_block {
  engine::buffer* storage = nullptr;  // the CPU slot's buffer; owned by the slot
  std::size_t size = 0;
  [[nodiscard]] byte_view view() const { return {storage->data(), size}; }
};

// --- log_groups: views into the plain block ------------------------------------------------------------------------

struct log_view {
  std::uint32_t time_s = 0;   // log time (event time as a rule, not arrival); 0 when missing or out of range
  std::uint32_t time_ns = 0;  // nanosecond part, 0 when absent
  std::uint32_t group = 0;    // index into log_groups::groups
  byte_view event;            // the content `event`; data() == nullptr when the log has none
  byte_view message;          // the whole Log as encoded: the original of a log that has no event text
  // Contents named `event.x` of a log without `event`: [first, last) of log_groups::loose.
  std::uint32_t loose_first = 0;
  std::uint32_t loose_last = 0;
};

struct content_view {
  byte_view key;
  byte_view value;
};

struct group_view {
  byte_view topic;
  byte_view source;
  std::uint32_t tags_first = 0;  // [first, last) of log_groups::tags
  std::uint32_t tags_last = 0;
  std::int64_t receive_time_s = 0;  // tag __receive_time__, 0 when absent
};

// Reused from block to block: clear() keeps the capacity.
struct log_groups {
  std::vector<log_view> logs;
  std::vector<group_view> groups;
  std::vector<content_view> tags;
  std::vector<content_view> loose;
  void clear() {
    logs.clear();
    groups.clear();
    tags.clear();
    loose.clear();
  }
};

// --- records: one event each, sliced -------------------------------------------------------------------------------

// The columns of AliCloudActionTrailLogs_CL that come from the event, in the table's own spelling.
enum class column : std::uint8_t {
  acsRegion,
  additionalEventData,
  apiVersion,
  errorCode,
  errorMessage,
  eventAttributes,
  eventCategory,
  eventId,
  eventName,
  eventRW,
  eventSource,
  eventTime,
  eventType,
  eventVersion,
  isGlobal,
  referencedResources,
  requestId,
  requestParameterJson,
  requestParameters,
  resourceName,
  resourceType,
  responseElements,
  serviceName,
  sourceIpAddress,
  userAgent,
  userIdentity,
  count_
};
inline constexpr std::size_t column_count = static_cast<std::size_t>(column::count_);
enum class column_kind : std::uint8_t { text, dynamic, boolean };

// An event whose JSON was validated whole. Slices are raw tokens (strings with their quotes); data() == nullptr:
// absent.
struct record {
  byte_view text;  // the whole event as it came, white space around it included
  byte_view slices[column_count];
  std::uint32_t index = 0;  // the log's number in the block
  std::uint32_t time_s = 0;
  std::uint32_t time_ns = 0;
  std::uint32_t name_hash = 0;  // of eventName, for ordering rows
  bool needs_repair = false;    // has a lone surrogate or a number beyond a double somewhere
};

// Why an event does not become a row. The words are those of metrics and dead letters.
enum class set_aside_reason : std::uint8_t {
  no_event,       // a log with neither `event` nor `event.x`
  empty,          // the event is an empty text
  bad_encoding,   // not UTF-8
  bad_json,       // not JSON
  not_an_object,  // JSON, but not an object
  too_deep,       // nested deeper than nesting_max
  too_large,      // over event_bytes_max, or a row that cannot fit a body alone
  count_
};
std::string_view name_of(set_aside_reason);

struct set_aside {
  std::uint32_t index = 0;
  set_aside_reason reason{};
  byte_view original;  // the text of `event` as it came; of a log without one, the encoded Log (log_view::message)
};

// Counted oddities of events that are delivered all the same.
struct parse_counts {
  std::uint64_t duplicate_keys = 0;  // of columns; the last one wins. A key that is no column has nothing to win
  std::uint64_t rebuilt_events = 0;  // from `event.x` contents
};

struct records {
  std::vector<record> events;
  std::vector<set_aside> bad;
  parse_counts counts;
  void clear() {
    events.clear();
    bad.clear();
    counts = {};
  }
};

// --- rows: JSON objects of the destination, one per event, joined in one text --------------------------------------

enum class row_format : std::uint8_t { value, typed };

struct row_ref {
  std::uint32_t end = 0;    // offset just after the row in rows::text; see rows::row
  std::uint32_t index = 0;  // the log's number in the block
};

struct cut_field {
  std::uint32_t index = 0;  // which event
  column field{};           // the first column replaced by the mark
  byte_view original;       // the whole event as it came
};

struct transform_counts {
  std::uint64_t cut_fields = 0;
  std::uint64_t bad_event_times = 0;
  std::uint64_t bad_booleans = 0;
  std::uint64_t repaired = 0;  // surrogates and numbers beyond a double
};

// text holds the rows one after the other, each *preceded* by one ',': any run of them is, with its first byte made
// '[', the body of a request but for the ']'. So rows reach the compressor without being copied again.
struct rows {
  std::string text;
  std::vector<row_ref> refs;
  std::vector<cut_field> cut;
  std::vector<set_aside> bad;  // rows that fit no body
  transform_counts counts;

  // Where row i's comma stands.
  [[nodiscard]] std::size_t begin_of(std::size_t i) const { return i == 0 ? 0 : refs[i - 1].end; }
  [[nodiscard]] byte_view row(std::size_t i) const {
    return byte_view(text).substr(begin_of(i) + 1, refs[i].end - begin_of(i) - 1);
  }
  // Rows [first, last) with the comma before each, as encoder::append takes them.
  [[nodiscard]] byte_view run(std::size_t first, std::size_t last) const {
    return byte_view(text).substr(begin_of(first), begin_of(last) - begin_of(first));
  }
  void clear() {
    text.clear();
    refs.clear();
    cut.clear();
    bad.clear();
    counts = {};
  }
};

// --- body: one request to the Logs Ingestion API -------------------------------------------------------------------

struct body {
  engine::buffer wire;                   // '[' row ',' row ... ']', compressed when `gzip`
  bool gzip = true;                      // whether Content-Encoding: gzip is to be sent
  std::size_t raw_bytes = 0;             // brackets and commas included
  std::vector<std::uint32_t> row_bytes;  // the raw size of each row, in order: where to cut it again
};

// Makes bodies: append rows, know how large the body can get, finish. One object makes many bodies, one after the
// other.
//
// wire_bytes_bound() holds at every moment: finish() called now gives at most that many bytes. A body that has outgrown
// the encoder's wire limit has a bound above that limit and can only be reset(). Not thread-safe: one caller at a time.
class encoder {
 public:
  virtual ~encoder() = default;
  // Adds rows, each preceded by one separator byte (',' or '['), as in rows::text. `row_bytes` are their sizes in
  // order: text.size() is their sum plus one for each.
  virtual void append(byte_view text, std::span<const std::uint32_t> row_bytes) = 0;
  // Of the body finished now, brackets and commas included; 0 when empty.
  [[nodiscard]] virtual std::size_t raw_bytes() const = 0;
  [[nodiscard]] virtual std::size_t row_count() const = 0;
  // Upper bound of the finished body; grows with append, never with flush.
  [[nodiscard]] virtual std::size_t wire_bytes_bound() const = 0;
  // An upper bound of wire_bytes_bound() after appending `text_bytes` more, separators counted.
  [[nodiscard]] virtual std::size_t wire_bytes_bound_after(std::size_t text_bytes) const = 0;
  // Writes out all that is held inside, so that the bound becomes exact but for the end of the stream. Costs ratio.
  virtual void flush() = 0;
  // Closes the body and makes the encoder empty again. Needs a row, and wire_bytes_bound() within the wire limit.
  virtual body finish() = 0;
  // Throws away what was appended.
  virtual void reset() = 0;
};

// --- receipt: what the service said --------------------------------------------------------------------------------

struct receipt {
  int status = 0;
  std::string request_id;
};

}  // namespace stages
