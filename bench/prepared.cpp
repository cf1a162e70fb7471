#include "bench/prepared.hpp"

#include <optional>
#include <utility>

#include "bench/row.hpp"
#include "stages/decode.hpp"

namespace bench {

std::vector<engine::buffer> padded_blocks(const corpus& in) {
  std::vector<engine::buffer> out;
  for (const std::string& plain : in.plain) {
    engine::buffer one(plain.size() + stages::padding_bytes);
    one.append(plain);
    one.append(std::string(stages::padding_bytes, ' '));
    out.push_back(std::move(one));
  }
  return out;
}

stages::plain_block block_of(engine::buffer& padded) {
  return {.storage = &padded, .size = padded.size() - stages::padding_bytes};
}

std::vector<std::unique_ptr<parsed_block>> parsed_blocks(const corpus& in) {
  std::vector<std::unique_ptr<parsed_block>> out;
  for (engine::buffer& padded : padded_blocks(in)) {
    auto one = std::make_unique<parsed_block>();
    one->storage = std::move(padded);
    const bool decoded = stages::decode(block_of(one->storage), std::nullopt, one->groups).has_value();
    demand(decoded, "a block of the corpus does not decode");
    one->parse(one->groups, one->records);
    out.push_back(std::move(one));
  }
  return out;
}

std::vector<stages::rows> rows_of(const corpus& in, stages::row_format format) {
  std::vector<stages::rows> out;
  stages::transform transform({.format = format});
  for (const auto& block : parsed_blocks(in)) {
    stages::rows rows;
    transform(block->records, rows);
    rows.cut.clear();  // these view the block, which ends here
    rows.bad.clear();
    out.push_back(std::move(rows));
  }
  return out;
}

std::string body_of(std::string_view run) {
  std::string out(run);
  if (out.empty()) return "[]";
  out.front() = '[';
  out += ']';
  return out;
}

std::vector<std::size_t> text_bytes(const std::vector<stages::rows>& all) {
  std::vector<std::size_t> out;
  for (const stages::rows& rows : all) out.push_back(rows.text.size());
  return out;
}

std::vector<std::uint32_t> row_bytes(const stages::rows& rows) {
  std::vector<std::uint32_t> out;
  for (std::size_t i = 0; i < rows.refs.size(); ++i) out.push_back(static_cast<std::uint32_t>(rows.row(i).size()));
  return out;
}

}  // namespace bench
