// One serialized LogGroup back to its logs, written from the message description, sharing nothing with the product's
// reader.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace emulator {

// Views into the group's bytes.
struct stored_log {
  std::uint32_t time_s = 0;
  std::uint32_t time_ns = 0;              // 0 when absent
  std::optional<std::string_view> event;  // the content `event`; the last one where the key is repeated
  std::vector<std::pair<std::string_view, std::string_view>>
      dotted;              // contents `event.x`, in order, keys without the prefix
  std::string_view bytes;  // the whole Log message
};

// Nothing when the bytes are not a LogGroup.
[[nodiscard]] std::optional<std::vector<stored_log>> read_log_group(std::string_view bytes);

// What the event is as JSON text: the content `event` as it stands, or an object of the `event.x` contents, each a JSON
// string. Nothing for a log that has neither.
[[nodiscard]] std::optional<std::string> event_text(const stored_log&);

}  // namespace emulator
