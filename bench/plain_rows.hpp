// The plain chain's rows: an event's text to one row of the format `typed`, by a simdjson DOM and an nlohmann object.
//
// Columns and coercions are those of stages/transform.hpp, so that rows are equal. A DOM keeps values and forgets how
// they were spelled; where that shows (a number that is no integer, an object in a text column, a key that comes twice)
// the raw token is looked up in the text, which few events need. Objects keep the order of their keys (ordered_json):
// the comparison demands it.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>

namespace bench {

class plain_rows {
 public:
  // Nothing for a text that a DOM does not take (numbers beyond a double or 64 bits among them), and for one over
  // text_bytes_max, whose columns might have to be cut.
  std::optional<std::string> operator()(const std::string& text, std::uint32_t time_s, std::uint32_t time_ns);

  static constexpr std::size_t text_bytes_max = 65'536;

 private:
  simdjson::dom::parser parser_;  // one for all events, as its manual says
  simdjson::ondemand::parser raw_parser_;
};

}  // namespace bench
