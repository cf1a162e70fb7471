// Values kept out of the configuration file: `${env:NAME}` and `${file:PATH}`.
#pragma once

#include <expected>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/secret.hpp"
#include "engine/base/units.hpp"

namespace engine {

inline constexpr std::size_t secret_file_bytes_max = 64 * kib;

// The value of an environment variable; nullopt when it is not set.
using environment_lookup = std::function<std::optional<std::string>(const std::string& name)>;
environment_lookup process_environment();

// Thread-safe if the lookup is. Each call reads anew, so a reload sees rotated values.
class secret_source {
 public:
  // Relative paths in references start at `directory`.
  secret_source(std::filesystem::path directory, environment_lookup environment);

  // Whether the text asks for a reference, well formed or not: it contains "${".
  static bool is_reference(std::string_view text);
  // What the reference stands for, line ends at its end removed. The error is in words and never repeats a value. Empty
  // values and values with control characters are errors: they would break the request that carries them.
  [[nodiscard]] std::expected<secret, std::string> resolve(std::string_view reference) const;

 private:
  [[nodiscard]] std::expected<secret, std::string> from_environment(const std::string& name) const;
  [[nodiscard]] std::expected<secret, std::string> from_file(const std::string& path) const;

  std::filesystem::path directory_;
  environment_lookup environment_;
};

}  // namespace engine
