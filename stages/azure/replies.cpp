#include "stages/azure/replies.hpp"

#include <simdjson.h>

#include <algorithm>
#include <limits>

#include "stages/http_fields.hpp"

namespace stages::azure {
namespace {

namespace dom = simdjson::dom;

class document {
 public:
  explicit document(engine::byte_view json)
      : error_(json.empty() ? simdjson::EMPTY : parser_.parse(json.data(), json.size(), true).get(root_)) {}

  [[nodiscard]] std::optional<dom::object> object() const {
    dom::object out;
    if (error_ != simdjson::SUCCESS || root_.get(out) != simdjson::SUCCESS) return std::nullopt;
    return out;
  }

 private:
  dom::parser parser_;
  dom::element root_;
  simdjson::error_code error_;
};

std::string_view text_in(const dom::object& object, std::string_view key) {
  std::string_view text;
  if (object[key].get(text) != simdjson::SUCCESS) return {};
  return text;
}

// Entra sends a number, managed identities a text.
std::optional<engine::duration> seconds_in(const dom::object& object, std::string_view key) {
  std::uint64_t number = 0;
  if (object[key].get(number) != simdjson::SUCCESS) {
    const auto parsed = http::parse_number(text_in(object, key));
    if (!parsed) return std::nullopt;
    number = *parsed;
  }
  const auto most = static_cast<std::uint64_t>(std::chrono::seconds(token_life_max).count());
  return std::chrono::seconds(static_cast<std::int64_t>(std::min(number, most)));
}

}  // namespace

std::expected<token_reply, std::string> read_token(engine::byte_view json) {
  const document reply(json);
  const auto object = reply.object();
  if (!object) return std::unexpected("the token answer is not a JSON object");
  const auto type = text_in(*object, "token_type");
  if (!type.empty() && !http::equals_ignoring_case(type, "Bearer"))
    return std::unexpected("the token is not a bearer token");
  const auto value = text_in(*object, "access_token");
  // It goes into a header as it is: a line break in it would be a header of the sender's choice.
  const bool printable = std::ranges::all_of(value, [](char c) { return c > ' ' && c <= '~'; });
  if (value.empty() || value.size() > token_bytes_max || !printable) {
    return std::unexpected("the token answer has no usable access_token");
  }
  const auto life = seconds_in(*object, "expires_in");
  if (!life || *life == engine::duration::zero()) return std::unexpected("the token answer has no usable expires_in");
  token_reply out{.value = engine::secret(std::string(value)), .life = *life};
  if (const auto refresh_in = seconds_in(*object, "refresh_in");
      refresh_in && *refresh_in > engine::duration::zero() && *refresh_in < *life) {
    out.refresh_in = refresh_in;
  }
  return out;
}

token_error read_token_error(engine::byte_view json) {
  const document reply(json);
  const auto object = reply.object();
  if (!object) return {};
  token_error out{.error = http::clean_word(text_in(*object, "error"))};
  dom::array numbers;
  if ((*object)["error_codes"].get(numbers) == simdjson::SUCCESS) {
    for (const dom::element element : numbers) {
      std::uint64_t number = 0;
      if (element.get(number) != simdjson::SUCCESS || number > std::numeric_limits<std::uint32_t>::max()) continue;
      out.aadsts = static_cast<std::uint32_t>(number);
      break;
    }
  }
  return out;
}

ingestion_error read_ingestion_error(engine::byte_view json) {
  const document reply(json);
  const auto object = reply.object();
  dom::object error;
  if (!object || (*object)["error"].get(error) != simdjson::SUCCESS) return {};
  return {.code = std::string(text_in(error, "code")), .message = std::string(text_in(error, "message"))};
}

}  // namespace stages::azure
