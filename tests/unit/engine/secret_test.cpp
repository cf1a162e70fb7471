#include "engine/base/secret.hpp"

#include <gtest/gtest.h>

#include <array>
#include <new>
#include <sstream>

namespace engine {
namespace {

template <class T>
concept printable = requires(std::ostream& out, const T& value) { out << value; };
static_assert(!printable<secret>);
static_assert(!std::is_convertible_v<secret, std::string>);
static_assert(!std::is_convertible_v<std::string, secret>);

// Short enough to live inside the object, where a test may look at the bytes after the object is gone.
constexpr std::string_view short_value = "sEcReT12";

bool holds(const auto& storage, std::string_view text) {
  const std::string_view bytes(storage.data(), storage.size());
  return bytes.find(text) != std::string_view::npos;
}

TEST(secret, shows_its_value_only_when_asked) {
  const secret s{std::string(short_value)};
  EXPECT_EQ(s.reveal(), short_value);
  EXPECT_FALSE(s.empty());
  EXPECT_TRUE(secret().empty());
}

TEST(secret, compares_values) {
  EXPECT_EQ(secret("abc"), secret("abc"));
  EXPECT_NE(secret("abc"), secret("abd"));
  EXPECT_NE(secret("abc"), secret("abcd"));
  EXPECT_EQ(secret(), secret(""));
}

TEST(secret, copies_and_moves) {
  const std::string value(100, 'k');
  secret a(value);
  const secret b(a);
  EXPECT_EQ(b.reveal(), value);
  const secret c(std::move(a));
  EXPECT_EQ(c.reveal(), value);
  secret d;
  d = c;
  EXPECT_EQ(d.reveal(), value);
  secret e("old");
  e = std::move(d);
  EXPECT_EQ(e.reveal(), value);
}

TEST(secret, survives_assignment_to_itself) {
  secret s("abc");
  const secret& same = s;
  s = same;
  EXPECT_EQ(s.reveal(), "abc");
}

TEST(secret, leaves_nothing_in_its_place_when_destroyed) {
  alignas(secret) std::array<char, sizeof(secret)> storage{};
  auto* s = new (storage.data()) secret(std::string(short_value));
  EXPECT_TRUE(holds(storage, short_value));
  s->~secret();
  EXPECT_FALSE(holds(storage, short_value));
}

TEST(secret, leaves_nothing_where_it_was_moved_from) {
  alignas(secret) std::array<char, sizeof(secret)> storage{};
  auto* s = new (storage.data()) secret(std::string(short_value));
  const secret moved(std::move(*s));
  EXPECT_EQ(moved.reveal(), short_value);
  EXPECT_FALSE(holds(storage, short_value.substr(1)));
  s->~secret();
}

}  // namespace
}  // namespace engine
