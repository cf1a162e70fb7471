// What became of the events, judged by the emulator's comparison: another reader of log groups, another JSON library,
// another gzip. Equal means equal in every column, by value.
#pragma once

#include <cstddef>
#include <string_view>

#include "bench/corpus.hpp"
#include "tools/emulator/comparison.hpp"

namespace bench {

class row_check {
 public:
  // Of the events of one block, or of all blocks.
  row_check(const corpus&, std::size_t block);
  explicit row_check(const corpus&);

  void add_body(std::string_view wire, bool gzip);
  // Ends the program unless each event came exactly once and unchanged.
  void demand_all(std::string_view row) const;

 private:
  void add_block(std::string_view plain);

  const bool generated_;
  std::size_t stored_ = 0;  // events put in, equal ones counted each time
  std::uint64_t rows_ = 0;
  emulator::comparison compare_;
};

}  // namespace bench
