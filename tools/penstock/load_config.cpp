#include "tools/penstock/load_config.hpp"

#include <filesystem>
#include <set>
#include <thread>
#include <tuple>

#include "engine/host/config_reader.hpp"
#include "engine/host/small_file.hpp"
#include "stages/azure/cloud.hpp"
#include "tools/penstock/load_tuning.hpp"

namespace penstock {
namespace {

using engine::config_map;
using engine::config_reader;
using engine::config_value;

std::expected<std::string, std::string> as_text(std::string_view text) { return std::string(text); }

// Takes the value over when there is one.
template <class T, class U>
void assign(T& target, std::optional<U> value) {
  if (value) target = *std::move(value);
}

class config_loader {
 public:
  config_loader(const load_request& request, config_reader& reader)
      : request_(request), reader_(reader), directory_(std::filesystem::path(request.file).parent_path()) {}

  void read(const config_value& root) {
    config_map map(reader_, root);
    const auto sources = map.require("sources", "a list of sources");
    const auto destinations = map.require("destinations", "a list of destinations");
    if (const auto tls = map.find("tls")) common_tls_ = read_tls(*tls);
    if (const auto state = map.require("state", "a map with the path of the state database")) read_state(*state);
    tuning_ = read_tuning(request_, reader_, map.find("tuning"));
    // Destinations first: sources refer to them.
    each(destinations, "a list of destinations", [this](const config_value& item) { read_destination(item); });
    each(sources, "a list of sources", [this](const config_value& item) { read_source(item); });
    map.finish();
    warn_about_unused();
  }
  // Without a readable document the flags and the environment can still be wrong.
  void read_without_file() { tuning_ = read_tuning(request_, reader_, std::nullopt); }

  stages::config take_config() {
    config_.tuning = tuning_.options;
    return std::move(config_);
  }
  std::vector<tuning_value> take_tuning() { return std::move(tuning_.values); }

 private:
  template <class Read>
  void each(const std::optional<config_value>& list, const std::string& allowed, Read read) {
    if (!list) return;
    if (!list->is_list()) return reader_.error(*list, "has the wrong type (" + allowed + ")");
    const auto items = list->items();
    if (items.empty()) reader_.error(*list, "is empty (" + allowed + ")");
    for (const config_value& item : items) read(item);
  }

  std::string beside_file(const std::string& path) const { return (directory_ / path).lexically_normal().string(); }

  stages::tls_options read_tls(const config_value& value) {
    config_map map(reader_, value);
    stages::tls_options tls;
    const auto file = map.require("ca_file", "a PEM file");
    if (const auto path = map.parsed(file, as_text)) {
      tls.ca_file = beside_file(*path);
      const auto pem = engine::read_small_file(tls.ca_file, 4 * engine::mib);
      if (!pem) {
        reader_.error(*file, pem.error() + " (a PEM file)");
      } else if (pem->find("-----BEGIN CERTIFICATE-----") == std::string::npos &&
                 pem->find("-----BEGIN TRUSTED CERTIFICATE-----") == std::string::npos) {
        reader_.error(*file, "holds no certificate (a PEM file)");
      }
    }
    map.finish();
    return tls;
  }

  void read_state(const config_value& value) {
    config_map map(reader_, value);
    const auto path = map.parsed(map.require("path", "a file, made when absent"), as_text);
    if (path) config_.state_path = beside_file(*path);
    map.finish();
  }

  std::optional<stages::endpoint_address> read_endpoint(config_map& map, const std::optional<config_value>& value) {
    auto endpoint = map.parsed(value, stages::parse_endpoint);
    if (endpoint && endpoint->scheme == "http") {
      reader_.warning(*value, "http sends events and credentials unencrypted (https, but for test clouds)");
    }
    return endpoint;
  }

  // --- sources ---

  void read_source(const config_value& item) {
    config_map map(reader_, item);
    stages::source_options source;
    assign(source.account, map.parsed(map.require("account", "a label"), stages::parse_account));
    assign(source.endpoint, read_endpoint(map, map.require("endpoint", "the host of SLS in the region")));
    assign(source.region, map.parsed(map.find("region"), stages::parse_region));
    if (const auto value = map.require("credentials", "a map with a type")) read_access_key(*value, source.credentials);
    assign(source.project, map.parsed(map.require("project", "the SLS project"), stages::parse_project));
    const auto logstores = read_logstores(map, source);
    assign(source.start, map.parsed(map.find("start"), stages::parse_start));
    const auto to = read_to(map);
    if (to) source.to = to->first;
    read_coordination(map);
    source.tls = common_tls_;
    if (const auto tls = map.find("tls")) source.tls = read_tls(*tls);
    if (const auto sts = map.find("sts_endpoint")) source.sts_endpoint = read_endpoint(map, sts);
    // Instance metadata is plain http by nature, so no warning.
    if (const auto metadata = map.find("metadata_endpoint")) {
      source.metadata_endpoint = map.parsed(metadata, stages::parse_endpoint);
    }
    map.finish();
    check_routes(source, logstores);
    config_.sources.push_back(std::move(source));
  }

  void read_access_key(const config_value& value, stages::access_key_options& credentials) {
    config_map map(reader_, value);
    const auto type = map.require("type", "access_key");
    const auto name = map.parsed(type, as_text);
    if (name && *name != "access_key") return reader_.error(*type, "is not a type of credentials (access_key)");
    assign(credentials.access_key_id, map.parsed(map.require("access_key_id", "${env:NAME} or ${file:PATH}"), as_text));
    assign(credentials.access_key_secret, secret_of(map.require("access_key_secret", "${env:NAME} or ${file:PATH}")));
    assign(credentials.security_token, secret_of(map.find("security_token")));
    map.finish();
  }

  std::optional<engine::secret> secret_of(const std::optional<config_value>& value) {
    return value ? reader_.secret_text(*value) : std::nullopt;
  }

  // The values read, for messages about routes; as many as source.logstores.
  std::vector<config_value> read_logstores(config_map& map, stages::source_options& source) {
    std::vector<config_value> good;
    each(map.require("logstores", "a list of names"), "a list of names", [&](const config_value& item) {
      auto name = map.parsed(item, stages::parse_logstore);
      if (!name) return;
      source.logstores.push_back(*std::move(name));
      good.push_back(item);
    });
    return good;
  }

  std::optional<std::pair<std::string, config_value>> read_to(config_map& map) {
    const auto to = map.require("to", "the name of a destination");
    if (!to) return std::nullopt;
    const auto items = to->items();
    if (items.empty()) {
      reader_.error(*to, "is empty (the name of a destination)");
      return std::nullopt;
    }
    if (items.size() > 1) {
      for (const auto& item : items) {
        if (auto name = map.parsed(item, as_text)) used_.insert(*std::move(name));
      }
      reader_.error(*to, "several destinations are not yet supported (the name of one destination)");
      return std::nullopt;
    }
    auto name = map.parsed(items.front(), as_text);
    if (!name) return std::nullopt;
    // Without any destination that mistake is reported already.
    if (!destinations_.contains(*name) && !destinations_.empty()) {
      std::string known;
      for (const auto& [destination, where] : destinations_) known += (known.empty() ? "" : ", ") + destination;
      reader_.error(items.front(), "names no destination (" + known + ")");
    }
    used_.insert(*name);
    return std::pair(*std::move(name), items.front());
  }

  void read_coordination(config_map& map) {
    const auto coordination = map.find("coordination");
    const auto kind = map.parsed(coordination, as_text);
    if (kind && *kind == "consumer_group") {
      reader_.error(*coordination, "consumer_group is not yet supported (none)");
    } else if (kind && *kind != "none") {
      reader_.error(*coordination, "is not a kind of coordination (none)");
    }
    for (const char* key : {"consumer_group", "consumer"}) {
      const auto value = map.find(key);
      if (value && !(kind && *kind == "consumer_group")) {
        reader_.error(*value, "belongs to coordination: consumer_group (leave it out)");
      }
    }
  }

  void check_routes(const stages::source_options& source, const std::vector<config_value>& logstores) {
    for (std::size_t i = 0; i < logstores.size(); ++i) {
      const auto [first, fresh] = routes_.emplace(
          std::tuple(source.account, source.project, source.logstores[i], source.to), logstores[i].line);
      if (fresh) continue;
      reader_.error(logstores[i], "duplicate of the logstore on line " + std::to_string(first->second) +
                                      " (each account, project, logstore and destination once)");
    }
  }

  // --- destinations ---

  void read_destination(const config_value& item) {
    config_map map(reader_, item);
    stages::destination_options destination;
    read_name(map, destination);
    const auto type = map.require("type", "sentinel or null");
    const auto kind = map.parsed(type, stages::parse_destination_type);
    if (!kind && map.parsed(type, as_text) == "file") {
      // Said to come later: what else it needs is not known yet.
    } else if (kind == stages::destination_type::null) {
      destination.type = *kind;
      assign(destination.format, map.parsed(map.find("format"), stages::parse_row_format));
      map.finish();
    } else {  // without a type that is known, the one that nearly everybody means: its mistakes are listed as well
      read_sentinel(map, destination);
      map.finish();
    }
    config_.destinations.push_back(std::move(destination));
  }

  void read_name(config_map& map, stages::destination_options& destination) {
    const auto value = map.require("name", "a name that sources refer to");
    auto name = map.parsed(value, stages::parse_destination_name);
    if (!name) return;
    const auto [first, fresh] = destinations_.emplace(*name, *value);
    if (!fresh) {
      reader_.error(*value, "duplicate name (once; it is also on line " + std::to_string(first->second.line) + ")");
    }
    destination.name = *std::move(name);
  }

  void read_sentinel(config_map& map, stages::destination_options& destination) {
    assign(destination.endpoint, read_endpoint(map, map.require("endpoint", "the logs ingestion endpoint")));
    assign(destination.rule, map.parsed(map.require("rule", "dcr- and 32 hex digits"), stages::parse_rule));
    assign(destination.stream, map.parsed(map.require("stream", "Custom-..."), stages::parse_stream));
    assign(destination.format, map.parsed(map.require("format", "value or typed"), stages::parse_row_format));
    if (const auto value = map.require("credentials", "a map with a type")) {
      read_client_secret(*value, destination.credentials);
    }
    // The login host of the cloud that the endpoint belongs to, unless another is named.
    if (auto login = stages::parse_endpoint(stages::azure::cloud_of(destination.endpoint.host).authority)) {
      destination.authority = *std::move(login);
    }
    if (const auto authority = map.find("authority")) assign(destination.authority, read_endpoint(map, authority));
    destination.tls = common_tls_;
    if (const auto tls = map.find("tls")) destination.tls = read_tls(*tls);
  }

  void read_client_secret(const config_value& value, stages::client_secret_options& credentials) {
    config_map map(reader_, value);
    const auto type = map.require("type", "client_secret");
    const auto name = map.parsed(type, as_text);
    if (name && *name != "client_secret") return reader_.error(*type, "is not a type of credentials (client_secret)");
    assign(credentials.tenant, map.parsed(map.require("tenant", "its id or domain name"), stages::parse_tenant));
    assign(credentials.client_id,
           map.parsed(map.require("client_id", "the application's id"), stages::parse_client_id));
    assign(credentials.client_secret, secret_of(map.require("client_secret", "${env:NAME} or ${file:PATH}")));
    map.finish();
  }

  void warn_about_unused() {
    for (const auto& [name, where] : destinations_) {
      if (!used_.contains(name))
        reader_.warning(where, "no source sends here (remove it, or name it in a source's to)");
    }
  }

  const load_request& request_;
  config_reader& reader_;
  std::filesystem::path directory_;
  stages::config config_;
  stages::tls_options common_tls_;  // the document's own, where a source or destination has none
  loaded_tuning tuning_;
  std::map<std::string, config_value> destinations_;  // by name: where the first of that name is
  std::set<std::string> used_;
  std::map<std::tuple<std::string, std::string, std::string, std::string>, std::size_t> routes_;
};

loaded_config load(const load_request& request, const std::expected<std::string_view, std::string>& yaml) {
  const engine::secret_source secrets(std::filesystem::path(request.file).parent_path(), request.environment);
  config_reader reader(request.file, secrets);
  config_loader loader(request, reader);
  if (!yaml) reader.error(1, "document", yaml.error() + " (a YAML file of at most 4MiB)");
  const auto root = yaml ? reader.parse(*yaml) : std::nullopt;
  if (root) {
    loader.read(*root);
  } else {
    loader.read_without_file();
  }
  loaded_config out;
  out.errors = reader.errors();
  out.warnings = reader.warnings();
  out.tuning = loader.take_tuning();
  if (!reader.failed()) out.config = loader.take_config();
  return out;
}

}  // namespace

load_request request_of_process(std::string file, std::map<std::string, std::string> flags) {
  return {std::move(file), std::move(flags), engine::process_environment(), std::thread::hardware_concurrency()};
}

loaded_config load_config(const load_request& request) {
  const auto text = engine::read_small_file(request.file, engine::config_bytes_max);
  if (!text) return load(request, std::unexpected(text.error()));
  return load(request, std::string_view(*text));
}

loaded_config load_config_text(std::string_view yaml, const load_request& request) { return load(request, yaml); }

}  // namespace penstock
