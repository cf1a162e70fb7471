#include "log_query.hpp"

#include <algorithm>

namespace emulator::sls {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lowered(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

bool contains(std::string_view text, std::string_view wanted) {
  const auto same = [](char a, char b) { return lower(a) == b; };
  return std::ranges::search(text, wanted, same).begin() != text.end() || wanted.empty();
}

// Words and quoted texts; ':' stands alone.
outcome<std::vector<std::string>> tokens_of(std::string_view text) {
  std::vector<std::string> tokens;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == ' ' || text[i] == '\t' || text[i] == '\n') {
      ++i;
    } else if (text[i] == ':') {
      tokens.emplace_back(":");
      ++i;
    } else if (text[i] == '"' || text[i] == '\'') {
      const auto end = text.find(text[i], i + 1);
      if (end == text.npos) return refuse(400, "ParameterInvalid", "ParseError: a quote is not closed");
      tokens.push_back("\"" + std::string(text.substr(i + 1, end - i - 1)));
      i = end + 1;
    } else {
      const auto end = std::min(text.find_first_of(" \t\n:\"'", i), text.size());
      tokens.emplace_back(text.substr(i, end - i));
      i = end;
    }
  }
  return tokens;
}

std::string unquoted(const std::string& token) { return token.starts_with('"') ? token.substr(1) : token; }

}  // namespace

outcome<log_query> log_query::parse(std::string_view text) {
  if (text.find_first_of("|()") != text.npos) {
    return refuse(400, "ParameterInvalid", "only `*`, keywords and key: value are supported");
  }
  const auto tokens = tokens_of(text);
  if (!tokens) return std::unexpected(tokens.error());
  log_query query;
  for (std::size_t i = 0; i < tokens->size(); ++i) {
    const auto& token = (*tokens)[i];
    const auto word = lowered(token);
    if (word == "and" || word == "*") continue;
    if (word == "or" || word == "not" || token == ":") {
      return refuse(400, "ParameterInvalid", "only `*`, keywords and key: value are supported");
    }
    if (i + 2 < tokens->size() && (*tokens)[i + 1] == ":") {
      const auto value = lowered(unquoted((*tokens)[i + 2]));
      query.terms_.push_back({unquoted(token), value == "*" ? "" : value});
      i += 2;
    } else {
      query.terms_.push_back({"", lowered(unquoted(token))});
    }
  }
  return query;
}

bool log_query::matches(const std::vector<std::pair<std::string, std::string>>& fields) const {
  return std::ranges::all_of(terms_, [&](const term& t) {
    return std::ranges::any_of(fields, [&](const auto& field) {
      return (t.key.empty() || t.key == field.first) && contains(field.second, t.value);
    });
  });
}

}  // namespace emulator::sls
