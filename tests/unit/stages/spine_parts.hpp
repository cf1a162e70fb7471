// What tests of the spine are made with: replies as the service sends them, and what the bodies made of them owe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "stages/outgoing.hpp"
#include "tests/support/log_group_builder.hpp"

namespace stages::test {

// A reply of one or more groups, not compressed, as fetch hands it on.
inline fetched_block reply_of(const std::string& plain, std::uint64_t groups, std::string cursor = "c0",
                              std::string next_cursor = "c1") {
  fetched_block out;
  out.bytes = engine::buffer(plain.size());
  out.bytes.append(plain);
  out.plain_bytes = plain.size();
  out.group_count = groups;
  out.cursor = std::move(cursor);
  out.next_cursor = std::move(next_cursor);
  return out;
}

inline fetched_block reply_of_events(const std::vector<std::string>& events, std::string cursor = "c0",
                                     std::string next_cursor = "c1") {
  tests::log_group_builder group;
  for (const std::string& event : events) group.event(event);
  return reply_of(tests::group_list({group}), 1, std::move(cursor), std::move(next_cursor));
}

inline std::shared_ptr<held_block> held(fetched_block reply) {
  auto out = std::make_shared<held_block>();
  out->route = {.account = "prod-cn", .project = "audit", .logstore = "trail", .shard = 3, .destination = "main"};
  out->reply = std::move(reply);
  return out;
}

// Opens the block in its line: it owes one unit for each of its rows.
inline part part_of(engine::ack_line& line, const std::shared_ptr<held_block>& block,
                    std::vector<std::uint32_t> indexes) {
  part out;
  out.rows = line.open(block->reply.next_cursor, static_cast<std::uint32_t>(indexes.size()), block);
  out.block = block;
  out.indexes = std::move(indexes);
  return out;
}

}  // namespace stages::test
