// A YAML document as typed values that know their path and line, and the list of everything wrong with it.
//
// Nothing stops at the first mistake: every lookup reports into the reader and the caller goes on. A problem reads
// `FILE:LINE: path.to.key: problem (what is allowed)` and never repeats a value, which might be a secret.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/secret.hpp"
#include "engine/base/units.hpp"
#include "engine/host/secret_source.hpp"

namespace engine {

inline constexpr std::size_t config_bytes_max = 4 * mib;
inline constexpr std::size_t config_depth_max = 32;
inline constexpr std::size_t config_nodes_max = 200'000;  // every use of an alias counts with all it stands for
inline constexpr std::size_t config_marks_max = 2 * config_nodes_max;  // of []{},:&*!? in the text
inline constexpr std::size_t config_problems_max = 1'000;

struct config_node;  // the parsed tree; an anchor's node is shared by all its aliases

// One value of the document. Cheap to copy; keeps the tree alive.
struct config_value {
  std::shared_ptr<const config_node> node;
  std::string path;      // "sources[0].endpoint"
  std::size_t line = 1;  // of the value; of its key for maps and lists

  [[nodiscard]] bool is_list() const;
  [[nodiscard]] std::vector<config_value> items() const;  // of a list; of anything else itself alone
};

struct config_problem {
  std::size_t line;  // 0: not from the file (a flag, the environment); such lines come first and have no FILE:LINE
  std::string path;
  std::string text;
};

class config_reader {
 public:
  // `file_name` is how problems name the file. `secrets` outlives the reader.
  config_reader(std::string file_name, const secret_source& secrets);

  // The document's root, or nullopt with the problem reported. Never throws on data.
  std::optional<config_value> parse(std::string_view yaml);

  // The text with its reference resolved. Missing text, lists and maps are reported as wrong type.
  std::optional<std::string> text(const config_value&);
  // The same; a literal is warned about.
  std::optional<secret> secret_text(const config_value&);

  void error(std::size_t line, std::string_view path, std::string text);
  void error(const config_value& at, std::string text) { error(at.line, at.path, std::move(text)); }
  void warning(std::size_t line, std::string_view path, std::string text);
  void warning(const config_value& at, std::string text) { warning(at.line, at.path, std::move(text)); }

  [[nodiscard]] bool failed() const { return !errors_.empty(); }
  [[nodiscard]] std::vector<std::string> errors() const { return lines(errors_, errors_cut_); }  // sorted by line
  [[nodiscard]] std::vector<std::string> warnings() const { return lines(warnings_, warnings_cut_); }

 private:
  [[nodiscard]] std::vector<std::string> lines(const std::vector<config_problem>&, std::size_t cut) const;

  std::string file_name_;
  const secret_source& secrets_;
  std::vector<config_problem> errors_;
  std::vector<config_problem> warnings_;
  std::size_t errors_cut_ = 0;  // beyond config_problems_max
  std::size_t warnings_cut_ = 0;
};

// Lookup in one map of the document. Duplicate keys are reported at once, unknown ones by finish().
class config_map {
 public:
  // Reports anything that is not a map; lookups then find nothing and report nothing more.
  config_map(config_reader&, const config_value&);

  // nullopt when the key is absent or its value empty (reported).
  std::optional<config_value> find(std::string_view key);
  // The same; an absent key is reported on the map's line. `allowed` says what belongs there.
  std::optional<config_value> require(std::string_view key, std::string_view allowed);

  // The value as text, through `parse`: std::string_view -> std::expected<T, std::string>.
  template <class Parse>
  auto parsed(const std::optional<config_value>& value, Parse parse)
      -> std::optional<typename decltype(parse(std::string_view()))::value_type> {
    if (!value) return std::nullopt;
    const auto text = reader_.text(*value);
    if (!text) return std::nullopt;
    auto result = parse(std::string_view(*text));
    if (!result) {
      reader_.error(*value, result.error());
      return std::nullopt;
    }
    return *std::move(result);
  }

  // Reports every key that nobody has asked for.
  void finish();

  [[nodiscard]] const config_value& value() const { return value_; }
  [[nodiscard]] config_reader& reader() { return reader_; }

 private:
  config_reader& reader_;
  config_value value_;
  bool is_map_ = false;
  std::vector<std::string> known_;
};

}  // namespace engine
