// The positions of all routes in one SQLite file: plain calls, no thread of its own, no coroutine.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "engine/flow/ports.hpp"

namespace engine {

struct saved_route {
  route_id route;
  saved_position position;
  wall_time updated;
};

// Not thread-safe. WAL with synchronous=NORMAL: what a transaction wrote survives the death of the process at any
// moment; a power cut may take back the last transactions, but only whole ones and only from the end, so routes resume
// at an earlier position: duplicates, never loss.
class state_database {
 public:
  // Creates the file and its tables when missing. Refuses a file that is damaged, written by a newer version or not
  // ours.
  static std::expected<state_database, store_failure> open(const std::string& path);
  // Every saved position in order of its route, also while another process has the file open; changes nothing.
  static std::expected<std::vector<saved_route>, store_failure> list(const std::string& path);

  ~state_database();
  state_database(state_database&&) noexcept;

  store_result begin();
  // On failure the transaction is undone.
  store_result end();
  void undo();
  // Nothing saved: an empty position.
  std::expected<saved_position, store_failure> load(const route_id&);
  store_result set_committed(const route_id&, const std::string& cursor, wall_time now);
  store_result set_pulled(const route_id&, const std::string& cursor, wall_time now);

 private:
  struct connection;
  explicit state_database(std::unique_ptr<connection>);
  std::unique_ptr<connection> connection_;
};

}  // namespace engine
