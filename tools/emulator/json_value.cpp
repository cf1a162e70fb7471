#include "json_value.hpp"

#include <algorithm>
#include <charconv>

#include "json_sax.hpp"

namespace emulator {

namespace {

constexpr std::size_t depth_max = 64;

// Containers under construction lie on a stack; a finished value moves into the one below.
struct tree_builder {
  const json_position* position = nullptr;
  std::vector<json_value> open;
  std::optional<json_value> root;

  bool add(json_value value) {
    if (open.empty()) {
      root = std::move(value);
    } else {
      open.back().items.push_back(std::move(value));
    }
    return true;
  }
  bool begin(json_value::kind type) {
    if (open.size() >= depth_max) return false;
    open.emplace_back().type = type;
    return true;
  }
  bool end() {
    json_value done = std::move(open.back());
    open.pop_back();
    return add(std::move(done));
  }
  bool text(json_value::kind type, const char* bytes, rapidjson::SizeType size) {
    json_value value;
    value.type = type;
    value.text.assign(bytes, size);
    return add(std::move(value));
  }

  bool Null() { return add({}); }
  bool Bool(bool truth) {
    json_value value;
    value.type = json_value::kind::boolean;
    value.truth = truth;
    return add(std::move(value));
  }
  // Numbers come as text (RawNumber); RapidJSON wants these to exist.
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(std::int64_t) { return false; }
  bool Uint64(std::uint64_t) { return false; }
  bool Double(double) { return false; }
  bool RawNumber(const char* bytes, rapidjson::SizeType size, bool) {
    return text(json_value::kind::number, bytes, size);
  }
  bool String(const char* bytes, rapidjson::SizeType size, bool) { return text(json_value::kind::string, bytes, size); }
  bool StartObject() { return begin(json_value::kind::object); }
  bool Key(const char* bytes, rapidjson::SizeType size, bool) {
    open.back().names.emplace_back(bytes, size);
    return true;
  }
  bool EndObject(rapidjson::SizeType) { return end(); }
  bool StartArray() { return begin(json_value::kind::array); }
  bool EndArray(rapidjson::SizeType) { return end(); }
};

template <class T>
std::optional<T> whole_token(const std::string& token) {
  T value{};
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), value);
  if (error != std::errc{} || end != token.data() + token.size()) return std::nullopt;
  return value;
}

}  // namespace

const json_value* json_value::find(std::string_view name) const {
  const auto found = std::ranges::find(names, name);
  return found == names.end() ? nullptr : &items[static_cast<std::size_t>(found - names.begin())];
}

std::optional<double> json_value::number() const {
  return type == kind::number ? whole_token<double>(text) : std::nullopt;
}

std::optional<std::int64_t> json_value::integer() const {
  return type == kind::number ? whole_token<std::int64_t>(text) : std::nullopt;
}

std::optional<json_value> parse_json(std::string_view text) {
  std::string copy(text);
  tree_builder builder;
  if (parse_in_place(copy, builder) != json_outcome::ok) return std::nullopt;
  return std::move(builder.root);
}

}  // namespace emulator
