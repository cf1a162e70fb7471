// The ledger: what the emulated logstores hold, what was served from them, what the emulated workspace accepted; and
// the comparison of the three. It is the judge of every end-to-end test, so it shares no code with the product.
//
// Thread rules: every function may be called from any thread; calls are serialised inside. The recording calls are
// cheap (they keep bytes); all parsing and comparing happens in report().
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace emulator {

struct shard_key {
  std::string account;
  std::string project;
  std::string logstore;
  std::int64_t shard = 0;
  friend auto operator<=>(const shard_key&, const shard_key&) = default;
};

struct event_counts {
  std::uint64_t stored = 0;            // distinct events in the logstores so far
  std::uint64_t delivered_unique = 0;  // those with an equal accepted row
  std::uint64_t duplicates = 0;        // further accepted equal rows
  std::uint64_t missing = 0;           // stored - delivered_unique
  std::uint64_t altered = 0;           // rows with a stored id and another content
  std::uint64_t unknown = 0;           // rows that match no stored event
  std::uint64_t pulled_uncommitted =
      0;  // see architecture: served above the last boundary accepted 500 ms before the last request
};

class ledger {
 public:
  // Gives the serialized LogGroups [first, last) of a shard, in order; called only by report() and totals(), from the
  // thread that calls them, for groups announced by stored(). The shards own the bytes (compressed), not the ledger.
  using group_reader =
      std::function<std::vector<std::string>(const shard_key&, std::uint64_t first, std::uint64_t last)>;
  // The time of acceptance and of requests; steady_clock::now unless a test sets another.
  using clock = std::function<std::chrono::steady_clock::time_point()>;
  explicit ledger(group_reader, clock now = &std::chrono::steady_clock::now);
  ~ledger();
  ledger(const ledger&) = delete;
  ledger& operator=(const ledger&) = delete;

  // The shard's groups 0 .. count-1 exist now (count never shrinks; a group never changes).
  void stored(const shard_key&, std::uint64_t count);
  // A PullLogs reply with the groups [first, next) left for the client; `next` is the boundary its cursor names.
  void served(const shard_key&, std::uint64_t first, std::uint64_t next);
  // A request of any role arrived (pulled_uncommitted counts back from the last one).
  void request_seen(std::string_view role, std::string_view operation, int status);
  // A body was answered with 204. `wire` is as sent, gzip or not, already checked to be a JSON array of objects.
  void accepted(std::string_view rule, std::string_view stream, std::shared_ptr<const std::string> wire, bool gzip);
  // Any answer of the ingestion endpoint, accepted or not.
  void answered(std::string_view rule, std::string_view stream, int status, std::uint64_t wire_bytes,
                std::uint64_t raw_bytes);

  // The comparison as it stands now (GET /emulator/ledger, JSON as in the contract). What was compared once is not
  // parsed again; recording goes on meanwhile. An event stored equally in two logstores belongs to the first. In the
  // JSON, `requests` is {"ROLE":{"OPERATION":{"STATUS":n}}}, a rule's `responses` {"STATUS":n}; its bytes are those
  // answered 204.
  [[nodiscard]] std::string report();
  [[nodiscard]] event_counts totals();

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace emulator
