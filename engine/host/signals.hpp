// What the operator says by signals: SIGTERM or SIGINT drains, the second one aborts, SIGHUP reloads.
#pragma once

#include <functional>
#include <memory>

#include "engine/flow/task.hpp"

namespace engine {

struct signal_handlers {
  std::function<void()> on_drain;   // the first SIGTERM or SIGINT
  std::function<void()> on_abort;   // every further one
  std::function<void()> on_reload;  // each SIGHUP
};

// Listens from construction to destruction; handlers run on the executor, one at a time, in order. SIGPIPE is ignored
// for the rest of the process's life: a peer that went away is an error of the write. One object at a time.
class signals {
 public:
  signals(executor, signal_handlers);
  // Signals have their default action again. The handler of one that had arrived may still be running.
  ~signals();
  signals(const signals&) = delete;
  signals& operator=(const signals&) = delete;

 private:
  class listener;
  std::shared_ptr<listener> listener_;  // shared with the wait in flight, which may end after this object
};

}  // namespace engine
