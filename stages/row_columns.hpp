// The columns of the destination table that come from the event: their names and what they hold.
#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <string_view>

#include "stages/types.hpp"

namespace stages {

struct row_column {
  std::string_view name;
  column_kind kind = column_kind::text;
};

// In the order of `column`.
inline constexpr std::array<row_column, column_count> row_columns = {{
    {"acsRegion"},
    {"additionalEventData", column_kind::dynamic},
    {"apiVersion"},
    {"errorCode"},
    {"errorMessage"},
    {"eventAttributes", column_kind::dynamic},
    {"eventCategory"},
    {"eventId"},
    {"eventName"},
    {"eventRW"},
    {"eventSource"},
    {"eventTime"},
    {"eventType"},
    {"eventVersion"},
    {"isGlobal", column_kind::boolean},
    {"referencedResources", column_kind::dynamic},
    {"requestId"},
    {"requestParameterJson"},
    {"requestParameters", column_kind::dynamic},
    {"resourceName"},
    {"resourceType"},
    {"responseElements", column_kind::dynamic},
    {"serviceName"},
    {"sourceIpAddress"},
    {"userAgent"},
    {"userIdentity", column_kind::dynamic},
}};
static_assert(row_columns[static_cast<std::size_t>(column::isGlobal)].name == "isGlobal");
static_assert(row_columns[static_cast<std::size_t>(column::userIdentity)].name == "userIdentity");

constexpr std::size_t index_of(column c) { return static_cast<std::size_t>(c); }

// The order in a row. Rows of one event name stand together, so what differs from row to row stands together here, and
// so does what they share: longer and fewer matches for gzip than in the order of the alphabet.
inline constexpr std::array<column, column_count> columns_in_row = {
    column::eventTime,
    column::eventId,
    column::requestId,
    column::userIdentity,
    column::sourceIpAddress,
    column::userAgent,
    column::acsRegion,
    column::apiVersion,
    column::eventCategory,
    column::eventName,
    column::eventRW,
    column::eventSource,
    column::eventType,
    column::eventVersion,
    column::isGlobal,
    column::serviceName,
    column::additionalEventData,
    column::eventAttributes,
    column::errorCode,
    column::errorMessage,
    column::resourceType,
    column::resourceName,
    column::referencedResources,
    column::requestParameters,
    column::requestParameterJson,
    column::responseElements,
};
static_assert([] {  // each column once
  std::array<bool, column_count> seen{};
  for (const column c : columns_in_row) seen[index_of(c)] = true;
  return std::ranges::all_of(seen, std::identity());
}());

}  // namespace stages
