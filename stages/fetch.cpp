#include "stages/fetch.hpp"

#include <algorithm>
#include <cmath>

namespace stages {
namespace {
constexpr std::size_t first_prediction_bytes = 2560 * engine::kib;
constexpr std::size_t idle_prediction_bytes = 256 * engine::kib;
constexpr std::uint64_t lz4_ratio_max = 255;  // each byte of a match length stands for 255 bytes at most

// The plain bytes to pay for. A claim that no reader could make true costs nothing: decompress refuses it before it
// allocates, and the reply goes the way of those that do not decode. Paid for, it would never fit and stop the route.
std::uint64_t believable(std::uint64_t claimed, std::uint64_t wire_bytes, codec coding) {
  const bool possible = claimed <= plain_bytes_max && (coding != codec::lz4 || claimed / lz4_ratio_max <= wire_bytes);
  return possible ? claimed : 0;
}
}  // namespace

fetch::fetch(const fetch_limits& limits, engine::clock& clock, sls::client& client, engine::budget& budget,
             engine::permits& permits, engine::buffer_pool& buffers, telemetry& t, account_meter& account)
    : limits_(limits),
      clock_(clock),
      client_(client),
      budget_(budget),
      permits_(permits),
      buffers_(buffers),
      telemetry_(t),
      account_(account),
      predicted_bytes_(first_prediction_bytes) {}

std::size_t fetch::cost_of(std::uint64_t content_length, std::uint64_t plain_bytes) {
  return engine::buffer_pool::rounded(content_length) + plain_bytes + plain_bytes / 6 * 7 + 64 * engine::kib;
}

unsigned fetch::groups_to_ask() const {
  if (plain_bytes_per_group_ <= 0)
    return std::min(limits_.groups_max, 16U);  // first look: groups may hold 200 logs each
  const double fit = static_cast<double>(limits_.block_plain_bytes_aim) / plain_bytes_per_group_;
  return static_cast<unsigned>(std::clamp(fit, 1.0, static_cast<double>(limits_.groups_max)));
}

engine::task<std::expected<fetched, fetch_failure>> fetch::operator()(std::string logstore, std::int64_t shard,
                                                                      std::string cursor, std::string end_cursor,
                                                                      engine::budget_holder holder, unsigned groups) {
  sls::pull_request ask{.logstore = std::move(logstore),
                        .shard = shard,
                        .cursor = std::move(cursor),
                        .count = groups != 0 ? groups : groups_to_ask(),
                        .end_cursor = std::move(end_cursor)};
  std::size_t wanted = std::min(predicted_bytes_, budget_.block_bytes_max());
  for (;;) {
    auto& meter = telemetry_.stage(stage_name::fetch);
    const auto asked = clock_.now();
    auto lease = co_await budget_.acquire(holder, wanted);
    if (!lease) co_return std::unexpected(fetch_failure{.what = fetch_failure::kind::closed, .service = {}});
    auto permit = co_await permits_.acquire(holder.flow);
    if (!permit) co_return std::unexpected(fetch_failure{.what = fetch_failure::kind::closed, .service = {}});
    const auto started = clock_.now();
    meter.wait_s->add(std::chrono::duration<double>(started - asked).count());

    auto* lease_now = &*lease;
    auto* buffers = &buffers_;
    sls::on_announcement step = [lease_now, buffers](const sls::pull_announcement& a) -> std::optional<engine::buffer> {
      const std::size_t cost = cost_of(a.content_length, believable(a.raw_bytes, a.content_length, a.coding));
      if (!lease_now->try_grow_to(cost)) return std::nullopt;
      return buffers->take(a.content_length);
    };
    auto reply = co_await client_.pull_logs(ask, std::move(step));
    permit->give_back();
    const auto done = clock_.now();
    meter.busy_s->add(std::chrono::duration<double>(done - started).count());

    if (!reply) {
      sls::failure& f = reply.error();
      if (f.code != sls::errc::refused_by_caller || !f.announcement) {
        if (f.code == sls::errc::throttled) account_.throttled->add();
        co_return std::unexpected(fetch_failure{.what = fetch_failure::kind::service, .service = std::move(f)});
      }
      telemetry_.replies_refused.add();
      wanted = plan_again(*f.announcement, ask);
      if (wanted <= budget_.block_bytes_max()) continue;
      fetch_failure large{.what = fetch_failure::kind::too_large, .service = std::move(f)};
      large.memory_limit_needed = wanted * 4;  // half of what is left after connections and encoders
      co_return std::unexpected(std::move(large));
    }

    fetched out;
    out.block = std::move(reply->block);
    out.at_end = reply->hints.at_end || out.block.plain_bytes == 0;
    if (out.block.plain_bytes == 0) {
      predicted_bytes_ = idle_prediction_bytes;
      co_return out;  // the lease ends here: nothing to pay for
    }
    lease->shrink_to(learn(out.block));
    out.lease = *std::move(lease);
    telemetry_.bytes_in.add(static_cast<double>(out.block.bytes.size()));
    account_.bytes_in->add(static_cast<double>(out.block.bytes.size()));
    co_return out;
  }
}

// What to ask for after a reply that was refused for its size; returns what that needs, above block_bytes_max() when
// even one group is too large.
std::size_t fetch::plan_again(const sls::pull_announcement& refused, sls::pull_request& ask) {
  const auto groups_seen = static_cast<double>(std::max<std::uint64_t>(refused.group_count, 1));
  const std::uint64_t plain_bytes = believable(refused.raw_bytes, refused.content_length, refused.coding);
  plain_bytes_per_group_ = static_cast<double>(plain_bytes) / groups_seen;
  const std::size_t needed = cost_of(refused.content_length, plain_bytes);
  const bool fits = needed <= budget_.block_bytes_max();
  const bool single = ask.count == 1 || refused.group_count <= 1;
  if (single && !fits) return needed;
  if (fits && (single || plain_bytes <= 2 * limits_.block_plain_bytes_aim)) {
    ask.end_cursor = refused.next_cursor;  // the same reply, not a longer one that meanwhile fits the count
    return needed;
  }
  // Far more than later stages work well with: fewer groups, not more memory.
  ask.count = std::min<unsigned>(groups_to_ask(), static_cast<unsigned>(refused.group_count - 1));
  const double share = static_cast<double>(ask.count) / groups_seen;
  return std::min(budget_.block_bytes_max(), static_cast<std::size_t>(static_cast<double>(needed) * share * 1.5));
}

// Predicts the next reply from this one; returns what this one costs.
std::size_t fetch::learn(const fetched_block& block) {
  const auto plain_bytes = believable(block.plain_bytes, block.bytes.size(), block.coding);
  const std::size_t cost = cost_of(block.bytes.size(), plain_bytes);
  // A little more than the last one, never less than an idle shard's: most replies then fit without asking again.
  predicted_bytes_ = std::max({idle_prediction_bytes, cost + cost / 4, predicted_bytes_ - predicted_bytes_ / 4});
  const double per_group =
      static_cast<double>(plain_bytes) / static_cast<double>(std::max<std::uint64_t>(block.group_count, 1));
  plain_bytes_per_group_ = plain_bytes_per_group_ <= 0 ? per_group : plain_bytes_per_group_ * 0.7 + per_group * 0.3;
  return cost;
}

engine::task<std::expected<std::string, fetch_failure>> fetch::cursor_at(std::string logstore, std::int64_t shard,
                                                                         sls::cursor_start from,
                                                                         engine::cpu_flow flow) {
  auto permit = co_await permits_.acquire(flow);
  if (!permit) co_return std::unexpected(fetch_failure{.what = fetch_failure::kind::closed, .service = {}});
  auto cursor = co_await client_.get_cursor(std::move(logstore), shard, from);
  if (!cursor) {
    co_return std::unexpected(
        fetch_failure{.what = fetch_failure::kind::service, .service = std::move(cursor.error())});
  }
  co_return *std::move(cursor);
}

}  // namespace stages
