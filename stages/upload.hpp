// upload: closed bodies to a destination, until each of their rows has ended: accepted, dead-lettered, or given back.
//
// Input   outgoing: a body and what it owes; hand_over() never waits (the places of the destination bound how many).
// Output  204: the rows' units are delivered. A row refused alone: a durable dead letter, then delivered.
// Errors  by the fault of the answer:
//   413                            the body is cut in two; a single row is dead-lettered
//   429, 503 with Retry-After      the whole destination waits, then half as many requests at once, one more per 10 s
//   408, 5xx, connection           the same bytes again after a backoff, without end: nothing is dropped for its age
//   401                            a new token once; again 401: parked
//   403, 404, no such stream       parked: what is not on the wire is given back, its routes rewind; see gate.hpp
//   other 400                      bisected to the rows that are refused
// Limits  upload_concurrency requests at once; a cut needs one CPU slot.
// Order   bodies may overtake each other: the acknowledgement lines put positions in order.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/base/backoff.hpp"
#include "engine/flow/bounded_queue.hpp"
#include "engine/flow/permits.hpp"
#include "engine/flow/signal.hpp"
#include "stages/azure/logs_ingestion.hpp"
#include "stages/azure/token.hpp"
#include "stages/body_cutter.hpp"
#include "stages/convert.hpp"
#include "stages/gate.hpp"
#include "stages/lanes.hpp"
#include "stages/outgoing.hpp"
#include "stages/ports.hpp"
#include "stages/telemetry.hpp"

namespace stages {

struct upload_options {
  std::string name;  // of the destination
  std::uint32_t id = 0;
  unsigned concurrency = 8;
  unsigned places = 10;  // blocks being converted for it and closed bodies, together
  engine::duration probe_interval = std::chrono::seconds(60);
  engine::backoff_policy backoff;    // 1 s doubling to 60 s (azure-logs-ingestion §4)
  std::function<void()> body_ended;  // memory may have become free
};

// The half that talks: one request. A null destination accepts everything.
class sink {
 public:
  virtual ~sink() = default;
  struct answer {
    std::expected<receipt, azure::failure> outcome;
    std::uint64_t token_generation = 0;
    bool from_token_service = false;  // it never came to an upload
  };
  virtual engine::task<answer> put(engine::byte_view wire, bool gzip) = 0;
  virtual void reject_token(std::uint64_t generation) = 0;
};
std::unique_ptr<sink> make_sentinel_sink(azure::logs_ingestion&, azure::token_source&);
std::unique_ptr<sink> make_null_sink();

class upload {
 public:
  // `fail` stops the service: the store could not keep what must be kept.
  upload(const upload_options&, const path_ports&, sink&, lanes&, converter_pool&, body_cutter&, telemetry&,
         std::function<void(std::string)> fail);

  [[nodiscard]] const std::string& name() const { return options_.name; }
  [[nodiscard]] std::uint32_t id() const { return options_.id; }
  [[nodiscard]] engine::permits& places() { return places_; }
  [[nodiscard]] stages::gate& gate() { return gate_; }

  void hand_over(outgoing);
  // One of `concurrency` senders; ends after finish() when the last body has ended, or after abort().
  engine::task<> send();
  // No more bodies will come.
  void finish();
  // Draining: a probe that is not on the wire is given up.
  void drop_probes();
  // Ends all waiting; what is not answered is given back. The owner closes the exchange as well.
  void abort();
  // Gives back all that is not on the wire; the routes rewind.
  void shed();

  struct state {
    std::size_t waiting = 0;  // closed bodies not on the wire
    std::size_t in_flight = 0;
    std::size_t under_way = 0;  // bodies taken up and not ended: on the wire, waiting for a turn or to be tried again
    unsigned limit = 0;         // requests allowed at once
    bool throttled = false;
    engine::duration silent{};  // how long it has had bodies and accepted none; 0 while it has none
    [[nodiscard]] bool idle() const { return waiting + under_way == 0; }
  };
  [[nodiscard]] state now() const;

 private:
  enum class verdict : std::uint8_t { accepted, cut, refused, given_back };
  engine::task<> deliver(outgoing);
  engine::task<> deliver_parts(outgoing, bool& gate_told);
  engine::task<verdict> send_until_decided(const outgoing&, std::string& why, bool& gate_told);
  engine::task<bool> await_turn(std::uint64_t shed_seen, bool probe);  // false: given back
  engine::task<bool> pause(engine::duration, std::uint64_t shed_seen, bool probe);
  engine::task<bool> halve(outgoing, std::vector<outgoing>& work);
  engine::task<> bury_row(outgoing, std::string why);
  void accept(outgoing&);
  void park(const outgoing&, const std::string& reason);
  void throttle(const azure::failure&);
  void release_turn(bool ok);
  [[nodiscard]] bool given_up(std::uint64_t shed_seen, bool probe) const;

  const upload_options options_;
  path_ports ports_;
  sink& sink_;
  lanes& lanes_;
  converter_pool& converters_;
  body_cutter& cutter_;
  telemetry& telemetry_;
  destination_meter& meter_;
  const std::function<void(std::string)> fail_;

  engine::permits places_;
  stages::gate gate_;
  engine::bounded_queue<outgoing> closed_;
  engine::signal turn_;  // a request ended, throttling changed, shed, abort
  mutable std::mutex mutex_;
  std::size_t in_flight_ = 0;
  unsigned limit_;
  engine::time_point throttled_until_{};
  engine::time_point grown_at_{};
  engine::time_point busy_since_{};  // or since the last body was accepted
  std::size_t under_way_ = 0;
  bool probes_dropped_ = false;
  std::uint64_t sheds_ = 0;
  bool aborted_ = false;
};

}  // namespace stages
