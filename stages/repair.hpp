// Repairs what JSON's grammar allows and readers refuse: lone surrogates become \ufffd, numbers beyond a double become
// their token in quotes. Everything else is copied byte by byte.
#pragma once

#include <cstdint>

#include "engine/base/bytes.hpp"

namespace stages {

// `token` is one validated JSON value of any kind. Writes to `out`, which has room for 2 * token.size(), and returns
// the end; adds the number of places changed to `repaired`.
char* repair_json(engine::byte_view token, char* out, std::uint64_t& repaired);

}  // namespace stages
