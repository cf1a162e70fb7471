#include "stages/azure/entra_token.hpp"

#include <algorithm>
#include <utility>

#include "stages/azure/replies.hpp"

namespace stages::azure {
namespace {

using engine::duration;

constexpr std::size_t token_answer_bytes_max = 64 * engine::kib;

// Uniform in [0, limit).
duration spread(duration limit, std::uint64_t random) {
  return duration(static_cast<std::int64_t>(random % static_cast<std::uint64_t>(limit.count())));
}

// The word is the sender's and goes into logs: it must look like one, and must not be the secret we sent, or a part of
// it.
bool is_error_word(std::string_view word, std::string_view secret) {
  const bool plain = std::ranges::all_of(word, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
  return plain && (secret.empty() || (!word.contains(secret) && !secret.contains(word)));
}

token_errc code_for(int status, std::string_view error) {
  if (status == 429) return token_errc::throttled;
  if (status >= 500 || status == 408 || error == "temporarily_unavailable") return token_errc::server_busy;
  if (error == "invalid_client" || status == 401) return token_errc::rejected;
  return status >= 400 ? token_errc::misconfigured : token_errc::bad_reply;
}

// What an operator can do about the common ones. The number decides nothing but this text.
std::string_view advice(std::uint32_t aadsts) {
  switch (aadsts) {
    case 7000215:
      return "the client secret is wrong; is it the secret's id instead of its value?";
    case 7000222:
      return "the client secret has expired";
    case 700016:
      return "the application is not in this tenant";
    case 90002:
      return "the tenant was not found";
    case 70011:
    case 1002012:
      return "the scope is not valid";
    case 50196:
      return "too many requests from this client";
    default:
      return {};
  }
}

// Doubles from the first to the longest, and never shorter than the service asks.
duration memory_for(unsigned in_a_row, std::optional<duration> retry_after) {
  duration out = failure_memory_first;
  for (unsigned i = 1; i < in_a_row && out < failure_memory_max; ++i) out *= 2;
  out = std::min<duration>(out, failure_memory_max);
  return std::max(out, retry_after.value_or(duration::zero()));
}

}  // namespace

entra_token::entra_token(entra_options options, engine::http_exchange& exchange, engine::clock& clock, engine::rng& rng)
    : options_(std::move(options)), exchange_(exchange), clock_(clock), rng_(rng) {}

engine::task<std::expected<token, token_failure>> entra_token::get() {
  for (;;) {
    // Read before the look at the state, or the end of a renewal between the two would be missed.
    const auto seen = renewed_.version();
    bool mine = false;
    auto answer = answer_now(mine);
    if (answer) co_return std::move(*answer);
    if (!mine) {
      co_await renewed_.wait(seen);
      continue;
    }
    std::exception_ptr thrown;
    try {
      auto result = co_await renew();
      end_renewal(std::move(result));
    } catch (...) {
      thrown = std::current_exception();
    }
    if (thrown) {
      forget_renewal();  // the others must not wait for a renewal nobody does
      std::rethrow_exception(thrown);
    }
  }
}

std::optional<std::expected<token, token_failure>> entra_token::answer_now(bool& mine) {
  const std::lock_guard lock(mutex_);
  const auto now = clock_.now();
  const bool usable = token_ && !token_->dropped && now < token_->ends_at;
  if (usable && (renewing_ || now < token_->renew_at)) return token_->current;
  if (renewing_) return std::nullopt;
  if (failure_ && now < failure_->until) {
    if (usable) return token_->current;
    return std::unexpected(failure_->what);
  }
  renewing_ = true;
  mine = true;
  return std::nullopt;
}

void entra_token::end_renewal(std::expected<fresh_token, token_failure> result) {
  {
    const std::lock_guard lock(mutex_);
    renewing_ = false;
    if (result) {
      token_ = kept_token{.current = {.value = std::move(result->value), .generation = ++generation_},
                          .renew_at = result->renew_at,
                          .ends_at = result->ends_at};
      failure_.reset();
    } else {
      const unsigned in_a_row = failure_ ? failure_->in_a_row + 1 : 1;
      const auto until = clock_.now() + memory_for(in_a_row, result.error().retry_after);
      failure_ = kept_failure{.what = std::move(result.error()), .until = until, .in_a_row = in_a_row};
    }
  }
  renewed_.notify();
}

void entra_token::forget_renewal() {
  {
    const std::lock_guard lock(mutex_);
    renewing_ = false;
  }
  renewed_.notify();
}

void entra_token::invalidate(std::uint64_t generation) {
  const std::lock_guard lock(mutex_);
  if (token_ && token_->current.generation == generation) token_->dropped = true;
}

entra_token::fresh_token entra_token::dated(engine::secret value, duration life, std::optional<duration> refresh_in,
                                            engine::time_point asked_at) {
  // A short life is halved: a token that is to be renewed as soon as it comes would never be used.
  const duration early = std::min<duration>(renew_before_end + spread(renew_spread_max, rng_.next()), life / 2);
  return {.value = std::move(value),
          .renew_at = asked_at + std::min(refresh_in.value_or(life - early), life - early),
          .ends_at = asked_at + life};
}

token_failure entra_token::refusal(const engine::http_response& answer) const {
  const auto error = read_token_error(answer.body.view());
  token_failure out{.code = code_for(answer.head.status, error.error),
                    .status = answer.head.status,
                    .error = error.error,
                    .aadsts = error.aadsts,
                    .message = {},
                    .retry_after = http::retry_after(answer.head, clock_.wall())};
  if (!is_error_word(out.error, options_.client_secret.reveal())) out.error.clear();
  if (out.code != token_errc::throttled && error.aadsts == 50196) out.code = token_errc::throttled;
  out.message = "Entra ID answered " + std::to_string(out.status);
  if (!out.error.empty()) out.message += " " + out.error;
  if (out.aadsts != 0) out.message += " AADSTS" + std::to_string(out.aadsts);
  if (const auto text = advice(out.aadsts); !text.empty()) out.message.append(": ").append(text);
  return out;
}

engine::task<std::expected<entra_token::fresh_token, token_failure>> entra_token::renew() {
  const engine::secret form("client_id=" + http::percent_encode(options_.client_id) +
                            "&scope=" + http::percent_encode(options_.audience + "/.default") + "&client_secret=" +
                            http::percent_encode(options_.client_secret.reveal()) + "&grant_type=client_credentials");
  engine::http_request request{
      .origin = http::origin_of(options_.authority, options_.ca_file),
      .method = "POST",
      .target = options_.authority.path + "/" + http::percent_encode(options_.tenant) + "/oauth2/v2.0/token",
      .headers = {{"Host", http::host_field(options_.authority)},
                  {"User-Agent", "penstock"},
                  {"Accept", "application/json"},
                  {"Content-Type", "application/x-www-form-urlencoded"}},
      .body = form.reveal()};
  engine::exchange_options limits{.connect_max = options_.connect_max,
                                  .answer_max = options_.answer_max,
                                  .stall_max = options_.stall_max,
                                  .body_bytes_max = token_answer_bytes_max,
                                  .headers_step = {}};
  // The life of a token counts from the question: the answer may have been long on its way.
  const auto asked_at = clock_.now();
  auto answer = co_await exchange_.exchange(std::move(request), std::move(limits));
  if (!answer) {
    token_failure lost{.code = token_errc::transport, .status = 0, .error = {}, .aadsts = 0, .message = {}};
    lost.message = "Entra ID was not reached: " + answer.error().message;
    if (answer.error().code == engine::http_errc::cancelled) lost.code = token_errc::cancelled;
    if (answer.error().code == engine::http_errc::malformed) lost.code = token_errc::bad_reply;
    if (answer.error().code == engine::http_errc::too_large) lost.code = token_errc::bad_reply;
    co_return std::unexpected(std::move(lost));
  }
  if (answer->head.status != 200) co_return std::unexpected(refusal(*answer));
  auto reply = read_token(answer->body.view());
  if (!reply) {
    token_failure bad{.code = token_errc::bad_reply, .status = 200, .error = {}, .aadsts = 0, .message = {}};
    bad.message = std::move(reply.error());
    co_return std::unexpected(std::move(bad));
  }
  co_return dated(std::move(reply->value), reply->life, reply->refresh_in, asked_at);
}

}  // namespace stages::azure
