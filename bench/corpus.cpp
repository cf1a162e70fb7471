#include "bench/corpus.hpp"

#include <lz4.h>

#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "bench/event_file.hpp"
#include "bench/event_texts.hpp"
#include "tests/support/log_group_builder.hpp"
#include "tools/emulator/event_source.hpp"

namespace bench {
namespace {

constexpr std::size_t block_count = 8;
constexpr std::size_t block_bytes_aim = 2 * engine::mib;
constexpr std::uint64_t seed = 20'261'120;
constexpr std::uint32_t first_time_s = 1'795'000'000;
constexpr std::string_view account_id = "1234567890123456";

using event_maker = std::function<std::string(std::mt19937_64&, std::uint64_t number)>;

event_maker maker_of(const std::string& name, const std::vector<std::string>& lines) {
  if (name == "small") return small_event;
  if (name == "large") return large_event;
  if (name == "hostile") return hostile_event;
  if (name == "typical") {
    // Shared by the copies of the function object.
    const std::shared_ptr<emulator::event_source> source = emulator::make_generator(seed, first_time_s);
    return [source](std::mt19937_64&, std::uint64_t number) { return source->make(account_id, number).text; };
  }
  return [&lines](std::mt19937_64&, std::uint64_t number) { return lines[number % lines.size()]; };
}

stages::fetched_block compressed(const std::string& plain, std::uint64_t group_count, std::size_t number) {
  stages::fetched_block out;
  out.coding = stages::codec::lz4;
  out.plain_bytes = plain.size();
  out.group_count = group_count;
  out.cursor = "MTAw" + std::to_string(number);
  out.next_cursor = "MTAw" + std::to_string(number + 1);
  const int room = LZ4_compressBound(static_cast<int>(plain.size()));
  out.bytes = engine::buffer(static_cast<std::size_t>(room));
  const int size = LZ4_compress_default(plain.data(), out.bytes.data(), static_cast<int>(plain.size()), room);
  if (size <= 0) throw std::runtime_error("LZ4 does not compress a block");
  out.bytes.resize(static_cast<std::size_t>(size));
  return out;
}

// Groups hold 1 to 200 logs, as producers make them.
void add_block(corpus& to, const event_maker& make, std::mt19937_64& random, std::uint64_t& number) {
  std::string plain;
  std::vector<std::string> texts;
  std::uint64_t groups = 0;
  while (plain.size() < block_bytes_aim) {
    tests::log_group_builder group;
    const std::size_t logs = 1 + random() % 200;
    for (std::size_t i = 0; i < logs && plain.size() + group.bytes().size() < block_bytes_aim; ++i) {
      std::string text = make(random, number);
      // Lines of a file come again: the row of an event without a readable time is equal only under an equal log time.
      const auto time = first_time_s + (to.generated ? static_cast<std::uint32_t>(number / 16) : 0);
      // Some logs say the part of the second as well, as the service does.
      std::optional<std::uint32_t> time_ns;
      if (to.generated && number % 4 == 0) time_ns = static_cast<std::uint32_t>(number * 7'919 % 1'000'000'000);
      group.log({{"event", text}, {"owner_id", std::string(account_id)}}, time, time_ns);
      texts.push_back(std::move(text));
      ++number;
    }
    group.topic("").source("actiontrail_internal").tag("__receive_time__", std::to_string(first_time_s));
    plain += tests::bytes_field(1, group.bytes());
    ++groups;
  }
  to.blocks.push_back(compressed(plain, groups, to.blocks.size()));
  to.event_counts.push_back(texts.size());
  to.plain_bytes.push_back(plain.size());
  to.wire_bytes.push_back(to.blocks.back().bytes.size());
  to.plain.push_back(std::move(plain));
  to.events.push_back(std::move(texts));
}

// Whoever reads the rows' figures must know of what they are.
void tell_size(corpus& of, std::size_t lines) {
  std::size_t events = 0;
  std::size_t bytes = 0;
  for (const auto& block : of.events) {
    events += block.size();
    for (const std::string& text : block) bytes += text.size();
  }
  std::fprintf(stderr, "penstock-bench: corpus file: %zu events, %zu bytes in mean", events, bytes / events);
  if (events > lines) {
    of.repeats = static_cast<double>(events) / static_cast<double>(lines);
    std::fprintf(stderr, ": %zu lines, repeated %.1f times; repeats compress better than other events", lines,
                 of.repeats);
  } else {
    std::fprintf(stderr, ", the first of the file");
  }
  std::fputc('\n', stderr);
}

}  // namespace

corpora::corpora(std::string file) {
  if (file.empty()) return;
  lines_ = read_event_file(file, block_count * block_bytes_aim);
  names_.emplace_back("file");
}

const corpus& corpora::get(const std::string& name) {
  const auto [at, fresh] = made_.try_emplace(name);
  if (!fresh) return at->second;
  at->second.generated = name != "file";
  const event_maker make = maker_of(name, lines_);
  std::mt19937_64 random(seed);
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < block_count; ++i) add_block(at->second, make, random, number);
  if (!at->second.generated) tell_size(at->second, lines_.size());
  return at->second;
}

}  // namespace bench
