// The program's configuration as plain values: defaults, ranges and units stand here and nowhere else.
//
// Reading them from YAML, environment and flags is the program's business (tools/penstock/load_config.hpp); the checks
// of single values are here, pure. Every error text reads "problem (what is allowed)" and repeats no value.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/base/log.hpp"
#include "engine/base/secret.hpp"
#include "engine/base/units.hpp"
#include "stages/types.hpp"

namespace stages {

// --- where things are ----------------------------------------------------------------------------------------------

struct endpoint_address {
  std::string scheme = "https";  // https | http
  std::string host;              // lower case; IPv6 without brackets
  std::uint16_t port = 443;
  bool operator==(const endpoint_address&) const = default;
};

// "host", "host:port", "[::1]:port", with https:// (meant when absent) or http:// before and at most one "/" after.
std::expected<endpoint_address, std::string> parse_endpoint(std::string_view);
// As it stands in a Host header after the project's prefix: the port only when it is not the scheme's own.
std::string host_and_port(const endpoint_address&);

struct tls_options {
  std::string ca_file;  // PEM; empty: the system's trust roots
};

// --- sources -------------------------------------------------------------------------------------------------------

struct access_key_options {
  std::string access_key_id;
  engine::secret access_key_secret;
  engine::secret security_token;  // empty for long-lived keys
};

struct start_begin {
  bool operator==(const start_begin&) const = default;
};
struct start_end {
  bool operator==(const start_end&) const = default;
};
// Where a shard without a committed position begins: its oldest log, its end, or what arrived since a time.
using start_position = std::variant<start_begin, start_end, engine::wall_time>;

struct source_options {
  std::string account;  // label and metric dimension
  endpoint_address endpoint;
  std::string region;  // empty: V1 signatures
  access_key_options credentials;
  std::string project;
  std::vector<std::string> logstores;
  start_position start = start_begin{};
  std::string to;  // name of a destination
  tls_options tls;
  std::optional<endpoint_address> sts_endpoint;  // private clouds
  std::optional<endpoint_address> metadata_endpoint;
};

std::expected<std::string, std::string> parse_account(std::string_view);
std::expected<std::string, std::string> parse_region(std::string_view);
std::expected<std::string, std::string> parse_project(std::string_view);
std::expected<std::string, std::string> parse_logstore(std::string_view);
std::expected<start_position, std::string> parse_start(std::string_view);

// --- destinations --------------------------------------------------------------------------------------------------

enum class destination_type : std::uint8_t { sentinel, null };

struct client_secret_options {
  std::string tenant;
  std::string client_id;
  engine::secret client_secret;
};

struct destination_options {
  std::string name;
  destination_type type = destination_type::sentinel;
  row_format format = row_format::value;
  // Only type sentinel:
  endpoint_address endpoint;
  std::string rule;  // dcr- and 32 lower-case hex digits
  std::string stream;
  client_secret_options credentials;
  endpoint_address authority{.scheme = "https", .host = "login.microsoftonline.com", .port = 443};
  tls_options tls;
};

std::expected<std::string, std::string> parse_destination_name(std::string_view);
std::expected<destination_type, std::string> parse_destination_type(std::string_view);
std::expected<row_format, std::string> parse_row_format(std::string_view);
std::expected<std::string, std::string> parse_rule(std::string_view);  // any case in, lower case out
std::expected<std::string, std::string> parse_stream(std::string_view);
std::expected<std::string, std::string> parse_tenant(std::string_view);
std::expected<std::string, std::string> parse_client_id(std::string_view);

// --- tuning --------------------------------------------------------------------------------------------------------

enum class compression_level : std::uint8_t { fast, small, none };
enum class row_order : std::uint8_t { event_name, arrival };

struct listen_address {
  std::string host;        // empty: do not listen
  std::uint16_t port = 0;  // 0: any free one
  bool operator==(const listen_address&) const = default;
};

struct tuning_options {
  unsigned io_threads = 1;
  unsigned cpu_threads = 1;  // default_tuning() puts the number of cores here
  std::size_t memory_limit_bytes = 256 * engine::mib;
  unsigned connections_max = 256;
  unsigned fetch_concurrency = 64;
  unsigned fetch_per_host = 16;
  engine::duration poll_interval = std::chrono::seconds(1);
  unsigned pull_groups_max = 1'000;  // log groups asked for in one pull
  unsigned queue_blocks_max = 4;     // at each boundary of pace
  row_order order = row_order::event_name;
  std::size_t batch_bytes_max = 1'044'480;  // on the wire: the service's 1 MiB less 4 KiB
  std::size_t batch_raw_bytes_max = 8 * engine::mib;
  engine::duration linger = std::chrono::seconds(1);
  compression_level compression = compression_level::fast;
  unsigned upload_concurrency = 8;  // per destination
  engine::duration drain_timeout = std::chrono::seconds(25);
  engine::log_level log_level = engine::log_level::info;
  engine::log_format log_format = engine::log_format::text;
  listen_address admin_listen{.host = "127.0.0.1", .port = 9464};
};

tuning_options default_tuning(unsigned cores);

// What an open connection costs at most, idle or not: TLS state, kernel buffers and the read buffer while in use.
inline constexpr std::size_t connection_bytes = 160 * engine::kib;
// Below this memory limit an unset connections-max means few_connections: 256 of them would take over half of it.
inline constexpr std::size_t few_connections_below_bytes = 128 * engine::mib;
inline constexpr unsigned few_connections = 128;

// One tuning value: its name is the flag, with underscores the key under `tuning:`, with PENSTOCK_ the variable.
struct tuning_setting {
  std::string name;   // "memory-limit"
  std::string group;  // of --help
  std::string meaning;
  std::string allowed;  // "64MiB..1024GiB"
  std::function<std::expected<void, std::string>(tuning_options&, std::string_view)> set;
  std::function<std::string(const tuning_options&)> show;

  [[nodiscard]] std::string key() const;       // memory_limit
  [[nodiscard]] std::string variable() const;  // PENSTOCK_MEMORY_LIMIT
};
const std::vector<tuning_setting>& tuning_settings();

std::expected<listen_address, std::string> parse_listen_address(std::string_view);

// --- all of it -----------------------------------------------------------------------------------------------------

struct config {
  std::vector<source_options> sources;
  std::vector<destination_options> destinations;
  std::string state_path;
  tuning_options tuning;
};

}  // namespace stages
