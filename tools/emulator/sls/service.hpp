// The emulated Simple Log Service: every operation, from a request to its answer.
//
// Thread rules: every function may be called from any thread. All referenced parts outlive the service.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "../account_book.hpp"
#include "../address.hpp"
#include "../fault_plan.hpp"
#include "../http_message.hpp"
#include "sls_error.hpp"
#include "store.hpp"

namespace emulator::sls {

struct service_options {
  bool put_time_check = true;  // PutLogs refuses times outside [-7 days, +15 minutes]
  std::function<std::chrono::system_clock::time_point()> now = [] { return std::chrono::system_clock::now(); };
};

class service {
 public:
  // A pull reply with the groups [first, next) is about to leave undamaged.
  using on_served = std::function<void(const shard_key&, std::uint64_t first, std::uint64_t next)>;
  service(store&, const account_book&, fault_plan&, service_options, on_served);

  response handle(const request&, const addressed&);

 private:
  // What an operation works with, once the request passed the checks all operations share.
  struct call {
    call(const request& of, const account& by) : r(of), owner(by) {}

    const request& r;
    const account& owner;
    std::string logstore_name;
    logstore* holder = nullptr;
    std::int64_t shard_id = -1;
    shard* piece = nullptr;
    std::vector<std::string> path;
    std::chrono::system_clock::time_point now;
    const fault* spoiled = nullptr;

    [[nodiscard]] std::int64_t now_s() const { return std::chrono::system_clock::to_time_t(now); }
  };

  outcome<response> answer(const request&, const addressed&, const fault*);
  outcome<response> on_logstore(call&);
  outcome<response> on_shard(call&);
  outcome<response> on_groups(const call&);
  [[nodiscard]] response finish(response, std::chrono::system_clock::time_point);

  [[nodiscard]] outcome<response> list_projects(const request&, const std::string& account) const;
  [[nodiscard]] static outcome<response> get_project(const call&);
  [[nodiscard]] outcome<response> list_logstores(const call&) const;
  outcome<response> create_logstore(const call&);
  [[nodiscard]] static outcome<response> get_logstore(const call&);
  static outcome<response> index(const call&);

  [[nodiscard]] static outcome<response> list_shards(const call&);
  static outcome<response> reshape(const call&);
  [[nodiscard]] static outcome<response> get_cursor(const call&);
  [[nodiscard]] static outcome<response> get_cursor_time(const call&);
  [[nodiscard]] outcome<response> pull_logs(const call&) const;
  [[nodiscard]] outcome<response> put_logs(const call&) const;
  [[nodiscard]] static outcome<response> get_logs(const call&);

  static outcome<response> heartbeat(const call&, std::string_view group);
  static outcome<response> checkpoint(const call&, std::string_view group);

  store& store_;
  const account_book& book_;
  fault_plan& faults_;
  const service_options options_;
  const on_served on_served_;
  std::atomic<std::uint64_t> request_number_{0};
};

// Shared by the operation files.
response json_answer(std::string text);
std::optional<std::int64_t> whole_number(std::string_view text);

}  // namespace emulator::sls
