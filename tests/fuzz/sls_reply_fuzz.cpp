// Readers of what SLS answers: a head in the first lines ("name: value", up to an empty line), a body after it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "stages/http_fields.hpp"
#include "stages/sls/cursor.hpp"
#include "stages/sls/replies.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

engine::http_response_head take_head(std::string_view& input) {
  engine::http_response_head head;
  head.status = 200;
  for (;;) {
    const auto end = input.find('\n');
    const auto line = input.substr(0, end);
    input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
    const auto colon = line.find(": ");
    if (line.empty() || colon == std::string_view::npos) return head;
    head.headers.emplace_back(stages::http::to_lower(line.substr(0, colon)), std::string(line.substr(colon + 2)));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto head = take_head(input);

  if (const auto announced = stages::sls::read_announcement(head, "asked")) {
    require(!announced->next_cursor.empty());
  }
  static_cast<void>(stages::sls::read_hints(head));
  const auto now = engine::wall_time(std::chrono::hours(500'000));
  if (const auto wait = stages::http::retry_after(head, now)) {
    require(*wait >= engine::duration::zero() && *wait <= stages::http::retry_after_max);
  }
  if (const auto date = stages::http::parse_date(head.header("date"))) {
    require(stages::http::parse_date(stages::http::format_date(*date)) == date);
  }

  if (const auto shards = stages::sls::read_shards(input)) {
    for (std::size_t i = 0; i < shards->size(); ++i) {
      require((*shards)[i].id >= 0);
      require(i == 0 || (*shards)[i - 1].id < (*shards)[i].id);
    }
  }
  if (const auto cursor = stages::sls::read_cursor(input)) {
    require(!cursor->empty());
    const auto number = stages::sls::decode_cursor(*cursor);
    if (number) require(stages::sls::decode_cursor(stages::sls::encode_cursor(*number)) == number);
  }
  static_cast<void>(stages::sls::read_cursor_time(input));
  const auto error = stages::sls::read_error(input);
  static_cast<void>(stages::sls::classify(400, error.code, error.message));
  const auto text = stages::http::clean_sentence(error.message, {"secret", "*"});
  require(text.size() <= 400 && text.find("secret") == std::string::npos);
  for (const char c : text) require(c >= ' ' && c <= '~');
  if (const auto url = stages::http::parse_base_url(input)) require(!url->host.empty() && url->port != 0);
  return 0;
}
