#include "spoil_rows.hpp"

#include <array>
#include <vector>

namespace emulator {

namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The objects of the array, each as a piece of body.
std::vector<std::string_view> rows_of(std::string_view body) {
  std::vector<std::string_view> rows;
  std::size_t depth = 0;
  std::size_t from = 0;
  for (std::size_t i = 0; i < body.size(); ++i) {
    const char c = body[i];
    if (c == '"') {
      for (++i; i < body.size() && body[i] != '"'; ++i) {
        if (body[i] == '\\') ++i;
      }
    } else if (c == '{' || c == '[') {
      if (++depth == 2) from = i;
    } else if (c == '}' || c == ']') {
      if (depth-- == 2) rows.push_back(body.substr(from, i + 1 - from));
    }
  }
  return rows;
}

// A letter or digit inside the value of a member that almost every event has, where a change breaks neither the JSON
// nor the id. In `value` rows the quotes around it are escaped; the text between name and value is the same but for
// that.
std::optional<std::size_t> changeable_byte(std::string_view row, std::uint64_t draw) {
  constexpr std::array<std::string_view, 5> members = {"requestId", "eventSource", "userAgent", "eventType",
                                                       "acsRegion"};
  for (const std::string_view name : members) {
    for (const std::string_view quote : {"\"", "\\\""}) {
      std::string opening(quote);
      opening.append(name).append(quote).append(":").append(quote);
      const auto at = row.find(opening);
      if (at == row.npos) continue;
      const std::size_t from = at + opening.size();
      std::size_t to = from;
      while (to < row.size() && (is_letter(row[to]) || is_digit(row[to]))) ++to;
      if (to > from) return from + static_cast<std::size_t>(draw % (to - from));
    }
  }
  return std::nullopt;
}

char changed(char c) {
  if (c == '9') return '0';
  if (c == 'z') return 'a';
  if (c == 'Z') return 'A';
  return static_cast<char>(c + 1);
}

std::optional<std::string> alter_byte(std::string_view body, const std::vector<std::string_view>& rows,
                                      std::uint64_t draw) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string_view row = rows[static_cast<std::size_t>((draw + i) % rows.size())];
    const auto at = changeable_byte(row, draw / rows.size());
    if (!at) continue;
    std::string out(body);
    char& byte = out[static_cast<std::size_t>(row.data() - body.data()) + *at];
    byte = changed(byte);
    return out;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> spoil_rows(std::string_view body, fault_kind kind, std::uint64_t draw) {
  const bool spoils = kind == fault_kind::drop_row || kind == fault_kind::alter_byte || kind == fault_kind::double_row;
  if (!spoils) return std::nullopt;
  const auto rows = rows_of(body);
  if (rows.empty()) return std::nullopt;
  if (kind == fault_kind::alter_byte) return alter_byte(body, rows, draw);

  const std::size_t chosen = static_cast<std::size_t>(draw % rows.size());
  std::string out = "[";
  const auto append = [&](std::string_view row) {
    if (out.size() > 1) out += ',';
    out += row;
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i != chosen || kind == fault_kind::double_row) append(rows[i]);
    if (i == chosen && kind == fault_kind::double_row) append(rows[i]);
  }
  return out += ']';
}

}  // namespace emulator
