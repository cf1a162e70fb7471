// cut_body: a smaller body out of a finished one, or one row's text: what the answers 413 (too large: halve) and 400
// (find the row that is refused) ask for.
//
// Input   a body as encoder::finish made it.
// Output  cut: a body of its rows [first, last), made by the given encoder. row: its raw text, valid until the next
//         call.
// Errors  damaged: the bytes are not what row_bytes and raw_bytes say. too_large: the part exceeds wire_bytes_max when
//         it is compressed again (it need not grow, but may, at another level).
// Limits  raw_bytes_max: one buffer of that size, allocated once; hold the object only while working.
// Cost    one inflation of the whole body for each call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>

#include "engine/base/bytes.hpp"
#include "engine/base/fault.hpp"
#include "engine/base/units.hpp"
#include "stages/types.hpp"

namespace stages {

enum class cut_body_errc : std::uint8_t { damaged, too_large };
constexpr engine::fault fault_of(cut_body_errc code) {
  return code == cut_body_errc::damaged ? engine::fault::malformed : engine::fault::refused;
}

struct cut_body_options {
  std::size_t wire_bytes_max = 1'044'480;
  std::size_t raw_bytes_max = 8 * engine::mib;
};

class cut_body {
 public:
  explicit cut_body(const cut_body_options&);
  ~cut_body();
  cut_body(const cut_body&) = delete;
  cut_body& operator=(const cut_body&) = delete;

  // 0 <= first < last <= the number of rows. The encoder is empty before and after.
  std::expected<body, cut_body_errc> operator()(const body&, std::size_t first, std::size_t last, encoder&);
  std::expected<engine::byte_view, cut_body_errc> row(const body&, std::size_t row);

 private:
  struct inflater;
  std::expected<engine::byte_view, cut_body_errc> open(const body&);

  const cut_body_options options_;
  engine::buffer raw_;
  std::unique_ptr<inflater> inflater_;
};

}  // namespace stages
