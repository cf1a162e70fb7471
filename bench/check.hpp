// What became of the events, judged by the emulator's comparison: another reader of log groups, another JSON library,
// another gzip. Equal means equal in every column, by value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "bench/corpus.hpp"
#include "tools/emulator/comparison.hpp"

namespace bench {

class row_check {
 public:
  // Of the events of one block, or of all blocks.
  row_check(const corpus&, std::size_t block);
  explicit row_check(const corpus&);
  row_check(const row_check&) = delete;  // compare_ asks this object for texts
  row_check& operator=(const row_check&) = delete;

  void add_body(std::string_view wire, bool gzip);
  // Ends the program unless each event but `left_out` came unchanged, and no row is without its event. Equal events
  // count each time.
  void demand_all(std::string_view row, std::size_t left_out = 0) const;

 private:
  row_check();
  void add_block(std::string_view plain);

  std::size_t stored_ = 0;  // events put in, equal ones counted each time
  std::uint64_t rows_ = 0;
  std::vector<std::string_view> groups_;  // of the corpus: the text of a long event is fetched again for its cut row
  emulator::comparison compare_;
};

}  // namespace bench
