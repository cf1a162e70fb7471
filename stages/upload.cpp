#include "stages/upload.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace stages {
namespace {

constexpr auto limit_growth_interval = std::chrono::seconds(10);
constexpr auto throttle_default = std::chrono::seconds(30);  // 429 without Retry-After (azure-logs-ingestion §4)
constexpr std::size_t sdk_raw_bytes_max = 1'000'000;         // what the service's SDKs send before gzip

class sentinel_sink final : public sink {
 public:
  sentinel_sink(azure::logs_ingestion& client, azure::token_source& tokens) : client_(client), tokens_(tokens) {}
  engine::task<answer> put(engine::byte_view wire, bool gzip) override {
    auto token = co_await tokens_.get();
    if (!token) {
      answer failed{.outcome = std::unexpected(as_upload_failure(token.error())),
                    .token_generation = 0,
                    .from_token_service = true};
      co_return failed;
    }
    answer got;
    got.token_generation = token->generation;
    got.outcome = co_await client_.upload(wire, gzip, *std::move(token));
    co_return got;
  }
  void reject_token(std::uint64_t generation) override { tokens_.invalidate(generation); }

 private:
  // Without a token nothing was sent; what to do about it is the same as if the service had said so.
  static azure::failure as_upload_failure(const azure::token_failure& f) {
    azure::failure out;
    out.status = f.status;
    out.service_code = f.error;
    out.message = "token: " + f.message;
    out.retry_after = f.retry_after;
    switch (engine::fault fault = fault_of(f); fault) {
      case engine::fault::throttled:
        out.code = azure::errc::throttled;
        break;
      case engine::fault::unauthorized:
      case engine::fault::refused:
        out.code = azure::errc::forbidden;
        break;
      case engine::fault::cancelled:
        out.code = azure::errc::cancelled;
        break;
      default:
        out.code = azure::errc::transport_not_sent;
        break;
    }
    return out;
  }
  azure::logs_ingestion& client_;
  azure::token_source& tokens_;
};

class null_sink final : public sink {
 public:
  engine::task<answer> put(engine::byte_view, bool) override {
    answer ok;
    ok.outcome = receipt{.status = 204, .request_id = {}};
    co_return ok;
  }
  void reject_token(std::uint64_t) override {}
};

}  // namespace

std::unique_ptr<sink> make_sentinel_sink(azure::logs_ingestion& client, azure::token_source& tokens) {
  return std::make_unique<sentinel_sink>(client, tokens);
}
std::unique_ptr<sink> make_null_sink() { return std::make_unique<null_sink>(); }

upload::upload(const upload_options& options, const path_ports& ports, sink& to, lanes& open,
               converter_pool& converters, body_cutter& cutter, telemetry& t, std::function<void(std::string)> fail)
    : options_(options),
      ports_(ports),
      sink_(to),
      lanes_(open),
      converters_(converters),
      cutter_(cutter),
      telemetry_(t),
      meter_(t.destination(options.name)),
      fail_(std::move(fail)),
      places_(options.places, std::max(1U, options.places / 4)),
      gate_(ports.clock, options.probe_interval),
      closed_(SIZE_MAX, SIZE_MAX),
      limit_(options.concurrency) {}

void upload::hand_over(outgoing out) {
  out.place = places_.take_by_force({});
  telemetry_.stage(stage_name::batch).events->add(static_cast<double>(out.row_count()));
  const std::size_t bytes = out.body.wire.size();
  if (closed_.try_push(out, bytes)) meter_.bodies_waiting->set(static_cast<double>(closed_.size()));
  // Refused only after finish() or abort(): then the rows are given back as `out` ends here.
}

engine::task<> upload::send() {
  for (;;) {
    auto next = co_await closed_.pop();
    if (!next) break;
    meter_.bodies_waiting->set(static_cast<double>(closed_.size()));
    {
      const std::lock_guard lock(mutex_);
      if (under_way_++ == 0) busy_since_ = ports_.clock.now();
    }
    co_await deliver(*std::move(next));
    {
      const std::lock_guard lock(mutex_);
      --under_way_;
    }
    options_.body_ended();
  }
}

void upload::finish() { closed_.close(); }

void upload::drop_probes() {
  {
    const std::lock_guard lock(mutex_);
    probes_dropped_ = true;
  }
  turn_.notify();
}

void upload::abort() {
  {
    const std::lock_guard lock(mutex_);
    aborted_ = true;
  }
  gate_.close();
  places_.close();
  closed_.cancel();
  turn_.notify();
  static_cast<void>(closed_.take_rest());
}

void upload::shed() {
  {
    const std::lock_guard lock(mutex_);
    ++sheds_;
  }
  lanes_.drop(options_.id);
  static_cast<void>(closed_.take_rest());
  turn_.notify();
}

upload::state upload::now() const {
  const std::lock_guard lock(mutex_);
  return {.waiting = closed_.size(),
          .in_flight = in_flight_,
          .under_way = under_way_,
          .limit = limit_,
          .throttled = throttled_until_ > ports_.clock.now(),
          .silent = under_way_ == 0 ? engine::duration::zero() : ports_.clock.now() - busy_since_};
}

bool upload::given_up(std::uint64_t shed_seen, bool probe) const {
  const std::lock_guard lock(mutex_);
  return aborted_ || sheds_ != shed_seen || (probe && probes_dropped_);
}

engine::task<> upload::deliver(outgoing first) {
  const bool probe = first.probe;
  bool gate_told = false;
  co_await deliver_parts(std::move(first), gate_told);
  if (probe && !gate_told) gate_.hand_on();  // it ended without saying whether the destination works
}

engine::task<> upload::deliver_parts(outgoing first, bool& gate_told) {
  std::vector<outgoing> work;
  work.push_back(std::move(first));
  while (!work.empty()) {
    outgoing now = std::move(work.back());
    work.pop_back();
    std::string why;
    const auto decided = co_await send_until_decided(now, why, gate_told);
    if (decided == verdict::accepted) {
      accept(now);
    } else if (decided == verdict::cut) {
      const bool ok = co_await halve(std::move(now), work);
      if (!ok) co_return;
    } else if (decided == verdict::refused) {
      co_await bury_row(std::move(now), std::move(why));
    } else {
      co_return;  // what is left in `now` and `work` is given back by ending
    }
  }
}

engine::task<bool> upload::await_turn(std::uint64_t shed_seen, bool probe) {
  for (;;) {
    const auto seen = turn_.version();
    if (given_up(shed_seen, probe)) co_return false;
    if (!probe && !gate_.open()) co_return false;
    engine::time_point until{};
    {
      const std::lock_guard lock(mutex_);
      const auto now = ports_.clock.now();
      if (throttled_until_ <= now && in_flight_ < limit_) {
        ++in_flight_;
        meter_.in_flight->set(static_cast<double>(in_flight_));
        co_return true;
      }
      if (throttled_until_ > now) until = throttled_until_;
    }
    if (until == engine::time_point{}) {
      co_await turn_.wait(seen);
    } else {
      co_await turn_.wait_until(seen, ports_.clock, until);
    }
  }
}

void upload::release_turn(bool ok) {
  {
    const std::lock_guard lock(mutex_);
    --in_flight_;
    meter_.in_flight->set(static_cast<double>(in_flight_));
    if (ok) {
      const auto now = ports_.clock.now();
      busy_since_ = now;
      if (limit_ < options_.concurrency && now - grown_at_ >= limit_growth_interval) {
        ++limit_;
        grown_at_ = now;
      }
    }
  }
  turn_.notify();
}

engine::task<bool> upload::pause(engine::duration length, std::uint64_t shed_seen, bool probe) {
  const auto until = ports_.clock.now() + length;
  for (;;) {
    const auto seen = turn_.version();
    if (given_up(shed_seen, probe)) co_return false;
    if (ports_.clock.now() >= until) co_return true;
    co_await turn_.wait_until(seen, ports_.clock, until);
  }
}

void upload::throttle(const azure::failure& f) {
  const auto wait =
      engine::next_delay(options_.backoff, 0, f.retry_after.value_or(throttle_default), ports_.rng.next());
  {
    const std::lock_guard lock(mutex_);
    const auto now = ports_.clock.now();
    // Answers of requests that left together count once.
    if (throttled_until_ <= now) limit_ = std::max(1U, limit_ / 2);
    throttled_until_ = std::max(throttled_until_, now + wait);
    grown_at_ = now;
  }
  meter_.throttled->add();
  ports_.log.warn(
      "destination throttled",
      {{"destination", options_.name}, {"status", f.status}, {"wait_s", std::chrono::duration<double>(wait).count()}});
}

void upload::park(const outgoing& now, const std::string& reason) {
  const bool first = gate_.park(reason, now.probe);
  meter_.parked->set(1);
  if (!first) return;
  ports_.log.error("destination parked: its rows stay in their logstores until it answers again",
                   {{"destination", options_.name},
                    {"reason", reason},
                    {"probe_s", std::chrono::duration<double>(options_.probe_interval).count()}});
  shed();
}

engine::task<upload::verdict> upload::send_until_decided(const outgoing& now, std::string& why, bool& gate_told) {
  std::uint64_t shed_seen = 0;
  {
    const std::lock_guard lock(mutex_);
    shed_seen = sheds_;
  }
  bool token_renewed = false;
  bool counted = false;
  for (unsigned attempt = 0;;) {
    const auto asked = ports_.clock.now();
    const bool go = co_await await_turn(shed_seen, now.probe);
    if (!go) co_return verdict::given_back;
    const auto sent = ports_.clock.now();
    auto answer = co_await sink_.put(now.body.wire.view(), now.body.gzip);
    const auto answered = ports_.clock.now();
    auto& meter = telemetry_.stage(stage_name::upload);
    meter.wait_s->add(std::chrono::duration<double>(sent - asked).count());
    meter.busy_s->add(std::chrono::duration<double>(answered - sent).count());
    meter_.requests->add();
    const bool refused_for_now = !answer.outcome && answer.outcome.error().code == azure::errc::throttled;
    if (refused_for_now)
      throttle(answer.outcome.error());  // before the turn goes to another who would be told the same
    release_turn(answer.outcome.has_value());
    if (answer.outcome) {
      gate_told = gate_told || now.probe;
      if (gate_.accepted(now.probe)) {
        meter_.parked->set(0);
        ports_.log.info("destination answers again", {{"destination", options_.name}});
      }
      co_return verdict::accepted;
    }
    const azure::failure& f = answer.outcome.error();
    if (f.code == azure::errc::cancelled) co_return verdict::given_back;
    telemetry_.failures(answer.from_token_service ? "entra" : "ingestion", engine::name_of(fault_of(f))).add();
    if (f.maybe_taken && !std::exchange(counted, true)) {  // they will be sent again, now or after a rewind
      telemetry_.duplicates_possible.add(static_cast<double>(now.row_count()));
    }
    switch (f.code) {
      case azure::errc::too_large:
        // The service counts what it must not: the raw size. From now on bodies for it stay below what its SDKs send.
        if (now.body.wire.size() <= service_wire_bytes_max) lanes_.set_raw_bytes_max(options_.id, sdk_raw_bytes_max);
        why = f.message;
        co_return now.row_count() > 1 ? verdict::cut : verdict::refused;
      case azure::errc::time_span:  // halves span less, down to a row alone
      case azure::errc::bad_rows:
        why = f.message;
        co_return now.row_count() > 1 ? verdict::cut : verdict::refused;
      case azure::errc::throttled:
        continue;
      case azure::errc::unauthorized:
        if (!token_renewed) {
          token_renewed = true;
          sink_.reject_token(answer.token_generation);
          continue;
        }
        [[fallthrough]];
      case azure::errc::forbidden:
      case azure::errc::not_found:
      case azure::errc::invalid_stream:
      case azure::errc::unexpected_status:
        gate_told = gate_told || now.probe;
        park(now, f.message);
        co_return verdict::given_back;
      default: {
        const auto wait = engine::next_delay(options_.backoff, attempt, f.retry_after, ports_.rng.next());
        ports_.log.warn("upload failed, trying again", {{"destination", options_.name},
                                                        {"error", azure::name_of(f.code)},
                                                        {"status", f.status},
                                                        {"detail", f.message},
                                                        {"request_id", f.request_id},
                                                        {"attempt", attempt + 1},
                                                        {"wait_s", std::chrono::duration<double>(wait).count()}});
        ++attempt;
        const bool again = co_await pause(wait, shed_seen, now.probe);
        if (!again) co_return verdict::given_back;
      }
    }
  }
}

void upload::accept(outgoing& now) {
  const auto at = ports_.clock.now();
  const auto rows = static_cast<double>(now.row_count());
  telemetry_.stage(stage_name::upload).events->add(rows);
  telemetry_.events_delivered.add(rows);
  telemetry_.bytes_wire.add(static_cast<double>(now.body.wire.size()));
  telemetry_.bytes_raw.add(static_cast<double>(now.body.raw_bytes));
  meter_.events_delivered->add(rows);
  meter_.bytes_wire->add(static_cast<double>(now.body.wire.size()));
  meter_.bytes_raw->add(static_cast<double>(now.body.raw_bytes));
  now.body = {};  // before the deliveries: they may wake somebody who waits for memory
  for (auto& p : now.parts) {
    telemetry_.latency.add(at - p.block->reply.fetched_at, p.indexes.size());
    p.block.reset();
    p.rows.delivered();
  }
}

engine::task<bool> upload::halve(outgoing whole, std::vector<outgoing>& work) {
  meter_.splits->add();
  const std::size_t middle = whole.row_count() / 2;
  co_await ports_.cpu.enter({}, whole.body.raw_bytes);
  auto halves = cutter_.in_two(whole.body, middle);
  co_await ports_.cpu.leave();
  if (!halves) {  // our own body does not unpack: memory or program is broken, and nothing may be lost by it
    fail_("a body of destination " + options_.name + " could not be cut: " + halves.error());
    co_return false;
  }
  outgoing front;
  front.body = std::move(halves->first);
  front.parts = take_front(whole.parts, middle);
  front.probe = whole.probe;
  outgoing back;
  back.body = std::move(halves->second);
  back.parts = std::move(whole.parts);
  back.place = std::move(whole.place);  // the half that is sent last keeps it until all is answered
  back.probe = whole.probe;
  work.push_back(std::move(back));
  work.push_back(std::move(front));
  co_return true;
}

engine::task<> upload::bury_row(outgoing one, std::string why) {
  assert(one.parts.size() == 1 && one.parts.front().indexes.size() == 1);
  part& p = one.parts.front();
  co_await ports_.cpu.enter({}, p.block->reply.plain_bytes);
  auto with = converters_.take();
  auto texts = with->originals(p.block->reply, p.indexes);
  converters_.give(std::move(with));
  co_await ports_.cpu.leave();
  if (!texts) {
    fail_("the original of a refused row could not be read again: " + texts.error());
    co_return;
  }
  std::vector<engine::dead_letter> letters;
  letters.push_back({.route = p.block->route,
                     .reason = "refused_row",
                     .detail = std::move(why),
                     .cursor = p.block->reply.cursor,
                     .index = p.indexes.front(),
                     .original = std::move(texts->front())});
  const auto kept = co_await ports_.store.bury(std::move(letters));
  if (!kept) {
    fail_("dead letter not written: " + kept.error().message);
    co_return;
  }
  telemetry_.dead_letters("refused_row").add();
  telemetry_.dead_letters_total.add();
  p.rows.delivered();
}

}  // namespace stages
