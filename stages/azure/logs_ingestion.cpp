#include "stages/azure/logs_ingestion.hpp"

#include <utility>

#include "stages/azure/replies.hpp"

namespace stages::azure {
namespace {

// A random GUID (version 4).
std::string make_guid(engine::rng& rng) {
  constexpr std::string_view digits = "0123456789abcdef";
  const std::uint64_t high = (rng.next() & ~0xF000ULL) | 0x4000ULL;
  const std::uint64_t low = (rng.next() & ~(3ULL << 62)) | (2ULL << 62);
  std::string out;
  for (unsigned i = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) out += '-';
    const auto half = i < 16 ? high : low;
    out += digits[(half >> (60 - 4 * (i % 16))) & 15];
  }
  return out;
}

// Texts about the rule and the token are for the operator. Those about rows may repeat an event, and no event goes into
// a log.
bool message_is_about_configuration(errc code) {
  switch (code) {
    case errc::too_large:
    case errc::unauthorized:
    case errc::forbidden:
    case errc::not_found:
    case errc::invalid_stream:
      return true;
    default:
      return false;
  }
}

failure from_answer(const engine::http_response_head& head, engine::byte_view body, const token& used,
                    engine::wall_time now) {
  const auto error = read_ingestion_error(body);
  const auto header_code = head.header("x-ms-error-code");
  const std::string code(header_code.empty() ? std::string_view(error.code) : header_code);
  const auto retry_after = http::retry_after(head, now);
  failure out{.code = classify(head.status, code, retry_after.has_value()),
              .status = head.status,
              .service_code = http::clean_word(http::clean_sentence(code, {used.value.reveal()})),
              .message = {},
              .request_id = http::clean_id(head.header("x-ms-request-id")),
              .client_request_id = {},
              .retry_after = retry_after};
  // A gateway may lose the answer of a service that has taken the rows.
  out.maybe_taken = out.code == errc::server_error;
  out.message = "Logs Ingestion answered " + std::to_string(head.status);
  if (!out.service_code.empty()) out.message += " " + out.service_code;
  if (message_is_about_configuration(out.code) && !error.message.empty()) {
    out.message += ": " + http::clean_sentence(error.message, {used.value.reveal()});
  }
  return out;
}

failure from_exchange(const engine::http_failure& lost, const token& used, engine::wall_time now) {
  using engine::http_errc;
  if (lost.head && lost.head->status >= 300) return from_answer(*lost.head, {}, used, now);
  failure out{.code = lost.request_sent ? errc::transport_ambiguous : errc::transport_not_sent,
              .status = lost.head ? lost.head->status : 0,
              .service_code = {},
              .message = lost.message,
              .request_id = {},
              .client_request_id = {}};
  if (lost.code == http_errc::cancelled) out.code = errc::cancelled;
  out.maybe_taken = lost.request_sent;
  return out;
}

}  // namespace

logs_ingestion::logs_ingestion(ingestion_options options, engine::http_exchange& exchange, engine::clock& clock,
                               engine::rng& rng)
    : options_(std::move(options)),
      origin_(http::origin_of(options_.endpoint, options_.ca_file)),
      host_(http::host_field(options_.endpoint)),
      target_(options_.endpoint.path + "/dataCollectionRules/" + http::percent_encode(options_.rule) + "/streams/" +
              http::percent_encode(options_.stream) + "?api-version=2023-01-01"),
      exchange_(exchange),
      clock_(clock),
      rng_(rng) {}

engine::task<std::expected<receipt, failure>> logs_ingestion::upload(engine::byte_view wire, bool gzip, token used) {
  auto id = make_guid(rng_);
  engine::http_request request{.origin = origin_,
                               .method = "POST",
                               .target = target_,
                               .headers = {{"Host", host_},
                                           {"User-Agent", "penstock"},
                                           {"Authorization", "Bearer " + std::string(used.value.reveal())},
                                           {"Content-Type", "application/json"},
                                           {"x-ms-client-request-id", id}},
                               .body = wire};
  if (gzip) request.headers.emplace_back("Content-Encoding", "gzip");
  engine::exchange_options limits{.connect_max = options_.connect_max,
                                  .answer_max = options_.answer_max,
                                  .stall_max = options_.stall_max,
                                  .body_bytes_max = answer_bytes_max,
                                  .headers_step = {}};
  auto answer = co_await exchange_.exchange(std::move(request), std::move(limits));
  if (!answer) {
    auto lost = from_exchange(answer.error(), used, clock_.wall());
    lost.client_request_id = std::move(id);
    co_return std::unexpected(std::move(lost));
  }
  const auto& head = answer->head;
  if (head.status < 200 || head.status > 299) {
    auto refused = from_answer(head, answer->body.view(), used, clock_.wall());
    refused.client_request_id = std::move(id);
    co_return std::unexpected(std::move(refused));
  }
  receipt taken{.status = head.status, .request_id = http::clean_id(head.header("x-ms-request-id"))};
  if (taken.request_id.empty()) taken.request_id = std::move(id);
  co_return std::move(taken);
}

}  // namespace stages::azure
