#include "stages/batch.hpp"

#include <algorithm>
#include <cassert>

namespace stages {

batch::batch(const batch_options& options, encoder& encoder)
    : options_(options), encoder_(encoder), raw_bytes_max_(options.raw_bytes_max) {
  assert(encoder_.row_count() == 0);
}

batch::added batch::add(const rows& in, std::size_t first_row, engine::time_point now) {
  added out;
  std::size_t at = first_row;
  while (at < in.refs.size() && !full_) {
    const std::size_t end = last_fitting(in, at);
    const std::size_t bytes = in.run(at, end).size();
    const bool wanted = end == in.refs.size() || bytes >= options_.piece_bytes_min || !may_flush();
    if (!wanted) {
      flush();
    } else if (end > at) {
      append(in, at, end);
      at = end;
    } else if (!empty()) {
      full_ = true;
    } else if (take_alone(in, at)) {
      ++at;
      full_ = true;
    } else {
      out.next_fits_nowhere = true;
      break;
    }
  }
  out.rows = at - first_row;
  if (out.rows != 0 && !opened_) opened_ = now;
  return out;
}

std::optional<engine::time_point> batch::deadline() const {
  if (!opened_) return std::nullopt;
  return *opened_ + options_.linger;
}

body batch::close() {
  assert(!empty());
  body out = encoder_.finish();
  reset();
  return out;
}

void batch::reset() {
  encoder_.reset();
  opened_.reset();
  unflushed_bytes_ = 0;
  flushes_ = 0;
  full_ = false;
}

void batch::set_raw_bytes_max(std::size_t bytes) { raw_bytes_max_ = std::min(bytes, options_.raw_bytes_max); }

bool batch::has_room(std::size_t text_bytes) const {
  const std::size_t raw_bytes = empty() ? 1 : encoder_.raw_bytes();  // the last bracket
  return raw_bytes + text_bytes <= raw_bytes_max_ &&
         encoder_.wire_bytes_bound_after(text_bytes) <= options_.wire_bytes_max;
}

// The end of the longest run from `first` on that has room.
std::size_t batch::last_fitting(const rows& in, std::size_t first) const {
  std::size_t fits = first;
  std::size_t beyond = in.refs.size() + 1;
  while (fits + 1 < beyond) {
    // The whole rest first: the usual case.
    const std::size_t middle = beyond > in.refs.size() ? in.refs.size() : fits + (beyond - fits) / 2;
    if (middle == fits) break;
    (has_room(in.run(first, middle).size()) ? fits : beyond) = middle;
  }
  return fits;
}

// Worth it when the wire bound is what leaves no room, and enough is held inside for the truth to be less.
bool batch::may_flush() const {
  const std::size_t raw_left = raw_bytes_max_ - std::min(raw_bytes_max_, encoder_.raw_bytes());
  return flushes_ < options_.flushes_max && unflushed_bytes_ >= options_.piece_bytes_min &&
         raw_left >= options_.piece_bytes_min;
}

bool batch::take_alone(const rows& in, std::size_t row) {
  if (in.run(row, row + 1).size() + 1 > options_.raw_bytes_max) return false;
  append(in, row, row + 1);
  if (encoder_.wire_bytes_bound() > options_.wire_bytes_max) flush();
  if (encoder_.wire_bytes_bound() <= options_.wire_bytes_max) return true;
  reset();
  return false;
}

void batch::append(const rows& in, std::size_t first, std::size_t last) {
  row_bytes_.resize(last - first);
  for (std::size_t i = first; i < last; ++i) row_bytes_[i - first] = static_cast<std::uint32_t>(in.row(i).size());
  const byte_view text = in.run(first, last);
  encoder_.append(text, row_bytes_);
  unflushed_bytes_ += text.size();
}

void batch::flush() {
  encoder_.flush();
  unflushed_bytes_ = 0;
  ++flushes_;
}

}  // namespace stages
