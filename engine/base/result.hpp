// Expected failures as values. E is a small enum or struct of the part that failed, with `fault fault_of(const E&)`
// found beside it. libstdc++ 12 has std::expected without its monadic calls, hence the two macros.
#pragma once

#include <expected>
#include <utility>

// TRY(auto x, call());  in a plain function: binds the value or returns the error to the caller.
#define PENSTOCK_JOIN_(a, b) a##b
#define PENSTOCK_JOIN(a, b) PENSTOCK_JOIN_(a, b)
#define TRY_IMPL(name, declaration, expression, leave)       \
  auto name = (expression);                                  \
  if (!name) leave std::unexpected(std::move(name).error()); \
  declaration = *std::move(name)
#define TRY(declaration, expression) TRY_IMPL(PENSTOCK_JOIN(try_, __LINE__), declaration, expression, return)
// CO_TRY(auto x, co_await call());  the same in a coroutine. The expression is one plain co_await, as everywhere.
#define CO_TRY(declaration, expression) TRY_IMPL(PENSTOCK_JOIN(try_, __LINE__), declaration, expression, co_return)
