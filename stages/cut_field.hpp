// Over-long fields: the destination truncates a value over 64 KiB without a word, so it is replaced by a mark that says
// how long it was and what its SHA-256 is, and the event goes to the dead letters whole.
//
//   {"penstock_cut":{"bytes":N,"sha256":"hex"}}      N and the digest are of the raw JSON token as it stood
//
// In text columns the mark is a string holding that text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "stages/json_tokens.hpp"
#include "stages/types.hpp"

namespace stages {

enum class mark_form : std::uint8_t { object, text };

inline constexpr std::size_t mark_bytes_max = 144;

// Writes the mark that replaces `token` to `out`, room for mark_bytes_max, and returns the end.
char* write_mark(engine::byte_view token, mark_form form, char* out);

// Cuts members out of an event's text until it is at most `bytes_max`: responseElements, requestParameters,
// requestParameterJson, additionalEventData, and nothing else: what says who did what is never cut; an event that is
// too long without those is set aside. Members not larger than their mark stay. Keeps its scratch from call to call.
class event_cutter {
 public:
  struct result {
    engine::byte_view text;         // valid until the next call
    std::size_t fields = 0;         // how many were cut
    column first = column::count_;  // of the first of them
    bool fits = false;
  };
  result operator()(const record& event, std::size_t bytes_max);

 private:
  struct member {
    engine::byte_view value;
    column which = column::count_;
    bool cut = false;
  };
  void list(const record& event);
  void put(const record& event);

  std::vector<json_member> found_;
  std::vector<member> members_;
  std::vector<std::size_t> order_;
  std::string text_;
};

}  // namespace stages
