#include "stages/outgoing.hpp"

#include <algorithm>
#include <cassert>
#include <iterator>

namespace stages {

std::vector<part> take_front(std::vector<part>& parts, std::size_t rows) {
  std::vector<part> front;
  std::size_t whole = 0;
  while (rows > 0) {
    assert(whole < parts.size());
    part& p = parts[whole];
    if (p.indexes.size() <= rows) {
      rows -= p.indexes.size();
      front.push_back(std::move(p));
      ++whole;
      continue;
    }
    const auto cut = p.indexes.begin() + static_cast<std::ptrdiff_t>(rows);
    front.push_back({.rows = p.rows.split(static_cast<std::uint32_t>(rows)),
                     .block = p.block,
                     .indexes = {p.indexes.begin(), cut}});
    p.indexes.erase(p.indexes.begin(), cut);
    rows = 0;
  }
  parts.erase(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(whole));
  return front;
}

}  // namespace stages
