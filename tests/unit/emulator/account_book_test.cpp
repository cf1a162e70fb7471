#include "tools/emulator/account_book.hpp"

#include <gtest/gtest.h>

#include <set>

namespace emulator {
namespace {

TEST(account_book, equal_seeds_give_equal_accounts_and_others_do_not) {
  const account_book one(1, 3, 2);
  const account_book same(1, 3, 2);
  const account_book other(2, 3, 2);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(one.accounts()[i].id, same.accounts()[i].id);
    EXPECT_EQ(one.accounts()[i].access_key_secret, same.accounts()[i].access_key_secret);
    EXPECT_NE(one.accounts()[i].access_key_secret, other.accounts()[i].access_key_secret);
  }
}

TEST(account_book, ids_keys_and_projects_are_unique_and_found) {
  const account_book book(1, 500, 1);
  std::set<std::string> seen;
  for (const auto& a : book.accounts()) {
    EXPECT_EQ(a.id.size(), 16U);
    for (const auto& name : {a.id, a.access_key_id, a.project}) EXPECT_TRUE(seen.insert(name).second) << name;
    EXPECT_EQ(book.find_project(a.project), &a);
    EXPECT_EQ(book.find_account(a.id), &a);
    const auto key = book.find_key(a.access_key_id);
    ASSERT_TRUE(key.has_value());
    EXPECT_EQ(key->access_key_secret, a.access_key_secret);
    EXPECT_EQ(key->account, a.id);
    EXPECT_EQ(key->security_token, "");
  }
  EXPECT_EQ(book.find_project("audit-00000"), nullptr);
  EXPECT_EQ(book.find_project("zzz"), nullptr);
  EXPECT_EQ(book.find_account(""), nullptr);
  EXPECT_FALSE(book.find_key("LTAI5t"));
}

TEST(account_book, temporary_keys_are_found_with_token_and_end) {
  account_book book(1, 1, 1);
  const auto end = std::chrono::system_clock::time_point{} + std::chrono::seconds(5);
  book.add_temporary_key("STS.x", {"secret", "token", book.accounts()[0].id, end});
  const auto key = book.find_key("STS.x");
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(key->security_token, "token");
  EXPECT_EQ(key->expires, end);
}

}  // namespace
}  // namespace emulator
