// stage/fetch/CORPUS over memory, stage/fetch_tls/CORPUS over TLS on loopback: lease, permit, signed request, reply.
#include "stages/fetch.hpp"

#include <memory>

#include "bench/network.hpp"
#include "bench/real_clock.hpp"
#include "engine/host/steady_clock.hpp"

namespace bench {
namespace {

engine::http_headers headers_of(const stages::fetched_block& block) {
  return {{"x-log-bodyrawsize", std::to_string(block.plain_bytes)},
          {"x-log-count", std::to_string(block.group_count)},
          {"x-log-cursor", block.next_cursor},
          {"x-log-compresstype", "lz4"},
          {"x-log-requestid", "5F0123456789ABCDEF012345"}};
}

// The blocks of the corpus in turn, whatever is asked.
class canned_logstore {
 public:
  explicit canned_logstore(const corpus& in) : in_(in) {}
  canned_answer operator()(std::string_view) {
    const auto& block = in_.blocks[next_];
    next_ = (next_ + 1) % in_.blocks.size();
    return {.status = 200, .headers = headers_of(block), .body = block.bytes.view()};
  }

 private:
  const corpus& in_;
  std::size_t next_ = 0;
};

// One shard's fetch with all it needs.
struct puller {
  puller(engine::clock& clock, engine::http_exchange& exchange, const std::string& url, std::string ca_file)
      : client({.endpoint = stages::http::parse_base_url(url).value(),
                .region = "cn-hangzhou",
                .project = "audit",
                .ca_file = std::move(ca_file)},
               exchange, clock, credentials),
        fetch({}, clock, client, memory, permits, buffers, counts, counts.account("bench")) {}

  stages::sls::fixed_credentials credentials{
      stages::sls::access_key{.id = "LTAIbench", .key = engine::secret("not a key"), .token = {}}};
  stages::sls::client client;
  engine::budget memory{256 * engine::mib, 1, 1};
  engine::permits permits{64, 64};
  engine::buffer_pool buffers{32 * engine::mib};
  engine::metric_registry metrics;
  stages::telemetry counts{metrics};
  stages::fetch fetch;
};

void fetch_row(benchmark::State& state, bool check, const corpus& in, engine::asio::io_context& context, puller& from) {
  std::optional<stages::fetched> last;
  walk(
      state, in.blocks.size(), check,
      [&](std::size_t i) {
        last.reset();  // its lease goes back first
        auto got = complete(context, from.fetch("trail", 0, in.blocks[i].cursor, "", {}, 0));
        demand(got.has_value(), "stage/fetch: a pull failed");
        last = std::move(*got);
      },
      [&](std::size_t i) {
        const stages::fetched_block& block = last->block;
        demand(block.bytes.view() == in.blocks[i].bytes.view() && block.next_cursor == in.blocks[i].next_cursor &&
                   block.plain_bytes == in.plain_bytes[i] && block.coding == stages::codec::lz4,
               "stage/fetch: another block came");
        demand(last->lease.bytes() >= block.plain_bytes + block.bytes.size(), "stage/fetch: memory that nobody paid");
      },
      in.event_counts, in.wire_bytes);
  last.reset();
  demand(from.memory.in_use() == 0 && from.permits.in_use() == 0, "stage/fetch: memory or permits were kept");
}

}  // namespace

void add_fetch_rows(corpora& all) {
  add_corpus_rows("stage/fetch", all, [](benchmark::State& state, bool check, const corpus& in) {
    engine::asio::io_context context(1);
    real_clock clock;
    memory_network network{canned_logstore(in)};
    puller from(clock, network, "https://cn-hangzhou.log.aliyuncs.com", "");
    fetch_row(state, check, in, context, from);
  });
  add_corpus_rows("stage/fetch_tls", all, [](benchmark::State& state, bool check, const corpus& in) {
    engine::asio::io_context context(1);
    engine::steady_clock clock(context.get_executor());
    loopback_network network(context, clock, canned_logstore(in));
    puller from(clock, network.exchange(), network.url(), network.ca_file());
    fetch_row(state, check, in, context, from);
  });
}

}  // namespace bench
