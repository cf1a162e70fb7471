#include "engine/host/config_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const secret_source secrets("/nowhere", [](const std::string& name) -> std::optional<std::string> {
  if (name == "SET") return "from env";
  return std::nullopt;
});

// The only error of a document that cannot be read.
std::string parse_error(std::string_view yaml) {
  config_reader reader("f.yaml", secrets);
  if (reader.parse(yaml)) return "no error";
  const auto errors = reader.errors();
  return errors.size() == 1 ? errors[0] : "not one error";
}

TEST(config_reader, finds_texts_with_path_and_line) {
  config_reader reader("f.yaml", secrets);
  const auto root = reader.parse("# a comment\na: one\nb:\n  c: 'two'\n");
  ASSERT_TRUE(root);
  config_map map(reader, *root);
  const auto a = map.find("a");
  ASSERT_TRUE(a);
  EXPECT_EQ(a->path, "a");
  EXPECT_EQ(a->line, 2U);
  EXPECT_EQ(reader.text(*a), "one");
  const auto b = map.find("b");
  ASSERT_TRUE(b);
  EXPECT_EQ(b->line, 3U);
  config_map inner(reader, *b);
  const auto c = inner.find("c");
  ASSERT_TRUE(c);
  EXPECT_EQ(c->path, "b.c");
  EXPECT_EQ(c->line, 4U);
  EXPECT_EQ(reader.text(*c), "two");
  inner.finish();
  map.finish();
  EXPECT_THAT(reader.errors(), IsEmpty());
}

TEST(config_reader, numbers_the_items_of_a_list) {
  config_reader reader("f.yaml", secrets);
  const auto root = reader.parse("a: [x, y]\nb:\n  - p\n  - q\n");
  config_map map(reader, *root);
  const auto a = map.find("a")->items();
  ASSERT_THAT(a, SizeIs(2));
  EXPECT_EQ(a[1].path, "a[1]");
  EXPECT_EQ(a[1].line, 1U);
  const auto b = map.find("b")->items();
  EXPECT_EQ(b[1].path, "b[1]");
  EXPECT_EQ(b[1].line, 4U);
  EXPECT_EQ(reader.text(b[1]), "q");
}

TEST(config_reader, reports_unknown_keys_with_what_is_allowed) {
  config_reader reader("f.yaml", secrets);
  const auto root = reader.parse("a: 1\nc: 2\n");
  config_map map(reader, *root);
  map.find("a");
  map.find("b");
  map.finish();
  EXPECT_THAT(reader.errors(), ElementsAre("f.yaml:2: c: unknown key (allowed: a, b)"));
}

TEST(config_reader, reports_duplicate_keys_on_the_second_line) {
  config_reader reader("f.yaml", secrets);
  const auto root = reader.parse("a: 1\nb: 2\na: 3\n");
  config_map map(reader, *root);
  EXPECT_EQ(reader.text(*map.find("a")), "1");
  map.find("b");
  map.finish();
  EXPECT_THAT(reader.errors(), ElementsAre("f.yaml:3: a: duplicate key (once; it is also on line 1)"));
}

TEST(config_reader, reports_a_missing_key_on_its_parents_line) {
  config_reader reader("f.yaml", secrets);
  const auto root = reader.parse("\nouter:\n  a: 1\n");
  config_map map(reader, *root);
  EXPECT_EQ(map.require("top", "a top"), std::nullopt);
  config_map outer(reader, *map.find("outer"));
  EXPECT_EQ(outer.require("b", "some text"), std::nullopt);
  EXPECT_THAT(reader.errors(), ElementsAre("f.yaml:1: top: missing (a top)", "f.yaml:2: outer.b: missing (some text)"));
}

TEST(config_reader, reports_keys_without_value) {
  config_reader reader("f.yaml", secrets);
  const auto root = reader.parse("a:\nb: ''\n");
  config_map map(reader, *root);
  EXPECT_EQ(map.require("a", "some text"), std::nullopt);
  EXPECT_EQ(reader.text(*map.find("b")), std::nullopt);
  EXPECT_THAT(reader.errors(),
              ElementsAre("f.yaml:1: a: has no value (a value, or leave the key out)", "f.yaml:2: b: is empty (text)"));
}

TEST(config_reader, reads_the_word_null_as_a_text) {
  config_reader reader("f.yaml", secrets);
  const auto root = reader.parse("a: null\nb: {c: null, d: ~}\n");
  config_map map(reader, *root);
  EXPECT_EQ(reader.text(*map.find("a")), "null");
  config_map inner(reader, *map.find("b"));
  EXPECT_EQ(reader.text(*inner.find("c")), "null");
}

TEST(config_reader, reports_wrong_types) {
  config_reader reader("f.yaml", secrets);
  const auto root = reader.parse("a: [1]\nb: {c: 1}\nd: text\n");
  config_map map(reader, *root);
  EXPECT_EQ(reader.text(*map.find("a")), std::nullopt);
  EXPECT_EQ(reader.text(*map.find("b")), std::nullopt);
  config_map wrong(reader, *map.find("d"));
  EXPECT_EQ(wrong.require("x", "y"), std::nullopt);
  wrong.finish();
  EXPECT_THAT(reader.errors(),
              ElementsAre("f.yaml:1: a: has the wrong type (text)", "f.yaml:2: b: has the wrong type (text)",
                          "f.yaml:3: d: has the wrong type (a map of keys and values)"));
}

TEST(config_reader, reports_what_a_parser_of_values_says) {
  config_reader reader("f.yaml", secrets);
  const auto root = reader.parse("a: 5x\nb: 7s\n");
  config_map map(reader, *root);
  EXPECT_EQ(map.parsed(map.find("a"), parse_duration), std::nullopt);
  EXPECT_EQ(map.parsed(map.find("b"), parse_duration), std::chrono::seconds(7));
  EXPECT_EQ(map.parsed(map.find("c"), parse_duration), std::nullopt);
  EXPECT_THAT(reader.errors(), ElementsAre("f.yaml:1: a: is not a duration such as 500ms, 30s, 5m or 1h"));
}

TEST(config_reader, resolves_references_in_any_text) {
  config_reader reader("f.yaml", secrets);
  const auto root = reader.parse("a: ${env:SET}\nb: \"${env:UNSET}\"\nc: [\"${file:absent}\"]\n");
  config_map map(reader, *root);
  EXPECT_EQ(reader.text(*map.find("a")), "from env");
  EXPECT_EQ(reader.text(*map.find("b")), std::nullopt);
  EXPECT_EQ(reader.text(map.find("c")->items()[0]), std::nullopt);
  EXPECT_THAT(reader.errors(),
              ElementsAre("f.yaml:2: b: environment variable UNSET is not set (${env:NAME} or ${file:PATH})",
                          "f.yaml:3: c[0]: file /nowhere/absent cannot be read: No such file or directory "
                          "(${env:NAME} or ${file:PATH})"));
}

TEST(config_reader, warns_about_literal_secrets_and_repeats_none) {
  config_reader reader("f.yaml", secrets);
  const auto root = reader.parse("a: hunter2\nb: ${env:SET}\n");
  config_map map(reader, *root);
  EXPECT_EQ(reader.secret_text(*map.find("a")), secret("hunter2"));
  EXPECT_EQ(reader.secret_text(*map.find("b")), secret("from env"));
  EXPECT_FALSE(reader.failed());
  EXPECT_THAT(reader.warnings(),
              ElementsAre("f.yaml:1: a: a secret is written in the file (better ${env:NAME} or ${file:PATH})"));
}

TEST(config_reader, sorts_problems_by_line_and_puts_those_without_line_first) {
  config_reader reader("f.yaml", secrets);
  reader.error(10, "b", "x (y)");
  reader.error(9, "z", "x (y)");
  reader.error(10, "a", "x (y)");
  reader.error(0, "--flag", "x (y)");
  EXPECT_THAT(reader.errors(),
              ElementsAre("--flag: x (y)", "f.yaml:9: z: x (y)", "f.yaml:10: b: x (y)", "f.yaml:10: a: x (y)"));
}

TEST(config_reader, gives_the_line_of_yaml_that_cannot_be_read) {
  EXPECT_EQ(parse_error("a: 1\nb: [1, 2\nc: 3\n"),
            "f.yaml:3: document: not valid YAML: end of sequence flow not found (YAML 1.2)");
  EXPECT_EQ(parse_error("a: 1\n\tb: 2\n"),
            "f.yaml:2: document: not valid YAML: illegal tab when looking for indentation (YAML 1.2)");
  EXPECT_EQ(parse_error("a: *nothing\n"),
            "f.yaml:1: document: not valid YAML: the referenced anchor is not defined (YAML 1.2)");
}

TEST(config_reader, refuses_documents_that_are_empty_several_or_not_text) {
  const std::string empty = "f.yaml:1: document: is empty (a map with sources, destinations and state)";
  EXPECT_EQ(parse_error(""), empty);
  EXPECT_EQ(parse_error("# only a comment\n"), empty);
  EXPECT_EQ(parse_error("a: 1\n---\nb: 2\n"), "f.yaml:1: document: has several YAML documents (exactly one)");
  EXPECT_EQ(parse_error(std::string_view("a: 1\nb: \0\n", 10)), "f.yaml:2: document: is not text (YAML in UTF-8)");
  EXPECT_EQ(parse_error("a: \xff\n"), "f.yaml:1: document: is not text (YAML in UTF-8)");
}

TEST(config_reader, reports_a_root_that_is_not_a_map) {
  config_reader reader("f.yaml", secrets);
  config_map map(reader, *reader.parse("just text"));
  EXPECT_THAT(reader.errors(), ElementsAre("f.yaml:1: document: has the wrong type (a map of keys and values)"));
}

TEST(config_reader, refuses_keys_that_are_not_text) {
  EXPECT_EQ(
      parse_error("a: 1\n? [b]\n: 2\n"),
      "f.yaml:2: document: not acceptable YAML: a list or map stands where a key should be, or its end is missing");
}

TEST(config_reader, follows_aliases) {
  config_reader reader("f.yaml", secrets);
  const auto root = reader.parse("a: &x {k: v}\nb: *x\n");
  config_map map(reader, *root);
  config_map b(reader, *map.find("b"));
  EXPECT_EQ(reader.text(*b.find("k")), "v");
  EXPECT_EQ(map.find("b")->line, 2U);
}

TEST(config_reader, refuses_aliases_inside_what_they_refer_to) {
  EXPECT_EQ(parse_error("a: &x [*x]\n"),
            "f.yaml:1: document: not acceptable YAML: an alias stands inside what it refers to");
}

TEST(config_reader, refuses_aliases_that_multiply) {
  std::string yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 20; ++i) {
    const std::string one = "*a" + std::to_string(i - 1);
    yaml += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + one;
    for (int j = 1; j < 9; ++j) yaml += ", " + one;
    yaml += "]\n";
  }
  EXPECT_EQ(parse_error(yaml),
            "f.yaml:6: document: not acceptable YAML: more values than a configuration may have (at most "
            "200000, aliases counted at every use)");
}

TEST(config_reader, takes_32_levels_and_refuses_33) {
  const auto nested = [](std::size_t levels) {
    return "a: " + std::string(levels - 1, '[') + std::string(levels - 1, ']');
  };
  EXPECT_EQ(parse_error(nested(32)), "no error");
  EXPECT_EQ(parse_error(nested(33)), "f.yaml:1: document: not acceptable YAML: nested too deeply (at most 32 levels)");
  EXPECT_EQ(parse_error(nested(100'000)),
            "f.yaml:1: document: not acceptable YAML: nested too deeply (at most 32 levels)");
}

TEST(config_reader, refuses_what_is_too_large_to_look_at) {
  EXPECT_EQ(parse_error(std::string(config_bytes_max + 1, ' ')), "f.yaml:1: document: is too large (at most 4MiB)");
  EXPECT_EQ(parse_error("\n" + std::string(config_marks_max + 1, '[')),
            "f.yaml:2: document: has too many values (at most 200000)");
  std::string list = "a:\n";
  for (std::size_t i = 0; i < config_nodes_max; ++i) list += "- x\n";
  EXPECT_EQ(parse_error(list),
            "f.yaml:199999: document: not acceptable YAML: more values than a configuration may have (at "
            "most 200000, aliases counted at every use)");
}

TEST(config_reader, shows_a_bounded_number_of_problems) {
  config_reader reader("f.yaml", secrets);
  for (std::size_t i = 0; i < config_problems_max + 5; ++i) reader.error(1, "a", "x (y)");
  const auto errors = reader.errors();
  ASSERT_THAT(errors, SizeIs(config_problems_max + 1));
  EXPECT_EQ(errors.back(), "f.yaml: 5 more problems are not shown");
}

TEST(config_reader, shows_long_and_hostile_keys_shortened) {
  config_reader reader("f.yaml", secrets);
  const auto root = reader.parse("\"x\\ny\": 1\n" + std::string(100, 'k') + ": 1\n");
  config_map map(reader, *root);
  map.find("a");
  map.finish();
  EXPECT_THAT(reader.errors(), ElementsAre("f.yaml:1: x?y: unknown key (allowed: a)",
                                           "f.yaml:2: " + std::string(64, 'k') + "...: unknown key (allowed: a)"));
}

}  // namespace
}  // namespace engine
