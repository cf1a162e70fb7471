// The way to the model clouds and back: time, mishaps, the steps of the HttpExchange port.
#include <algorithm>
#include <utility>

#include "tests/support/model_services.hpp"

namespace tests {
namespace {

using engine::http_errc;

std::unexpected<engine::http_failure> lost(http_errc code, bool sent) {
  return std::unexpected(
      engine::http_failure{.code = code, .message = "made to fail", .request_sent = sent, .head = {}});
}

}  // namespace

void model_exchange::close() {
  closed_ = true;
  ended_.close();
}

void model_exchange::kill() {
  killed_ = true;
  close();
}

engine::task<bool> model_exchange::sleep(engine::duration length) {
  const auto until = cloud_.sim_.now() + length;
  const bool whole = co_await ended_.sleep_until(cloud_.sim_, until);
  co_return whole;
}

engine::task<model_exchange::result> model_exchange::exchange(engine::http_request request,
                                                              engine::exchange_options options) {
  if (closed_) co_return lost(http_errc::cancelled, false);
  seen_request seen{.origin = std::move(request.origin),
                    .method = std::move(request.method),
                    .target = std::move(request.target),
                    .headers = std::move(request.headers),
                    .body = std::string(request.body)};
  const operation op = operation_of(seen);
  ++cloud_.requests_[op];
  in_flight* counters[] = {&cloud_.under_way_[op], op == operation::upload ? cloud_.rule_counter(seen) : nullptr};
  for (in_flight* c : counters) {
    if (c != nullptr) c->most = std::max(c->most, ++c->now);
  }
  auto got = co_await travel(op, std::move(seen), options);
  for (in_flight* c : counters) {
    if (c != nullptr) --c->now;
  }
  co_return std::move(got);
}

engine::task<model_exchange::result> model_exchange::travel(operation op, seen_request seen,
                                                            engine::exchange_options& options) {
  using mishap = model_cloud::mishap;
  const auto way = cloud_.draw(op);
  bool go = co_await sleep(way.there);
  if (!go) {
    if (killed_ && way.arrives_when_killed) static_cast<void>(cloud_.handle(op, seen, way));
    co_return lost(http_errc::cancelled, true);
  }
  if (way.what == mishap::refused_connection) co_return lost(http_errc::connect, false);
  if (way.what == mishap::lost_request) co_return lost(http_errc::reset, true);
  model_answer answer{.status = 0, .headers = {}, .body = {}, .never = true};
  if (way.what != mishap::swallowed) answer = cloud_.handle(op, seen, way);
  engine::duration back = way.back;
  if (cloud_.held) back += cloud_.held(op, seen);
  const bool late = answer.never || back > options.answer_max;
  go = co_await sleep(late ? options.answer_max : back);
  if (!go) co_return lost(http_errc::cancelled, true);
  if (late) co_return lost(http_errc::timeout, true);
  if (way.what == mishap::lost_answer) co_return lost(http_errc::reset, true);
  co_return deliver(std::move(answer), way.what == mishap::cut_body, options);
}

// As the port demands: the step is asked for 2xx answers with a body of known length and for no others.
model_exchange::result model_exchange::deliver(model_answer answer, bool cut, engine::exchange_options& options) {
  engine::http_response out;
  out.head.status = answer.status;
  out.head.headers = std::move(answer.headers);
  out.head.content_length = answer.body.size();
  const bool ask = answer.status >= 200 && answer.status < 300 && !answer.body.empty() && options.headers_step;
  if (ask) {
    auto room = options.headers_step(out.head);
    if (!room) {
      return std::unexpected(engine::http_failure{.code = http_errc::refused_by_caller,
                                                  .message = "refused",
                                                  .request_sent = true,
                                                  .head = std::move(out.head)});
    }
    out.body = std::move(*room);
  } else {
    out.body = engine::buffer(answer.body.size());
  }
  if (cut) return lost(http_errc::reset, true);
  out.body.append(answer.body);
  return out;
}

}  // namespace tests
