// The simple part of the query language: `*`, keywords and `key: value`, joined by `and`. No SQL.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sls_error.hpp"

namespace emulator::sls {

class log_query {
 public:
  // ParameterInvalid for anything with a pipe, parentheses, or, not.
  static outcome<log_query> parse(std::string_view text);
  // Fields by their flattened names. A keyword matches when some value contains it, letter case aside.
  [[nodiscard]] bool matches(const std::vector<std::pair<std::string, std::string>>& fields) const;

 private:
  struct term {
    std::string key;  // empty: any field
    std::string value;
  };
  std::vector<term> terms_;
};

}  // namespace emulator::sls
