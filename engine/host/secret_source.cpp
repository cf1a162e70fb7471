#include "engine/host/secret_source.hpp"

#include <algorithm>
#include <cstdlib>

#include "engine/host/small_file.hpp"

namespace engine {
namespace {

constexpr std::string_view allowed = " (${env:NAME} or ${file:PATH})";

std::unexpected<std::string> problem(std::string what) {
  return std::unexpected(std::move(what) + std::string(allowed));
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

std::expected<secret, std::string> checked(const std::string& name, std::string value) {
  while (!value.empty() && (value.back() == '\n' || value.back() == '\r')) value.pop_back();
  secret held(std::move(value));
  if (held.empty()) return problem(name + " is empty");
  if (std::ranges::any_of(held.reveal(), is_control)) return problem(name + " has a line break or control character");
  return held;
}

}  // namespace

environment_lookup process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

secret_source::secret_source(std::filesystem::path directory, environment_lookup environment)
    : directory_(std::move(directory)), environment_(std::move(environment)) {}

bool secret_source::is_reference(std::string_view text) { return text.find("${") != std::string_view::npos; }

std::expected<secret, std::string> secret_source::resolve(std::string_view reference) const {
  const bool whole =
      reference.starts_with("${") && reference.ends_with('}') && reference.find('}') + 1 == reference.size();
  if (!whole) return problem("a reference must be the whole value");
  const std::string_view inside = reference.substr(2, reference.size() - 3);
  const std::size_t colon = inside.find(':');
  const std::string_view kind = inside.substr(0, colon);
  const std::string target(colon == std::string_view::npos ? std::string_view() : inside.substr(colon + 1));
  if (colon == std::string_view::npos || (kind != "env" && kind != "file")) return problem("unknown kind of reference");
  if (target.empty()) return problem("the reference names nothing");
  if (std::ranges::any_of(target, is_control)) return problem("the reference has a control character");
  return kind == "env" ? from_environment(target) : from_file(target);
}

std::expected<secret, std::string> secret_source::from_environment(const std::string& name) const {
  const std::string shown = "environment variable " + name;
  auto value = environment_(name);
  if (!value) return problem(shown + " is not set");
  return checked(shown, *std::move(value));
}

std::expected<secret, std::string> secret_source::from_file(const std::string& path) const {
  const std::filesystem::path full = directory_ / path;
  const std::string shown = "file " + full.string();
  auto text = read_small_file(full, secret_file_bytes_max);
  if (!text) return problem(shown + " " + text.error());
  return checked(shown, *std::move(text));
}

}  // namespace engine
