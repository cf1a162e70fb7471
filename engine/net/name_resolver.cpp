#include "engine/net/name_resolver.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>

namespace engine {
namespace {

constexpr unsigned threads_max = 4;

resolve_result look_up(const std::string& name) {
  // RFC 6761 section 6.3: these are this machine, whatever a name server says.
  if (name == "localhost" || name.ends_with(".localhost")) return std::vector<std::string>{"127.0.0.1", "::1"};
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  const int failed = getaddrinfo(name.c_str(), nullptr, &wanted, &found);
  if (failed != 0) return std::unexpected(std::string(gai_strerror(failed)));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  std::vector<std::string> addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    char text[NI_MAXHOST] = "";
    if (getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) != 0) continue;
    if (std::ranges::find(addresses, text) == addresses.end()) addresses.emplace_back(text);
  }
  if (addresses.empty()) return std::unexpected(std::string("the name has no address"));
  return addresses;
}

}  // namespace

struct name_resolver::state {
  std::mutex mutex;
  std::condition_variable work;
  bool closed = false;
  unsigned threads = 0;
  unsigned idle = 0;
  std::deque<std::string> names;                            // to look up
  std::map<std::string, std::vector<resolve_done>> asking;  // by name, looked up now or soon

  void run() {
    std::unique_lock lock(mutex);
    for (;;) {
      ++idle;
      work.wait(lock, [this] { return closed || !names.empty(); });
      --idle;
      if (closed) return;
      const std::string name = std::move(names.front());
      names.pop_front();
      lock.unlock();
      const resolve_result result = look_up(name);
      lock.lock();
      // Answered under the lock: after the destructor has taken it once, nobody is called any more.
      const auto answered = asking.extract(name);
      if (answered.empty()) continue;
      for (const auto& done : answered.mapped()) done(result);
    }
  }
};

name_resolver::name_resolver() : state_(std::make_shared<state>()) {}

name_resolver::~name_resolver() {
  std::map<std::string, std::vector<resolve_done>> dropped;
  const std::lock_guard lock(state_->mutex);
  state_->closed = true;
  state_->names.clear();
  state_->asking.swap(dropped);
  state_->work.notify_all();
}

void name_resolver::resolve(const std::string& name, resolve_done done) {
  const std::lock_guard lock(state_->mutex);
  auto& waiting = state_->asking[name];
  waiting.push_back(std::move(done));
  if (waiting.size() > 1) return;
  state_->names.push_back(name);
  if (state_->idle >= state_->names.size() || state_->threads == threads_max) {
    state_->work.notify_one();
    return;
  }
  try {
    std::thread([shared = state_] { shared->run(); }).detach();
    ++state_->threads;
  } catch (const std::system_error& no_thread) {
    if (state_->threads > 0) return;  // one of the others will come to it
    state_->names.pop_back();
    const auto unanswered = state_->asking.extract(name);
    const resolve_result failed = std::unexpected(std::string("cannot start a thread: ") + no_thread.what());
    for (const auto& one : unanswered.mapped()) one(failed);
  }
}

}  // namespace engine
