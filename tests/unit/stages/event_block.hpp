// Records for tests of transform and what follows it, sliced with simdjson's on-demand parser instead of our own stage.
#pragma once

#include <simdjson.h>

#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "stages/row_columns.hpp"
#include "stages/types.hpp"

namespace stages::test {

inline std::size_t column_named(std::string_view name) {
  std::size_t c = 0;
  while (c < column_count && row_columns[c].name != name) ++c;
  return c;
}

// Owns the texts that its records point into.
class event_block {
 public:
  // `event` is a valid JSON object.
  record& add(std::string event, bool needs_repair = false) {
    const std::size_t size = event.size();
    event.reserve(size + simdjson::SIMDJSON_PADDING);
    const std::string& text = texts_.emplace_back(std::move(event));
    record one;
    one.text = byte_view(text.data(), size);
    one.index = static_cast<std::uint32_t>(records_.events.size());
    one.time_s = 1'700'000'000;
    one.needs_repair = needs_repair;
    simdjson::ondemand::document document =
        parser_.iterate(simdjson::padded_string_view(text.data(), size, size + simdjson::SIMDJSON_PADDING));
    for (auto field : document.get_object()) {
      const std::string key(field.unescaped_key().value());
      const std::string_view token = token_of(field.value());
      if (const std::size_t c = column_named(key); c < column_count) one.slices[c] = token;
    }
    one.name_hash = static_cast<std::uint32_t>(std::hash<std::string_view>{}(one.slices[index_of(column::eventName)]));
    return records_.events.emplace_back(one);
  }
  [[nodiscard]] const records& get() const { return records_; }

 private:
  static std::string_view token_of(simdjson::ondemand::value value) {
    std::string_view token = simdjson::to_json_string(value).value();
    while (!token.empty() && std::string_view(" \t\r\n").find(token.back()) != std::string_view::npos) {
      token.remove_suffix(1);
    }
    return token;
  }

  simdjson::ondemand::parser parser_;
  std::deque<std::string> texts_;
  records records_;
};

}  // namespace stages::test
