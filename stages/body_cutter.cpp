#include "stages/body_cutter.hpp"

namespace stages {

body_cutter::body_cutter(std::size_t raw_bytes_max, std::unique_ptr<encoder> with)
    : cut_({.wire_bytes_max = service_wire_bytes_max, .raw_bytes_max = raw_bytes_max}), encoder_(std::move(with)) {}

std::expected<std::pair<body, body>, std::string> body_cutter::in_two(const body& whole, std::size_t middle) {
  const auto word = [](cut_body_errc code) {
    return std::string(code == cut_body_errc::damaged ? "damaged" : "too large");
  };
  const std::lock_guard lock(mutex_);
  auto front = cut_(whole, 0, middle, *encoder_);
  if (!front) return std::unexpected(word(front.error()));
  auto back = cut_(whole, middle, whole.row_bytes.size(), *encoder_);
  if (!back) return std::unexpected(word(back.error()));
  return std::pair(*std::move(front), *std::move(back));
}

}  // namespace stages
