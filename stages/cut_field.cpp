#include "stages/cut_field.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>

#include "engine/base/digest.hpp"
#include "stages/row_columns.hpp"

namespace stages {
namespace {

using engine::byte_view;

constexpr std::array cut_first = {column::responseElements, column::requestParameters, column::requestParameterJson,
                                  column::additionalEventData};

mark_form form_of(column c) {
  return c != column::count_ && row_columns[index_of(c)].kind == column_kind::text ? mark_form::text
                                                                                   : mark_form::object;
}

char* put_bytes(byte_view bytes, char* out) { return std::copy(bytes.begin(), bytes.end(), out); }

char* put_quote(mark_form form, char* out) {
  if (form == mark_form::text) *out++ = '\\';
  *out++ = '"';
  return out;
}

char* put_string(byte_view text, mark_form form, char* out) {
  return put_quote(form, put_bytes(text, put_quote(form, out)));
}

}  // namespace

char* write_mark(byte_view token, mark_form form, char* out) {
  const auto digest = engine::sha256(token);
  if (form == mark_form::text) *out++ = '"';
  *out++ = '{';
  out = put_string("penstock_cut", form, out);
  out = put_bytes(":{", out);
  out = put_string("bytes", form, out);
  *out++ = ':';
  out = std::to_chars(out, out + 20, token.size()).ptr;
  *out++ = ',';
  out = put_string("sha256", form, out);
  *out++ = ':';
  out = put_string(engine::to_hex(engine::view_of(digest)), form, out);
  out = put_bytes("}}", out);
  if (form == mark_form::text) *out++ = '"';
  return out;
}

void event_cutter::list(const record& event) {
  list_members(event.text, found_);
  members_.clear();
  for (const json_member& found : found_) {
    member one{.value = found.value};
    // By place, not by name: of a key that comes twice only the last is the column.
    for (std::size_t c = 0; c < column_count; ++c) {
      if (event.slices[c].data() == found.value.data()) one.which = static_cast<column>(c);
    }
    members_.push_back(one);
  }
}

// The event's text with the marks in the place of what was cut.
void event_cutter::put(const record& event) {
  text_.clear();
  const char* from = event.text.data();
  for (const member& one : members_) {
    if (!one.cut) continue;
    std::array<char, mark_bytes_max> mark;
    const char* end = write_mark(one.value, form_of(one.which), mark.data());
    text_.append(from, one.value.data());
    text_.append(mark.data(), static_cast<std::size_t>(end - mark.data()));
    from = one.value.data() + one.value.size();
  }
  text_.append(from, event.text.data() + event.text.size());
}

event_cutter::result event_cutter::operator()(const record& event, std::size_t bytes_max) {
  result out;
  list(event);
  order_.resize(members_.size());
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  const auto rank = [this](std::size_t i) {
    return std::ranges::find(cut_first, members_[i].which) - cut_first.begin();
  };
  std::ranges::sort(order_, [&](std::size_t a, std::size_t b) {
    if (rank(a) != rank(b)) return rank(a) < rank(b);
    if (members_[a].value.size() != members_[b].value.size())
      return members_[a].value.size() > members_[b].value.size();
    return a < b;
  });

  std::size_t bytes = event.text.size();
  for (const std::size_t i : order_) {
    if (bytes <= bytes_max) break;
    member& one = members_[i];
    if (std::ranges::find(cut_first, one.which) == cut_first.end()) break;  // the rest is never cut
    if (one.value.size() <= mark_bytes_max) continue;                       // nothing to win
    std::array<char, mark_bytes_max> mark;
    const char* end = write_mark(one.value, form_of(one.which), mark.data());
    const auto mark_bytes = static_cast<std::size_t>(end - mark.data());
    bytes = bytes - one.value.size() + mark_bytes;
    one.cut = true;
    if (out.fields++ == 0) out.first = one.which;
  }
  out.fits = bytes <= bytes_max;
  if (out.fits) {
    put(event);
    out.text = text_;
  }
  return out;
}

}  // namespace stages
