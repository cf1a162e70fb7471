// Any text as a configuration: it is taken or refused with problems that have a line, and nothing else happens.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "tools/penstock/load_config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  penstock::load_request request;
  request.file = "/nonexistent/penstock.yaml";
  request.environment = [](const std::string& name) -> std::optional<std::string> {
    if (name.starts_with("PENSTOCK_")) return std::nullopt;
    return name;
  };
  const std::string_view yaml(reinterpret_cast<const char*>(data), size);
  const penstock::loaded_config loaded = penstock::load_config_text(yaml, request);
  if (loaded.config.has_value() != loaded.errors.empty()) std::abort();
  for (const std::string& error : loaded.errors) {
    if (!error.starts_with(request.file) || error.find('\n') != std::string::npos) std::abort();
  }
  return 0;
}
