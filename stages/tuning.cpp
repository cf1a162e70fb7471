// The table of tuning values: every name, range and default of `--flags`, `tuning:` keys and PENSTOCK_ variables.
#include <algorithm>
#include <charconv>

#include "stages/config.hpp"

namespace stages {
namespace {

using set_result = std::expected<void, std::string>;

std::unexpected<std::string> out_of_range(const std::string& allowed) {
  return std::unexpected("is out of range (" + allowed + ")");
}

tuning_setting count_setting(std::string name, std::string group, std::string meaning, unsigned tuning_options::* field,
                             unsigned min, unsigned max) {
  const std::string allowed = std::to_string(min) + ".." + std::to_string(max);
  auto set = [=](tuning_options& options, std::string_view text) -> set_result {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = end == text.data() + text.size() && !text.empty();
    if (whole && error == std::errc::result_out_of_range) return out_of_range(allowed);
    if (!whole || error != std::errc{}) return std::unexpected("is not a whole number (" + allowed + ")");
    if (value < min || value > max) return out_of_range(allowed);
    options.*field = value;
    return {};
  };
  auto show = [=](const tuning_options& options) { return std::to_string(options.*field); };
  return {std::move(name), std::move(group), std::move(meaning), allowed, set, show};
}

// The request limit is known as 1044480 bytes; "1020KiB" would hide it.
std::string size_text(std::size_t bytes) {
  return bytes % (64 * engine::kib) == 0 ? engine::format_size(bytes) : std::to_string(bytes) + 'B';
}

tuning_setting size_setting(std::string name, std::string group, std::string meaning,
                            std::size_t tuning_options::* field, std::size_t min, std::size_t max) {
  const std::string allowed = size_text(min) + ".." + size_text(max);
  auto set = [=](tuning_options& options, std::string_view text) -> set_result {
    const auto value = engine::parse_size(text);
    if (!value) return std::unexpected(value.error() + " (" + allowed + ")");
    if (*value < min || *value > max) return out_of_range(allowed);
    options.*field = *value;
    return {};
  };
  auto show = [=](const tuning_options& options) { return size_text(options.*field); };
  return {std::move(name), std::move(group), std::move(meaning), allowed, set, show};
}

tuning_setting duration_setting(std::string name, std::string group, std::string meaning,
                                engine::duration tuning_options::* field, engine::duration min, engine::duration max) {
  const std::string allowed = engine::format_duration(min) + ".." + engine::format_duration(max);
  auto set = [=](tuning_options& options, std::string_view text) -> set_result {
    const auto value = engine::parse_duration(text);
    if (!value) return std::unexpected(value.error() + " (" + allowed + ")");
    if (*value < min || *value > max) return out_of_range(allowed);
    options.*field = *value;
    return {};
  };
  auto show = [=](const tuning_options& options) { return engine::format_duration(options.*field); };
  return {std::move(name), std::move(group), std::move(meaning), allowed, set, show};
}

template <class Enum>
using choices = std::vector<std::pair<std::string_view, Enum>>;

template <class Enum>
tuning_setting choice_setting(std::string name, std::string group, std::string meaning, Enum tuning_options::* field,
                              const choices<Enum>& words) {
  std::string allowed;
  for (const auto& [word, value] : words) allowed += (allowed.empty() ? "" : "|") + std::string(word);
  auto set = [=](tuning_options& options, std::string_view text) -> set_result {
    for (const auto& [word, value] : words) {
      if (word != text) continue;
      options.*field = value;
      return {};
    }
    return std::unexpected("is not one of the choices (" + allowed + ")");
  };
  auto show = [=](const tuning_options& options) {
    for (const auto& [word, value] : words) {
      if (options.*field == value) return std::string(word);
    }
    return std::string();
  };
  return {std::move(name), std::move(group), std::move(meaning), allowed, set, show};
}

tuning_setting listen_setting() {
  auto set = [](tuning_options& options, std::string_view text) -> set_result {
    auto address = parse_listen_address(text);
    if (!address) return std::unexpected(address.error());
    options.admin_listen = *std::move(address);
    return {};
  };
  auto show = [](const tuning_options& options) -> std::string {
    const listen_address& address = options.admin_listen;
    if (address.host.empty()) return "off";
    const bool is_v6 = address.host.find(':') != std::string::npos;
    return (is_v6 ? '[' + address.host + ']' : address.host) + ':' + std::to_string(address.port);
  };
  return {"admin-listen",  "Watching", "address of metrics, health and status; port 0 takes a free one",
          "HOST:PORT|off", set,        show};
}

std::vector<tuning_setting> all_settings() {
  using namespace std::chrono_literals;
  using engine::gib, engine::kib, engine::mib;
  using t = tuning_options;
  std::vector<tuning_setting> all{
      count_setting("io-threads", "Threads and memory", "threads for the network", &t::io_threads, 1, 256),
      count_setting("cpu-threads", "Threads and memory", "threads that decode, transform and compress", &t::cpu_threads,
                    1, 256),
      size_setting("memory-limit", "Threads and memory", "one budget for all blocks, batches and connections",
                   &t::memory_limit_bytes, 64 * mib, 1024 * gib),
      count_setting("connections-max", "Threads and memory", "open connections; 128 if unset and memory-limit < 128MiB",
                    &t::connections_max, 8, 65'536),
      count_setting("fetch-concurrency", "Fetching", "pulls at a time", &t::fetch_concurrency, 1, 4'096),
      count_setting("fetch-per-host", "Fetching", "pulls at a time from one host", &t::fetch_per_host, 1, 1'024),
      duration_setting("poll-interval", "Fetching", "pause after a shard had nothing new", &t::poll_interval, 10ms, 1h),
      count_setting("pull-groups", "Fetching", "log groups asked for in one pull", &t::pull_groups_max, 1, 1'000),
      count_setting("queue-blocks", "Processing", "blocks waiting between network and CPU", &t::queue_blocks_max, 1,
                    1'024),
      choice_setting<row_order>("order", "Processing", "rows of a block by event name compress better", &t::order,
                                {{"event-name", row_order::event_name}, {"arrival", row_order::arrival}}),
      size_setting("batch-bytes", "Sending", "most compressed bytes in a request", &t::batch_bytes_max, 64 * kib,
                   1'044'480),
      size_setting("batch-raw-bytes", "Sending", "most uncompressed bytes in a request", &t::batch_raw_bytes_max,
                   256 * kib, 48 * mib),
      duration_setting("linger", "Sending", "longest wait for a batch to fill", &t::linger, 0ms, 1min),
      choice_setting<compression_level>(
          "compression", "Sending", "gzip effort", &t::compression,
          {{"fast", compression_level::fast}, {"small", compression_level::small}, {"none", compression_level::none}}),
      count_setting("upload-concurrency", "Sending", "requests at a time to one destination", &t::upload_concurrency, 1,
                    256),
      duration_setting("drain-timeout", "Sending", "time to finish after SIGTERM", &t::drain_timeout, 0ms, 1h),
      choice_setting<engine::log_level>("log-level", "Watching", "least important lines to log", &t::log_level,
                                        {{"debug", engine::log_level::debug},
                                         {"info", engine::log_level::info},
                                         {"warn", engine::log_level::warn},
                                         {"error", engine::log_level::error}}),
      choice_setting<engine::log_format>("log-format", "Watching", "form of log lines", &t::log_format,
                                         {{"text", engine::log_format::text}, {"json", engine::log_format::json}}),
      listen_setting(),
  };
  return all;
}

std::string with_underscores(std::string text) {
  std::ranges::replace(text, '-', '_');
  return text;
}

}  // namespace

tuning_options default_tuning(unsigned cores) {
  tuning_options options;
  options.cpu_threads = std::clamp(cores, 1U, 256U);
  return options;
}

std::string tuning_setting::key() const { return with_underscores(name); }

std::string tuning_setting::variable() const {
  std::string out = "PENSTOCK_" + with_underscores(name);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return out;
}

const std::vector<tuning_setting>& tuning_settings() {
  static const std::vector<tuning_setting> all = all_settings();
  return all;
}

}  // namespace stages
