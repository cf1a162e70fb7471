#include "tools/penstock/bench_blocks.hpp"

#include <lz4.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "tools/emulator/event_source.hpp"

namespace penstock {
namespace {

constexpr std::string_view account_id = "1234567890123456";
constexpr std::uint32_t first_time_s = 1'795'000'000;
constexpr std::uint64_t events_per_second = 16;  // of event time
// Producers send groups of few and of many logs; these lengths take turns.
constexpr std::size_t group_lengths[] = {1, 40, 7, 200, 90, 3, 150, 20};

void put_varint(std::string& to, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) to += static_cast<char>(value | 0x80);
  to += static_cast<char>(value);
}
void put_bytes(std::string& to, std::uint64_t field, std::string_view bytes) {
  put_varint(to, field << 3 | 2);
  put_varint(to, bytes.size());
  to += bytes;
}
std::string pair_message(std::string_view key, std::string_view value) {
  std::string out;
  put_bytes(out, 1, key);
  put_bytes(out, 2, value);
  return out;
}

std::string log_message(std::string_view event, std::uint64_t time_s) {
  std::string out;
  put_varint(out, 1 << 3);
  put_varint(out, time_s);
  put_bytes(out, 2, pair_message("event", event));
  put_bytes(out, 2, pair_message("owner_id", account_id));
  return out;
}

stages::fetched_block compressed(const std::string& plain, std::uint64_t group_count, std::size_t number) {
  stages::fetched_block out;
  out.coding = stages::codec::lz4;
  out.plain_bytes = plain.size();
  out.group_count = group_count;
  out.cursor = std::to_string(number);
  out.next_cursor = std::to_string(number + 1);
  const int room = LZ4_compressBound(static_cast<int>(plain.size()));
  out.bytes = engine::buffer(static_cast<std::size_t>(room));
  const int size = LZ4_compress_default(plain.data(), out.bytes.data(), static_cast<int>(plain.size()), room);
  if (size <= 0) throw std::runtime_error("LZ4 does not compress a block");
  out.bytes.resize(static_cast<std::size_t>(size));
  return out;
}

}  // namespace

bench_blocks make_bench_blocks(std::uint64_t seed, std::size_t count, std::size_t plain_bytes_aim) {
  const std::unique_ptr<emulator::event_source> source = emulator::make_generator(seed, first_time_s);
  bench_blocks out;
  std::uint64_t number = 0;
  std::uint64_t groups_made = 0;
  while (out.blocks.size() < count) {
    bench_block block;
    std::string plain;
    std::uint64_t groups = 0;
    while (plain.size() < plain_bytes_aim) {
      std::string group;
      const std::size_t length = group_lengths[groups_made++ % std::size(group_lengths)];
      for (std::size_t i = 0; i < length && plain.size() + group.size() < plain_bytes_aim; ++i) {
        const std::string text = source->make(account_id, number).text;
        put_bytes(group, 1, log_message(text, first_time_s + number / events_per_second));
        block.text_bytes += text.size();
        ++block.events;
        ++number;
      }
      put_bytes(group, 4, "actiontrail_internal");
      put_bytes(group, 6, pair_message("__receive_time__", std::to_string(first_time_s)));
      put_bytes(plain, 1, group);
      ++groups;
    }
    block.fetched = compressed(plain, groups, out.blocks.size());
    out.events += block.events;
    out.text_bytes += block.text_bytes;
    out.plain_bytes += plain.size();
    out.wire_bytes += block.fetched.bytes.size();
    out.blocks.push_back(std::move(block));
  }
  return out;
}

}  // namespace penstock
