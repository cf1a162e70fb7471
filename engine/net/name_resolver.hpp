// Names to addresses without blocking anybody: the C library's lookup on a few threads of its own.
//
// A lookup in the C library cannot be interrupted. So a name that nobody answers for occupies one thread only (a second
// question for it joins the first), callers have time limits of their own, and destruction does not wait for lookups.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace engine {

// Addresses as text, in the order to try them; or what went wrong, for people. Never an empty list.
using resolve_result = std::expected<std::vector<std::string>, std::string>;
using resolve_done = std::function<void(const resolve_result&)>;
// Calls `done` at most once, on any thread.
using resolve_function = std::function<void(const std::string& name, resolve_done done)>;

class name_resolver {
 public:
  name_resolver();
  ~name_resolver();  // `done` of what is still open is destroyed uncalled
  name_resolver(const name_resolver&) = delete;
  name_resolver& operator=(const name_resolver&) = delete;

  // Thread-safe. `done` must not block and must not call back into the resolver.
  void resolve(const std::string& name, resolve_done done);

 private:
  struct state;
  std::shared_ptr<state> state_;  // shared with the lookup threads, which may outlive this
};

}  // namespace engine
