// The ports: all that is not pure. Stages and flow reach time, network, disk, CPU workers and randomness only through
// these; engine/net and engine/host implement them for production, tests bind them to a seeded scheduler.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/units.hpp"
#include "engine/flow/http_message.hpp"
#include "engine/flow/task.hpp"

namespace engine {

// --- Clock ---------------------------------------------------------------------------------------------------------

class clock {
 public:
  using timer_id = std::uint64_t;
  virtual ~clock() = default;
  [[nodiscard]] virtual time_point now() const = 0;
  [[nodiscard]] virtual wall_time wall() const = 0;
  // Calls `fire` once, on no particular thread, not before `when`. It must not block.
  virtual timer_id call_at(time_point when, std::move_only_function<void()> fire) = 0;
  // After return the call may still be running on another thread, but will not start any more.
  virtual void cancel(timer_id) = 0;
};

// --- HttpExchange --------------------------------------------------------------------------------------------------

// Looks at the head of a 2xx answer before any of its body is read, and gives the buffer to read it into, with at least
// content_length bytes of capacity; or nullopt to refuse: the connection is closed and the body never enters memory.
// Not asked when the answer has no body, is not 2xx, or announces no length: then the exchange reads up to
// body_bytes_max.
using on_headers = std::move_only_function<std::optional<buffer>(const http_response_head&)>;

struct exchange_options {
  duration connect_max = std::chrono::seconds(10);  // name, TCP and TLS together
  duration answer_max = std::chrono::seconds(30);   // request sent until the head is there
  duration stall_max = std::chrono::seconds(30);    // longest silence while reading the body
  std::size_t body_bytes_max = mib;                 // for answers that do not go through on_headers
  on_headers headers_step;                          // may be empty
};

class http_exchange {
 public:
  virtual ~http_exchange() = default;
  // One request, one answer, any status. Cancelled by close(). Thread-safe.
  virtual task<std::expected<http_response, http_failure>> exchange(http_request, exchange_options) = 0;
  // Ends every running and later exchange with http_errc::cancelled.
  virtual void close() = 0;
};

// --- Store ---------------------------------------------------------------------------------------------------------

// The identity of a route: one shard towards one destination.
struct route_id {
  std::string account;
  std::string project;
  std::string logstore;
  std::int64_t shard = 0;
  std::string destination;
  friend auto operator<=>(const route_id&, const route_id&) = default;
};

struct saved_position {
  std::string committed;  // cursor: everything before it was delivered or dead-lettered; empty: none yet
  std::string pulled;     // highest cursor ever pulled; empty: none yet
};

struct dead_letter {
  route_id route;
  std::string reason;       // stable word: bad_json, not_an_object, too_deep, bad_encoding, cut_field, refused_row ...
  std::string detail;       // for people
  std::string cursor;       // of the block the event came in
  std::uint64_t index = 0;  // the event's number in that block
  std::string original;     // the bytes as they came, whatever they are
};

enum class store_errc : std::uint8_t { disk_full, io, corrupt, closed };
struct store_failure {
  store_errc code;
  std::string message;
};
using store_result = std::expected<void, store_failure>;

// Durable state. Calls are grouped and carried out in order on a thread of the store's own; each returns when what it
// asked for is on disk. After the first failure every later call fails: a position is never committed past a lost
// write.
class store {
 public:
  virtual ~store() = default;
  virtual task<std::expected<saved_position, store_failure>> load(route_id) = 0;
  virtual task<store_result> commit(route_id, std::string cursor) = 0;
  virtual task<store_result> note_pulled(route_id, std::string cursor) = 0;
  // Synced to the medium before it returns.
  virtual task<store_result> bury(std::vector<dead_letter>) = 0;
};

// --- Cpu -----------------------------------------------------------------------------------------------------------

// Whose work it is: fairness is over accounts first, then over logstores.
struct cpu_flow {
  std::uint32_t account = 0;
  std::uint32_t logstore = 0;
};

class cpu {
 public:
  virtual ~cpu() = default;
  // Resumes the caller on a CPU worker when it is the flow's turn; cost in bytes. The caller goes back to its own
  // executor with leave(). Between the two it must not await anything.
  virtual task<void> enter(cpu_flow, std::size_t cost) = 0;
  virtual task<void> leave() = 0;
  [[nodiscard]] virtual unsigned workers() const = 0;
};

// --- Rng -----------------------------------------------------------------------------------------------------------

class rng {
 public:
  virtual ~rng() = default;
  virtual std::uint64_t next() = 0;  // thread-safe
};

}  // namespace engine
