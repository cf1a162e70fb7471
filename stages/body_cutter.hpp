// body_cutter: the one preallocated place where a refused body is taken apart. Thread-safe; used inside a CPU slot and
// never held across an upload.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "stages/cut_body.hpp"
#include "stages/types.hpp"

namespace stages {

// What the service takes (azure-logs-ingestion §2.1). Bodies are filled less far, so that a part of one always fits.
inline constexpr std::size_t service_wire_bytes_max = 1'048'576;

class body_cutter {
 public:
  // The encoder takes bodies up to service_wire_bytes_max.
  body_cutter(std::size_t raw_bytes_max, std::unique_ptr<encoder>);

  // Rows [0, middle) and [middle, end). The error is a word for people.
  std::expected<std::pair<body, body>, std::string> in_two(const body&, std::size_t middle);

 private:
  std::mutex mutex_;
  cut_body cut_;
  std::unique_ptr<encoder> encoder_;
};

}  // namespace stages
