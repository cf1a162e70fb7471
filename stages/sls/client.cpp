#include "stages/sls/client.hpp"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <utility>

namespace stages::sls {
namespace {

using engine::http_response;
using engine::http_response_head;

engine::http_origin origin_for(const client_options& options) {
  auto origin = http::origin_of(options.endpoint, options.ca_file);
  // There is no name to look up below an address, so the certificate must be the address's own.
  if (http::is_ip_literal(options.endpoint.host)) return origin;
  origin.host = options.project + "." + options.endpoint.host;
  origin.verify_name = origin.host;
  return origin;
}

std::string_view accept_encoding(codec coding) {
  switch (coding) {
    case codec::none:
      return "";
    case codec::lz4:
      return "lz4";
    case codec::zstd:
      return "zstd";
    case codec::deflate:
      return "deflate";
  }
  return "";
}

std::string shards_path(std::string_view logstore) {
  return "/logstores/" + http::percent_encode(logstore) + "/shards";
}
std::string shard_path(std::string_view logstore, std::int64_t shard) {
  return shards_path(logstore) + "/" + std::to_string(shard);
}

std::string request_id_of(const http_response_head& head) { return http::clean_id(head.header("x-log-requestid")); }

failure bad_reply(const http_response_head& head, std::string message) {
  return {.code = errc::bad_reply,
          .status = head.status,
          .service_code = {},
          .message = std::move(message),
          .request_id = request_id_of(head)};
}

failure from_answer(const http_response_head& head, engine::byte_view body, const access_key& key,
                    engine::wall_time now) {
  const auto error = read_error(body);
  failure out{
      .code = classify(head.status, error.code, error.message),
      .status = head.status,
      .service_code = http::clean_word(http::clean_sentence(error.code, {key.key.reveal(), key.token.reveal()})),
      .message = http::clean_sentence(error.message, {key.key.reveal(), key.token.reveal()}),
      .request_id = request_id_of(head)};
  out.retry_after = http::retry_after(head, now);
  if (error.code.empty()) {
    out.message = "the answer " + std::to_string(head.status) + " is not one of Simple Log Service";
  }
  return out;
}

failure from_exchange(const engine::http_failure& lost, const access_key& key, engine::wall_time now) {
  using engine::http_errc;
  // An error page too large to keep is still an answer.
  if (lost.head && lost.head->status != 200) return from_answer(*lost.head, {}, key, now);
  failure out{.code = errc::transport, .status = 0, .service_code = {}, .message = lost.message, .request_id = {}};
  switch (lost.code) {
    case http_errc::cancelled:
      out.code = errc::cancelled;
      break;
    case http_errc::malformed:
    case http_errc::too_large:
      out.code = errc::bad_reply;
      break;
    case http_errc::refused_by_caller:
      out.code = errc::refused_by_caller;
      break;
    default:
      out.transport = lost.code;
  }
  if (lost.head) {
    out.status = lost.head->status;
    out.request_id = request_id_of(*lost.head);
  }
  return out;
}

failure from_credentials(const credentials_failure& lost) {
  failure out{.code = errc::unauthorized, .status = 0, .service_code = {}, .message = lost.message, .request_id = {}};
  switch (lost.kind) {
    case engine::fault::cancelled:
      out.code = errc::cancelled;
      break;
    case engine::fault::throttled:
      out.code = errc::throttled;
      break;
    case engine::fault::transient:
      out.code = errc::server_busy;
      break;
    default:
      break;
  }
  return out;
}

// The on-headers step of a pull: reads the head, asks the caller, and keeps what both said.
class announcement_step {
 public:
  announcement_step(std::string_view cursor, on_announcement& ask) : cursor_(cursor), ask_(ask) {}

  std::optional<engine::buffer> operator()(const http_response_head& head) {
    auto announced = read_announcement(head, cursor_);
    if (!announced) {
      problem_ = announced.error();
      return std::nullopt;
    }
    announcement_ = *announced;
    if (announced->raw_bytes != 0) return ask_(*announced);
    // No data: whatever the body is, it is not for the caller.
    if (announced->content_length <= error_bytes_max) return engine::buffer(announced->content_length);
    problem_ = "a reply without data has a large body";
    return std::nullopt;
  }

  [[nodiscard]] const std::string& problem() const { return problem_; }
  [[nodiscard]] const std::optional<pull_announcement>& announcement() const { return announcement_; }

 private:
  std::string_view cursor_;
  on_announcement& ask_;
  std::string problem_;
  std::optional<pull_announcement> announcement_;
};

}  // namespace

client::client(client_options options, engine::http_exchange& exchange, engine::clock& clock, credentials& credentials)
    : options_(std::move(options)),
      origin_(origin_for(options_)),
      host_(options_.project + "." + http::host_field(options_.endpoint)),
      exchange_(exchange),
      clock_(clock),
      credentials_(credentials) {}

unsigned_request client::request_for(std::string path, query_fields query) const {
  return {.method = "GET",
          .path = std::move(path),
          .query = std::move(query),
          .headers = {{"Host", host_}, {"User-Agent", "penstock"}},
          .body = {}};
}

// True when the offset was set anew, so that another attempt makes sense.
bool client::correct_clock(const http_response_head& head) {
  // Over plain HTTP anybody on the way could move our clock, and with it the time for which a signature is good.
  if (!origin_.tls) return false;
  const auto date = http::parse_date(head.header("date"));
  if (!date) return false;
  const std::chrono::milliseconds offset = *date - clock_.wall();
  if (std::chrono::abs(offset) > clock_offset_max) return false;
  offset_ms_.store(offset.count());
  return true;
}

engine::task<std::expected<http_response, failure>> client::send(unsigned_request request,
                                                                 engine::on_headers* headers_step) {
  for (bool corrected = false;; corrected = true) {
    auto key = co_await credentials_.current();
    if (!key) co_return std::unexpected(from_credentials(key.error()));

    engine::http_request signed_request{.origin = origin_,
                                        .method = request.method,
                                        .target = request.path + wire_query(request.query),
                                        .headers = sign(request, *key, options_.region, clock_.wall() + clock_offset()),
                                        .body = request.body};
    engine::exchange_options limits{.connect_max = options_.connect_max,
                                    .answer_max = options_.answer_max,
                                    .stall_max = options_.stall_max,
                                    .body_bytes_max = error_bytes_max,
                                    .headers_step = {}};
    limits.headers_step = [headers_step](const http_response_head& head) { return (*headers_step)(head); };
    auto answer = co_await exchange_.exchange(std::move(signed_request), std::move(limits));

    if (!answer) {
      auto lost = from_exchange(answer.error(), *key, clock_.wall());
      if (lost.code == errc::unauthorized) credentials_.reject(key->generation);
      co_return std::unexpected(std::move(lost));
    }
    if (answer->head.status == 200) co_return std::move(*answer);
    auto refused = from_answer(answer->head, answer->body.view(), *key, clock_.wall());
    if (refused.code == errc::unauthorized) credentials_.reject(key->generation);
    if (refused.code != errc::clock_skew || corrected) co_return std::unexpected(std::move(refused));
    if (!correct_clock(answer->head)) co_return std::unexpected(std::move(refused));
  }
}

engine::task<std::expected<http_response, failure>> client::send_json(unsigned_request request) {
  engine::on_headers step = [](const http_response_head& head) -> std::optional<engine::buffer> {
    const auto size = head.content_length.value_or(0);
    if (size > json_bytes_max) return std::nullopt;
    return engine::buffer(static_cast<std::size_t>(size));
  };
  auto answer = co_await send(std::move(request), &step);
  if (!answer && answer.error().code == errc::refused_by_caller) {
    answer.error().code = errc::bad_reply;
    answer.error().message = "the answer is larger than any of its kind should be";
  }
  co_return answer;
}

engine::task<std::expected<std::vector<shard>, failure>> client::list_shards(std::string logstore) {
  auto answer = co_await send_json(request_for(shards_path(logstore), {}));
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  auto shards = read_shards(answer->body.view());
  if (!shards) co_return std::unexpected(bad_reply(answer->head, std::move(shards.error())));
  co_return std::move(*shards);
}

engine::task<std::expected<std::string, failure>> client::get_cursor(std::string logstore, std::int64_t shard,
                                                                     cursor_start start) {
  std::string from;
  if (const auto* end = std::get_if<edge>(&start)) {
    from = *end == edge::begin ? "begin" : "end";
  } else {
    from = std::to_string(std::get<receive_time>(start).unix_s);
  }
  query_fields query{{"type", "cursor"}, {"from", std::move(from)}};
  auto answer = co_await send_json(request_for(shard_path(logstore, shard), std::move(query)));
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  auto cursor = read_cursor(answer->body.view());
  if (!cursor) co_return std::unexpected(bad_reply(answer->head, std::move(cursor.error())));
  co_return std::move(*cursor);
}

engine::task<std::expected<std::int64_t, failure>> client::get_cursor_time(std::string logstore, std::int64_t shard,
                                                                           std::string cursor) {
  query_fields query{{"type", "cursor_time"}, {"cursor", std::move(cursor)}};
  auto answer = co_await send_json(request_for(shard_path(logstore, shard), std::move(query)));
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  auto time = read_cursor_time(answer->body.view());
  if (!time) co_return std::unexpected(bad_reply(answer->head, std::move(time.error())));
  co_return *time;
}

engine::task<std::expected<pull_reply, failure>> client::pull_logs(pull_request wanted, on_announcement ask) {
  assert(wanted.count >= 1 && wanted.count <= pull_groups_max);
  query_fields query{{"type", "log"}, {"cursor", wanted.cursor}, {"count", std::to_string(wanted.count)}};
  if (!wanted.end_cursor.empty()) query.emplace_back("end_cursor", wanted.end_cursor);
  auto request = request_for(shard_path(wanted.logstore, wanted.shard), std::move(query));
  request.headers.emplace_back("Accept", "application/x-protobuf");
  request.headers.emplace_back("Accept-Encoding", accept_encoding(options_.accept));

  announcement_step step(wanted.cursor, ask);
  engine::on_headers headers_step = [&step](const http_response_head& head) { return step(head); };
  auto answer = co_await send(std::move(request), &headers_step);
  if (!answer) {
    auto& lost = answer.error();
    if (lost.code == errc::refused_by_caller && !step.problem().empty()) {
      lost.code = errc::bad_reply;
      lost.message = step.problem();
    } else if (lost.code == errc::refused_by_caller) {
      lost.announcement = step.announcement();
    }
    co_return std::unexpected(std::move(lost));
  }

  auto announced = step.announcement();
  engine::buffer bytes = std::move(answer->body);
  if (!announced) {
    // The exchange did not ask: no body, or one of unknown length that it read into a small buffer of its own. The
    // bytes are the caller's to account for all the same.
    auto late = read_announcement(answer->head, wanted.cursor);
    if (!late) co_return std::unexpected(bad_reply(answer->head, std::move(late.error())));
    late->content_length = bytes.size();
    if (late->raw_bytes != 0 && !bytes.empty()) {
      auto room = ask(*late);
      if (!room) {
        auto refused = bad_reply(answer->head, "the block was refused");
        refused.code = errc::refused_by_caller;
        refused.announcement = std::move(*late);
        co_return std::unexpected(std::move(refused));
      }
      room->append(bytes.view());
      bytes = std::move(*room);
    }
    announced = std::move(*late);
  }
  if (announced->raw_bytes == 0) bytes = engine::buffer();
  if (announced->raw_bytes != 0 && bytes.empty()) {
    co_return std::unexpected(bad_reply(answer->head, "a reply that announces data has no body"));
  }
  pull_reply out{.block = {}, .hints = read_hints(answer->head), .request_id = request_id_of(answer->head)};
  out.block.bytes = std::move(bytes);
  out.block.coding = announced->coding;
  out.block.plain_bytes = announced->raw_bytes;
  out.block.group_count = announced->group_count;
  out.block.cursor = std::move(wanted.cursor);
  out.block.next_cursor = std::move(announced->next_cursor);
  out.block.fetched_at = clock_.now();
  co_return std::move(out);
}

}  // namespace stages::sls
