#include "tools/emulator/azure_book.hpp"

#include <gtest/gtest.h>

namespace emulator {
namespace {

TEST(azure_book, follows_from_the_seed_and_has_the_forms_azure_uses) {
  const auto book = make_azure_book(1, 2);
  EXPECT_EQ(book.tenant, make_azure_book(1, 2).tenant);
  EXPECT_NE(book.tenant, make_azure_book(2, 2).tenant);
  EXPECT_EQ(book.tenant.size(), 36U);
  EXPECT_EQ(book.client_id.size(), 36U);
  ASSERT_EQ(book.rules.size(), 2U);
  EXPECT_NE(book.rules[0].rule, book.rules[1].rule);
  for (const auto& rule : book.rules) {
    EXPECT_EQ(rule.rule.size(), 36U);
    EXPECT_TRUE(rule.rule.starts_with("dcr-"));
    EXPECT_EQ(rule.stream, "Custom-AliCloudActionTrailLogs");
  }
}

}  // namespace
}  // namespace emulator
