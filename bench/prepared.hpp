// Inputs of a stage that are outputs of the stages before it, one for each block of a corpus.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "bench/corpus.hpp"
#include "engine/base/bytes.hpp"
#include "stages/parse.hpp"
#include "stages/transform.hpp"
#include "stages/types.hpp"

namespace bench {

// The plain bytes with their padding.
std::vector<engine::buffer> padded_blocks(const corpus&);
stages::plain_block block_of(engine::buffer&);

// Decoded and parsed; the records view the block, and rebuilt events their parser.
struct parsed_block {
  engine::buffer storage;
  stages::log_groups groups;
  stages::parse parse;
  stages::records records;
};
std::vector<std::unique_ptr<parsed_block>> parsed_blocks(const corpus&);

std::vector<stages::rows> rows_of(const corpus&, stages::row_format);
// A run of rows as it stands in rows::text, as the body of a request.
std::string body_of(std::string_view run);
std::vector<std::size_t> text_bytes(const std::vector<stages::rows>&);
std::vector<std::uint32_t> row_bytes(const stages::rows&);

}  // namespace bench
