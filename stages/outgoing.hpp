// outgoing: a closed body on its way to a destination, with what it owes: whose rows it carries.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/flow/ack.hpp"
#include "engine/flow/budget.hpp"
#include "engine/flow/permits.hpp"
#include "stages/types.hpp"

namespace stages {

// What stays of a block until its last row is resolved: the reply as received, for the originals of dead letters, and
// the lease that pays for it and for its share of the bodies. Shared by the parts of the bodies that carry its rows.
struct held_block {
  engine::route_id route;
  fetched_block reply;
  engine::budget::lease lease;
};

// Consecutive rows of one body that came from one block.
struct part {
  engine::ack_line::delivery rows;  // as many units as rows
  std::shared_ptr<held_block> block;
  std::vector<std::uint32_t> indexes;  // the log's number in the block, row by row
};

struct outgoing {
  stages::body body;
  std::vector<part> parts;        // in the order of the rows
  engine::permits::permit place;  // a closed body keeps one place of its destination until it is answered
  bool probe = false;             // sent although the destination is parked, to see whether it still must be

  [[nodiscard]] std::size_t row_count() const { return body.row_bytes.size(); }
};

// Takes the parts of the first `rows` rows out of `parts`.
std::vector<part> take_front(std::vector<part>& parts, std::size_t rows);

}  // namespace stages
