// The Store port: one thread, one SQLite file of positions, and the dead-letter files beside it.
//
//   PATH            positions (state_database.hpp)      PATH.lock   held while open; names the process
//   dead-letters/   beside PATH (dead_letters.hpp)
#pragma once

#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "engine/base/metrics.hpp"
#include "engine/flow/ports.hpp"
#include "engine/host/dead_letters.hpp"
#include "engine/host/file_lock.hpp"
#include "engine/host/state_database.hpp"

namespace engine {

struct state_store_options {
  std::string path;              // its directory is made, one level, when missing
  std::size_t group_max = 1000;  // requests carried out in one transaction
  std::size_t dead_letter_file_bytes_max = 64 * mib;
};

// Thread-safe. The thread takes all requests that wait, up to group_max, and carries them out in the order they came:
// first the dead letters of the group, synced to the medium, then one transaction, then the answers, each on its
// caller's executor. So a position that depends on a dead letter is never saved before it. Requests wait inside the
// coroutines that made them: the store holds no memory for them, and a slow disk slows its callers.
//
// The contexts of the callers are destroyed after close() has returned: the thread may still be inside the post that
// answers the last of them.
//
// An answered commit survives the death of the process; a power cut can take back the last ones (duplicates, never
// loss), but no dead letter. After a failure every later call ends with the same failure.
class state_store final : public store {
 public:
  // Fails when another process uses the same state (its id is named), when the file is damaged, of a newer version or
  // not ours, or when the directory cannot be made. The clock (for time stamps) and the registry outlive the store.
  static std::expected<std::unique_ptr<state_store>, store_failure> open(state_store_options, const clock&,
                                                                         metric_registry&);
  // Saved positions in order of their route, for reports: needs no lock, works beside a running store.
  static std::expected<std::vector<saved_route>, store_failure> list(const std::string& path);
  // Where the dead letters of a state file are.
  static std::string dead_letter_directory(const std::string& path);

  ~state_store() override;  // close()

  task<std::expected<saved_position, store_failure>> load(route_id) override;
  task<store_result> commit(route_id, std::string cursor) override;
  task<store_result> note_pulled(route_id, std::string cursor) override;
  task<store_result> bury(std::vector<dead_letter>) override;

  // Finishes what was asked for, then closes the files; later calls end with `closed`. Blocks; twice is allowed.
  void close();

 private:
  using handler = asio::async_result<asio::use_awaitable_t<>, void()>::handler_type;
  enum class operation : std::uint8_t { load, commit, note_pulled, bury };
  // Lives in the frame of the coroutine that waits for it.
  struct request {
    operation what;
    route_id route = {};
    std::string cursor = {};
    std::vector<dead_letter> letters = {};
    std::expected<saved_position, store_failure> answer = {};
    std::optional<handler> resume = {};
    request* next = nullptr;
  };
  struct open_files;

  state_store(std::unique_ptr<open_files>, std::size_t group_max, const clock&, metric_registry&);
  task<void> submit(request&);
  void push(request*, handler);
  void run();
  request* take_group();  // under mutex_
  void carry_out(request* group);
  store_result bury_all(request* group);
  store_result write_all(request* group);
  static void answer_all(request* group);

  const std::size_t group_max_;
  const clock& clock_;
  counter& requests_;
  counter& letters_;
  histogram& group_seconds_;
  std::unique_ptr<open_files> files_;    // the thread's
  std::optional<store_failure> failed_;  // the thread's
  std::mutex mutex_;
  std::condition_variable wake_;
  request* first_ = nullptr;  // guarded by mutex_, as are the next two
  request* last_ = nullptr;
  bool closing_ = false;
  std::mutex join_mutex_;
  std::thread thread_;  // guarded by join_mutex_
};

}  // namespace engine
