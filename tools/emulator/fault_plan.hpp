// Faults the emulated services commit on demand: which request is hit, and what then happens to it.
//
// A plan is a JSON list (contract: architecture, "Faults"). The first fault of the list whose role, op and match fit a
// request, whose count is not used up and whose rate draws it, hits that request; at most one fault hits a request.
//
// Who asks when: the server calls resets_before() with the headers only (the body stays unread); the role calls match()
// once before it handles the request, does status, reset_after and the row-spoiling kinds itself, and ends with
// spoil_answer() for the kinds that concern the finished answer.
//
// Thread rules: every function of fault_plan may be called from any thread.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http_message.hpp"

namespace emulator {

enum class fault_kind : std::uint8_t {
  status,        // answer `status` with the service's error code `code`; nothing is stored
  reset_before,  // closed with the body unread; nothing is stored
  reset_after,   // closed with the body read; nothing is stored
  lost_answer,   // handled and stored, then closed instead of answered
  slow,          // the answer's body is spread over `seconds`
  stall,         // handled, the whole answer held for `seconds`
  truncate,      // the answer's body is cut, Content-Length matching the cut
  wrong_size,    // a pull reply names a wrong x-log-bodyrawsize
  garbage,       // the answer's body is replaced by noise of the same length
  drop_row,      // after 204 one row of the body is not stored
  alter_byte,    // after 204 one byte of a stored row differs
  double_row,    // after 204 one row is stored twice
};

struct fault {
  std::string role;      // sls entra ingest sts metadata; empty: any
  std::string op;        // list_shards get_cursor pull_logs heartbeat checkpoint token upload assume_role; empty: any
  std::string account;   // match; empty: any
  std::string logstore;  // match; empty: any
  std::string rule;      // match; empty: any
  fault_kind kind = fault_kind::status;
  int status = 500;
  std::string code;                    // the service's own error code; empty: the role's usual one for the status
  std::optional<int> retry_after_s;    // sent as Retry-After where given
  double seconds = 1;                  // slow, stall
  double rate = 1;                     // share of fitting requests that are hit
  std::optional<std::uint64_t> count;  // requests it still hits; absent: no end
  std::uint64_t draw = 0;              // set by match(): a seeded number for choices inside the hit (which row, byte)
};

// What a request is, as far as faults care. Empty where unknown or not applicable.
struct fault_target {
  std::string_view role;
  std::string_view op;
  std::string_view account;
  std::string_view logstore;
  std::string_view rule;
};

class fault_plan {
 public:
  explicit fault_plan(std::uint64_t seed);
  ~fault_plan();
  fault_plan(const fault_plan&) = delete;
  fault_plan& operator=(const fault_plan&) = delete;

  // Puts this list in place of the current one; the value is the number of faults. On an error the old list stays and
  // the text names the entry and the key.
  std::expected<std::size_t, std::string> replace(std::string_view json);
  // Faults that can still hit a request.
  [[nodiscard]] std::size_t active() const;

  // Only reset_before faults are looked at, and counted when they hit.
  [[nodiscard]] bool resets_before(const fault_target&);
  // All other kinds.
  [[nodiscard]] std::optional<fault> match(const fault_target&);

 private:
  struct state;
  std::unique_ptr<state> state_;
};

// lost_answer, reset_after, slow, stall, truncate, garbage: carried out on a finished answer. Other kinds change
// nothing.
void spoil_answer(const fault&, response&);

}  // namespace emulator
