#include "engine/host/state_store.hpp"

#include <sys/stat.h>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "engine/base/result.hpp"
#include "engine/host/thread_name.hpp"

namespace engine {
namespace {

std::string directory_of(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

store_result make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return std::unexpected(
      store_failure{errno == ENOSPC ? store_errc::disk_full : store_errc::io,
                    path + ": the directory does not exist and cannot be made: " + std::strerror(errno)});
}

}  // namespace

// Closed in reverse order: the lock goes last.
struct state_store::open_files {
  file_lock lock;
  state_database database;
  dead_letter_writer letters;
};

std::expected<std::unique_ptr<state_store>, store_failure> state_store::open(state_store_options options,
                                                                             const clock& time,
                                                                             metric_registry& metrics) {
  if (auto made = make_directory(directory_of(options.path)); !made) return std::unexpected(made.error());
  auto lock = file_lock::acquire(options.path + ".lock");
  if (!lock) return std::unexpected(store_failure{store_errc::io, lock.error()});
  TRY(auto database, state_database::open(options.path));
  dead_letter_options letters{.directory = dead_letter_directory(options.path),
                              .file_bytes_max = options.dead_letter_file_bytes_max};
  auto files = std::make_unique<open_files>(
      open_files{std::move(*lock), std::move(database), dead_letter_writer(std::move(letters))});
  return std::unique_ptr<state_store>(new state_store(std::move(files), options.group_max, time, metrics));
}

std::expected<std::vector<saved_route>, store_failure> state_store::list(const std::string& path) {
  return state_database::list(path);
}

std::string state_store::dead_letter_directory(const std::string& path) {
  return (std::filesystem::path(path).parent_path() / "dead-letters").string();
}

state_store::state_store(std::unique_ptr<open_files> files, std::size_t group_max, const clock& time,
                         metric_registry& metrics)
    : group_max_(std::max<std::size_t>(group_max, 1)),
      clock_(time),
      requests_(metrics.counter("penstock_store_requests_total", "Requests to the state store.")),
      letters_(metrics.counter("penstock_store_letters_total", "Dead letters written to disk.")),
      group_seconds_(metrics.histogram("penstock_store_group_seconds", "Time to carry out one group of requests.", {},
                                       {0.0001, 0.001, 0.005, 0.02, 0.1, 0.5, 2, 10})),
      files_(std::move(files)) {
  thread_ = std::thread([this]() noexcept { run(); });
}

state_store::~state_store() { close(); }

task<std::expected<saved_position, store_failure>> state_store::load(route_id route) {
  request r{.what = operation::load, .route = std::move(route)};
  co_await submit(r);
  co_return std::move(r.answer);
}

task<store_result> state_store::commit(route_id route, std::string cursor) {
  request r{.what = operation::commit, .route = std::move(route), .cursor = std::move(cursor)};
  co_await submit(r);
  if (!r.answer) co_return std::unexpected(std::move(r.answer).error());
  co_return store_result();
}

task<store_result> state_store::note_pulled(route_id route, std::string cursor) {
  request r{.what = operation::note_pulled, .route = std::move(route), .cursor = std::move(cursor)};
  co_await submit(r);
  if (!r.answer) co_return std::unexpected(std::move(r.answer).error());
  co_return store_result();
}

task<store_result> state_store::bury(std::vector<dead_letter> letters) {
  request r{.what = operation::bury, .letters = std::move(letters)};
  co_await submit(r);
  if (!r.answer) co_return std::unexpected(std::move(r.answer).error());
  co_return store_result();
}

task<void> state_store::submit(request& r) {
  state_store* const self = this;
  request* const waiting = &r;
  // Pointers only in the capture; after push() the frame may already run elsewhere, so nothing follows it.
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(
      [self, waiting](handler resume) { self->push(waiting, std::move(resume)); }, asio::use_awaitable);
}

void state_store::push(request* r, handler resume) {
  r->resume.emplace(std::move(resume));
  {
    const std::lock_guard lock(mutex_);
    if (!closing_) {
      (first_ == nullptr ? first_ : last_->next) = r;
      last_ = r;
      wake_.notify_one();
      return;
    }
  }
  r->answer = std::unexpected(store_failure{store_errc::closed, "the state store is closed"});
  answer_all(r);
}

void state_store::run() {
  name_this_thread("store");
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return closing_ || first_ != nullptr; });
    request* const group = take_group();
    if (group == nullptr) break;
    lock.unlock();
    carry_out(group);
    answer_all(group);
    lock.lock();
  }
  lock.unlock();
  files_.reset();
}

state_store::request* state_store::take_group() {
  request* const group = first_;
  request* end = group;
  for (std::size_t size = 1; end != nullptr && end->next != nullptr && size < group_max_; ++size) end = end->next;
  if (end != nullptr) first_ = std::exchange(end->next, nullptr);
  return group;
}

void state_store::carry_out(request* group) {
  const time_point started_at = clock_.now();
  store_result result;
  if (failed_) result = std::unexpected(*failed_);
  if (result) result = bury_all(group);
  if (result) result = write_all(group);
  // One fate for the group: a request of it that seemed to succeed was in the transaction that failed.
  for (request* r = group; r != nullptr; r = r->next) {
    requests_.add();
    if (!result) r->answer = std::unexpected(result.error());
  }
  if (!result) failed_ = result.error();
  group_seconds_.observe(std::chrono::duration<double>(clock_.now() - started_at).count());
}

store_result state_store::bury_all(request* group) {
  std::vector<const dead_letter*> letters;
  for (request* r = group; r != nullptr; r = r->next) {
    for (const dead_letter& letter : r->letters) letters.push_back(&letter);
  }
  auto result = files_->letters.append(letters, clock_.wall());
  if (result) letters_.add(static_cast<double>(letters.size()));
  return result;
}

store_result state_store::write_all(request* group) {
  state_database& database = files_->database;
  const wall_time now = clock_.wall();
  bool begun = false;
  for (request* r = group; r != nullptr; r = r->next) {
    if (r->what == operation::bury) continue;
    store_result done;
    if (!begun) done = database.begin();
    if (done) {
      begun = true;
      switch (r->what) {
        case operation::load:
          r->answer = database.load(r->route);
          if (!r->answer) done = std::unexpected(r->answer.error());
          break;
        case operation::commit:
          done = database.set_committed(r->route, r->cursor, now);
          break;
        case operation::note_pulled:
          done = database.set_pulled(r->route, r->cursor, now);
          break;
        case operation::bury:
          break;
      }
    }
    if (!done) {
      if (begun) database.undo();
      return done;
    }
  }
  return begun ? database.end() : store_result();
}

void state_store::answer_all(request* group) {
  for (request* r = group; r != nullptr;) {
    request* const next = r->next;
    // Out of the frame first: the frame may be gone as soon as the handler is posted.
    handler resume = std::move(*r->resume);
    const auto own = asio::get_associated_executor(resume);
    asio::post(own, std::move(resume));
    r = next;
  }
}

void state_store::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    wake_.notify_one();
  }
  const std::lock_guard lock(join_mutex_);
  if (thread_.joinable()) thread_.join();
}

}  // namespace engine
