// Reading dead-letter files: whatever the bytes are, the reader ends, within its limits, with letters that can be
// written again and read back as the same. The input is tried as a file and as one line of JSON.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "engine/host/dead_letters.hpp"

namespace {

void expect(bool holds) {
  if (!holds) std::abort();
}

void read_as_file(std::string_view bytes) {
  engine::dead_letter_reader reader(
      [bytes](std::uint64_t offset, std::span<char> into) -> std::expected<std::size_t, engine::store_failure> {
        return bytes.substr(std::min<std::size_t>(offset, bytes.size())).copy(into.data(), into.size());
      },
      "fuzz", {.record_bytes_max = 256 * engine::kib, .frame_bytes_max = engine::mib});
  while (true) {
    const auto record = reader.next();
    if (!record || !*record) break;
  }
  expect(reader.torn_bytes() <= bytes.size());
}

void read_as_line(std::string_view bytes) {
  const auto record = engine::parse_json_line(bytes);
  if (!record) return;
  std::string again;
  engine::append_json_line(again, record->letter, record->time);
  expect(again.back() == '\n');
  const auto back = engine::parse_json_line(std::string_view(again).substr(0, again.size() - 1));
  expect(back.has_value());
  expect(back->time == record->time && back->letter.route == record->letter.route);
  expect(back->letter.original == record->letter.original && back->letter.index == record->letter.index);
  expect(back->letter.reason == record->letter.reason && back->letter.detail == record->letter.detail);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_as_file(bytes);
  read_as_line(bytes);
  return 0;
}
