#include "stages/convert.hpp"

#include <algorithm>
#include <utility>

namespace stages {
namespace {

constexpr std::size_t kept_events_max = 8192;
constexpr std::size_t kept_rows_bytes_max = 8 * engine::mib;

// Adds to a stage's meter what passed between two marks.
class stopwatch {
 public:
  explicit stopwatch(engine::clock& clock) : clock_(clock), last_(clock.now()) {}
  void lap(stage_meter& meter, std::size_t events) {
    const auto now = clock_.now();
    meter.busy_s->add(std::chrono::duration<double>(now - last_).count());
    meter.events->add(static_cast<double>(events));
    last_ = now;
  }

 private:
  engine::clock& clock_;
  engine::time_point last_;
};

std::int64_t newest_time(const log_groups& groups) {
  std::int64_t newest = 0;
  for (const auto& log : groups.logs) {
    const auto receive = log.group < groups.groups.size() ? groups.groups[log.group].receive_time_s : 0;
    newest = std::max(newest, receive != 0 ? receive : static_cast<std::int64_t>(log.time_s));
  }
  return newest;
}

// Assigning an empty one would keep the room.
template <class Container>
void give_back_above(std::size_t kept_max, Container& scratch) {
  if (scratch.capacity() > kept_max) Container().swap(scratch);
}

}  // namespace

converter::converter(const transform_options& options, engine::buffer_pool& buffers, engine::clock& clock, telemetry& t)
    : clock_(clock), telemetry_(t), decompress_(buffers) {
  for (const auto format : {row_format::value, row_format::typed}) {
    transform_options own = options;
    own.format = format;
    transforms_[static_cast<std::size_t>(format)] = std::make_unique<transform>(own);
  }
}

std::expected<void, std::string> converter::open(const fetched_block& block) {
  stopwatch watch(clock_);
  auto plain = decompress_(block, plain_storage_);
  if (!plain) return std::unexpected("decompress: " + std::string(name_of(plain.error())));
  plain_ = *plain;
  watch.lap(telemetry_.stage(stage_name::decompress), 0);
  if (auto ok = decode(plain_, block.group_count, groups_); !ok) {
    return std::unexpected("decode: " + std::string(name_of(ok.error())));
  }
  watch.lap(telemetry_.stage(stage_name::decode), groups_.logs.size());
  telemetry_.stage(stage_name::decompress).events->add(static_cast<double>(groups_.logs.size()));
  return {};
}

std::expected<converted, std::string> converter::operator()(const fetched_block& block, row_format format) {
  if (auto ok = open(block); !ok) return std::unexpected(std::move(ok.error()));
  stopwatch watch(clock_);
  parse_(groups_, records_);
  watch.lap(telemetry_.stage(stage_name::parse), groups_.logs.size());
  (*transforms_[static_cast<std::size_t>(format)])(records_, rows_);
  watch.lap(telemetry_.stage(stage_name::transform), rows_.refs.size());

  telemetry_.duplicate_keys.add(static_cast<double>(records_.counts.duplicate_keys));
  telemetry_.rebuilt_events.add(static_cast<double>(records_.counts.rebuilt_events));
  telemetry_.cut_fields.add(static_cast<double>(rows_.counts.cut_fields));
  telemetry_.bad_event_times.add(static_cast<double>(rows_.counts.bad_event_times));
  telemetry_.bad_booleans.add(static_cast<double>(rows_.counts.bad_booleans));
  telemetry_.repaired_events.add(static_cast<double>(rows_.counts.repaired));
  return converted{
      .rows = &rows_, .bad = &records_.bad, .event_count = groups_.logs.size(), .last_receive_s = newest_time(groups_)};
}

void converter::release_surplus() {
  // One block of many tiny events must not make every later one pay for its scratch.
  give_back_above(kept_events_max, records_.events);
  give_back_above(kept_events_max, records_.bad);
  give_back_above(kept_events_max, groups_.logs);
  give_back_above(kept_events_max, groups_.groups);
  give_back_above(kept_events_max, groups_.tags);
  give_back_above(kept_events_max, groups_.loose);
  give_back_above(kept_events_max, rows_.refs);
  give_back_above(kept_events_max, rows_.bad);
  give_back_above(kept_events_max, rows_.cut);
  give_back_above(kept_rows_bytes_max, rows_.text);
}

std::expected<std::vector<std::string>, std::string> converter::originals(const fetched_block& block,
                                                                          const std::vector<std::uint32_t>& indexes) {
  if (auto ok = open(block); !ok) return std::unexpected(std::move(ok.error()));
  parse_(groups_, records_);
  std::vector<std::string> out;
  out.reserve(indexes.size());
  for (const auto index : indexes) {
    const auto good =
        std::find_if(records_.events.begin(), records_.events.end(), [&](const record& r) { return r.index == index; });
    if (good != records_.events.end()) {
      out.emplace_back(good->text);
      continue;
    }
    const auto bad =
        std::find_if(records_.bad.begin(), records_.bad.end(), [&](const set_aside& s) { return s.index == index; });
    if (bad == records_.bad.end()) return std::unexpected("event " + std::to_string(index) + " is not in its block");
    out.emplace_back(bad->original);
  }
  return out;
}

converter_pool::converter_pool(const transform_options& options, engine::buffer_pool& buffers, engine::clock& clock,
                               telemetry& t)
    : options_(options), buffers_(buffers), clock_(clock), telemetry_(t) {}

std::unique_ptr<converter> converter_pool::take() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto one = std::move(idle_.back());
      idle_.pop_back();
      return one;
    }
  }
  return std::make_unique<converter>(options_, buffers_, clock_, telemetry_);
}

void converter_pool::give(std::unique_ptr<converter> one) {
  one->release_surplus();
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(one));
}

}  // namespace stages
