#include "engine/host/config_reader.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "engine/base/utf8.hpp"

namespace engine {

struct config_node {
  enum class kind { empty, scalar, list, map };
  struct entry {
    std::string key;
    std::size_t line;
    std::shared_ptr<const config_node> value;
  };
  kind type = kind::empty;
  std::size_t line = 1;
  std::size_t weight = 1;  // nodes below and including this one, aliases counted as what they stand for
  std::string text;
  std::vector<std::shared_ptr<const config_node>> items;
  std::vector<entry> entries;
};

namespace {

using node_ptr = std::shared_ptr<config_node>;

struct refused {  // our own limits, thrown through the library's parser
  std::size_t line;
  std::string problem;
};

std::size_t line_of(const YAML::Mark& mark) { return static_cast<std::size_t>(std::max(mark.line, 0)) + 1; }

// The words of the source at a position, because the library says only "null" for `null`, `~` and nothing at all.
class source_lines {
 public:
  explicit source_lines(std::string_view text) : text_(text) {
    starts_.push_back(0);
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') starts_.push_back(i + 1);
    }
  }
  [[nodiscard]] std::string_view at(const YAML::Mark& mark) const {
    const std::size_t line = line_of(mark) - 1;
    if (line >= starts_.size()) return {};
    const std::string_view rest = text_.substr(starts_[line]);
    const auto column = static_cast<std::size_t>(std::max(mark.column, 0));
    return column < rest.size() ? rest.substr(column) : std::string_view();
  }

 private:
  std::string_view text_;
  std::vector<std::size_t> starts_;
};

// Builds the tree from the library's events, which cost no memory of their own, unlike its node graph.
class tree_builder final : public YAML::EventHandler {
 public:
  explicit tree_builder(std::string_view text) : source_(text) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const std::string_view words = source_.at(mark);
    auto node = start(mark, anchor, config_node::kind::empty);
    for (const std::string_view spelling : {"null", "Null", "NULL", "~"}) {
      if (!words.starts_with(spelling)) continue;
      node->type = config_node::kind::scalar;
      node->text = "null";
    }
    complete(node, anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw refused{line_of(mark), "an alias stands inside what it refers to"};
    count(mark, found->second->weight);
    attach(mark, found->second);
  }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor, const std::string& value) override {
    auto node = start(mark, anchor, config_node::kind::scalar);
    node->text = value;
    complete(node, anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, anchor, config_node::kind::list);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, anchor, config_node::kind::map);
  }
  void OnMapEnd() override { close(); }

  [[nodiscard]] node_ptr root() const { return root_; }

 private:
  struct level {
    node_ptr node;
    YAML::anchor_t anchor;
    YAML::Mark mark;
    std::optional<config_node::entry> pending;  // a key that waits for its value
  };

  void count(const YAML::Mark& mark, std::size_t nodes) {
    if (nodes > config_nodes_max - count_) {
      throw refused{line_of(mark), "more values than a configuration may have (at most " +
                                       std::to_string(config_nodes_max) + ", aliases counted at every use)"};
    }
    count_ += nodes;
  }
  node_ptr start(const YAML::Mark& mark, YAML::anchor_t, config_node::kind type) {
    count(mark, 1);
    auto node = std::make_shared<config_node>();
    node->type = type;
    node->line = line_of(mark);
    last_mark_ = mark;
    return node;
  }
  void open(const YAML::Mark& mark, YAML::anchor_t anchor, config_node::kind type) {
    if (open_.size() >= config_depth_max) {
      throw refused{line_of(mark), "nested too deeply (at most " + std::to_string(config_depth_max) + " levels)"};
    }
    if (!open_.empty() && open_.back().node->type == config_node::kind::map && !open_.back().pending) {
      throw refused{line_of(mark), "a list or map stands where a key should be, or its end is missing"};
    }
    open_.push_back({start(mark, anchor, type), anchor, mark, std::nullopt});
  }
  void close() {
    level done = std::move(open_.back());
    open_.pop_back();
    last_mark_ = done.mark;
    complete(done.node, done.anchor);
  }
  void complete(const node_ptr& node, YAML::anchor_t anchor) {
    if (anchor != 0) anchors_[anchor] = node;
    attach(last_mark_, node);
  }
  void attach(const YAML::Mark& mark, const std::shared_ptr<const config_node>& node) {
    if (open_.empty()) {
      root_ = std::const_pointer_cast<config_node>(node);
      return;
    }
    level& parent = open_.back();
    if (parent.node->type == config_node::kind::list) {
      parent.node->weight += node->weight;
      parent.node->items.push_back(node);
    } else if (parent.pending) {
      parent.node->weight += node->weight;
      parent.pending->value = node;
      parent.node->entries.push_back(*std::move(parent.pending));
      parent.pending.reset();
    } else {
      if (node->type != config_node::kind::scalar) throw refused{line_of(mark), "a key must be text"};
      parent.pending = config_node::entry{node->text, line_of(mark), nullptr};
    }
  }

  source_lines source_;
  node_ptr root_;
  std::vector<level> open_;
  std::map<YAML::anchor_t, node_ptr> anchors_;
  std::size_t count_ = 0;
  YAML::Mark last_mark_;
};

// What the YAML library had better not see at all. Before it knows whether a bracket opens a key it reads on to the
// closing one and keeps some 250 bytes for every mark of the syntax, hence the limit on those.
std::optional<refused> unfit(std::string_view yaml) {
  if (yaml.size() > config_bytes_max) return refused{1, "is too large (at most " + format_size(config_bytes_max) + ")"};
  constexpr std::string_view syntax = "[]{},:&*!?";
  std::size_t line = 1;
  std::size_t marks = 0;
  while (!yaml.empty()) {
    const code_point c = first_code_point(yaml);
    if (!c.valid || c.value == 0) return refused{line, "is not text (YAML in UTF-8)"};
    if (c.value == '\n') ++line;
    if (c.value < 0x80 && syntax.find(yaml.front()) != std::string_view::npos && ++marks > config_marks_max) {
      return refused{line, "has too many values (at most " + std::to_string(config_nodes_max) + ")"};
    }
    yaml.remove_prefix(c.size);
  }
  return std::nullopt;
}

// A name from the file as part of a path: without control characters, and short.
std::string shown(std::string_view key) {
  constexpr std::size_t key_bytes_max = 64;
  std::string out;
  for (const char c : key.substr(0, key_bytes_max)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  if (key.size() > key_bytes_max) out += "...";
  return out;
}

std::string joined(const std::string& path, std::string_view key) {
  return path.empty() ? shown(key) : path + '.' + shown(key);
}

config_value child(const std::string& path, const config_node::entry& entry) {
  // A map or list is known by its key; a text may stand on a line of its own.
  const bool is_text = entry.value->type == config_node::kind::scalar;
  return {entry.value, path, is_text ? entry.value->line : entry.line};
}

}  // namespace

bool config_value::is_list() const { return node->type == config_node::kind::list; }

std::vector<config_value> config_value::items() const {
  if (!is_list()) return {*this};
  std::vector<config_value> all;
  all.reserve(node->items.size());
  for (std::size_t i = 0; i < node->items.size(); ++i) {
    all.push_back({node->items[i], path + '[' + std::to_string(i) + ']', node->items[i]->line});
  }
  return all;
}

config_reader::config_reader(std::string file_name, const secret_source& secrets)
    : file_name_(std::move(file_name)), secrets_(secrets) {}

std::optional<config_value> config_reader::parse(std::string_view yaml) {
  constexpr std::string_view document = "document";
  if (const auto problem = unfit(yaml)) {
    error(problem->line, document, problem->problem);
    return std::nullopt;
  }
  tree_builder builder(yaml);
  try {
    std::istringstream stream{std::string(yaml)};
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    tree_builder second("");
    if (builder.root() != nullptr && parser.HandleNextDocument(second)) {
      error(1, document, "has several YAML documents (exactly one)");
      return std::nullopt;
    }
  } catch (const refused& limit) {
    error(limit.line, document, "not acceptable YAML: " + limit.problem);
    return std::nullopt;
  } catch (const YAML::Exception& e) {
    error(line_of(e.mark), document, "not valid YAML: " + shown(e.msg) + " (YAML 1.2)");
    return std::nullopt;
  } catch (const std::exception&) {  // the library also lets standard exceptions out on odd escapes and tags
    error(1, document, "not valid YAML (YAML 1.2)");
    return std::nullopt;
  }
  const node_ptr root = builder.root();
  if (root == nullptr || root->type == config_node::kind::empty) {
    error(1, document, "is empty (a map with sources, destinations and state)");
    return std::nullopt;
  }
  return config_value{root, "", 1};
}

std::optional<std::string> config_reader::text(const config_value& value) {
  if (value.node->type != config_node::kind::scalar) {
    error(value, "has the wrong type (text)");
    return std::nullopt;
  }
  const std::string& literal = value.node->text;
  if (!secret_source::is_reference(literal)) {
    if (literal.empty()) {
      error(value, "is empty (text)");
      return std::nullopt;
    }
    return literal;
  }
  auto resolved = secrets_.resolve(literal);
  if (!resolved) {
    error(value, resolved.error());
    return std::nullopt;
  }
  return std::string(resolved->reveal());
}

std::optional<secret> config_reader::secret_text(const config_value& value) {
  auto found = text(value);
  if (!found) return std::nullopt;
  if (!secret_source::is_reference(value.node->text)) {
    warning(value, "a secret is written in the file (better ${env:NAME} or ${file:PATH})");
  }
  return secret(*std::move(found));
}

void config_reader::error(std::size_t line, std::string_view path, std::string text) {
  if (errors_.size() < config_problems_max) {
    errors_.push_back({line, std::string(path), std::move(text)});
  } else {
    ++errors_cut_;
  }
}

void config_reader::warning(std::size_t line, std::string_view path, std::string text) {
  if (warnings_.size() < config_problems_max) {
    warnings_.push_back({line, std::string(path), std::move(text)});
  } else {
    ++warnings_cut_;
  }
}

std::vector<std::string> config_reader::lines(const std::vector<config_problem>& problems, std::size_t cut) const {
  std::multimap<std::size_t, const config_problem*> by_line;  // equal lines stay in the order of reporting
  for (const config_problem& problem : problems) by_line.emplace(problem.line, &problem);
  std::vector<std::string> out;
  for (const auto& [line, problem] : by_line) {
    const std::string where = problem->line == 0 ? "" : file_name_ + ':' + std::to_string(problem->line) + ": ";
    out.push_back(where + (problem->path.empty() ? "document" : problem->path) + ": " + problem->text);
  }
  if (cut > 0) out.push_back(file_name_ + ": " + std::to_string(cut) + " more problems are not shown");
  return out;
}

config_map::config_map(config_reader& reader, const config_value& value) : reader_(reader), value_(value) {
  is_map_ = value.node->type == config_node::kind::map;
  if (!is_map_) {
    reader_.error(value, "has the wrong type (a map of keys and values)");
    return;
  }
  std::map<std::string_view, std::size_t> first_line;
  for (const auto& entry : value.node->entries) {
    const auto [found, fresh] = first_line.emplace(entry.key, entry.line);
    if (fresh) continue;
    reader_.error(entry.line, joined(value.path, entry.key),
                  "duplicate key (once; it is also on line " + std::to_string(found->second) + ")");
  }
}

std::optional<config_value> config_map::find(std::string_view key) {
  if (std::ranges::find(known_, key) == known_.end()) known_.emplace_back(key);
  if (!is_map_) return std::nullopt;
  const auto entry = std::ranges::find(value_.node->entries, key, &config_node::entry::key);
  if (entry == value_.node->entries.end()) return std::nullopt;
  config_value found = child(joined(value_.path, key), *entry);
  if (found.node->type != config_node::kind::empty) return found;
  reader_.error(found, "has no value (a value, or leave the key out)");
  return std::nullopt;
}

std::optional<config_value> config_map::require(std::string_view key, std::string_view allowed) {
  auto found = find(key);
  if (found || !is_map_) return found;
  const bool present =
      std::ranges::find(value_.node->entries, key, &config_node::entry::key) != value_.node->entries.end();
  if (!present) {
    reader_.error(value_.line, joined(value_.path, key), "missing (" + std::string(allowed) + ")");
  }
  return std::nullopt;
}

void config_map::finish() {
  if (!is_map_) return;
  std::string allowed;
  for (const std::string& key : known_) allowed += (allowed.empty() ? "" : ", ") + key;
  std::set<std::string_view> reported;
  for (const auto& entry : value_.node->entries) {
    if (std::ranges::find(known_, entry.key) != known_.end() || !reported.insert(entry.key).second) continue;
    reader_.error(entry.line, joined(value_.path, entry.key), "unknown key (allowed: " + allowed + ")");
  }
}

}  // namespace engine
