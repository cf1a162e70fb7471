// The columns of the destination table that come from the event: their names and what they hold.
#pragma once

#include <array>
#include <string_view>

#include "stages/types.hpp"

namespace stages {

struct row_column {
  std::string_view name;
  column_kind kind = column_kind::text;
};

// In the order of `column`, which is the order in a row.
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

}  // namespace stages
