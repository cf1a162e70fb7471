// penstock run: until stopped, or with --once until every shard was delivered up to where it ended at the start.
#include <malloc.h>
#include <unistd.h>

#include <condition_variable>
#include <iostream>
#include <mutex>
#include <optional>

#include "engine/host/signals.hpp"
#include "engine/net/admin_server.hpp"
#include "tools/penstock/admin_pages.hpp"
#include "tools/penstock/commands.hpp"
#include "tools/penstock/live_view.hpp"
#include "tools/penstock/load_config.hpp"
#include "tools/penstock/report.hpp"
#include "tools/penstock/service.hpp"
#include "tools/penstock/small_files.hpp"

namespace penstock {
namespace {

constexpr auto screen_interval = std::chrono::milliseconds(500);
constexpr auto line_interval = std::chrono::seconds(5);

// Few arenas and an early trim: memory that was freed goes back, so that the limit holds for what the system sees too.
void tune_allocator() {
  mallopt(M_ARENA_MAX, 2);
  mallopt(M_TRIM_THRESHOLD, 4 * 1024 * 1024);
  mallopt(M_MMAP_THRESHOLD, 1024 * 1024);
}

// The one thing the main thread waits for.
class finish_line {
 public:
  void reached() {
    const std::lock_guard lock(mutex_);
    done_ = true;
    wake_.notify_all();
  }
  bool wait_for(std::chrono::milliseconds length) {
    std::unique_lock lock(mutex_);
    return wake_.wait_for(lock, length, [this] { return done_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool done_ = false;
};

void show_until_done(service& s, finish_line& finish, engine::logger& log, log_tail* tail) {
  run_rates rates(s.workers());
  const auto started = s.clock().now();
  static_cast<void>(rates.update(started, s.path().status(), s.counts(), usage_now()));
  if (tail != nullptr) std::cout << "\x1b[2J\x1b[?25l";
  auto next_line = started + line_interval;
  while (!finish.wait_for(screen_interval)) {
    const auto now = s.clock().now();
    if (tail == nullptr && now < next_line) continue;
    const auto status = s.path().status();
    const auto look = rates.update(now, status, s.counts(), usage_now());
    if (tail != nullptr) {
      std::cout << draw_screen(look, status, s.counts(), usage_now(), tail->lines(),
                               std::chrono::duration<double>(now - started).count(), screen_of(STDOUT_FILENO))
                << std::flush;
      continue;
    }
    next_line = now + line_interval;
    double lag = 0;
    for (const auto& l : status.logstores) lag = std::max(lag, l.lag_s);
    log.info("progress", {{"events_in", s.counts().events_in.value()},
                          {"events_delivered", s.counts().events_delivered.value()},
                          {"events_per_s", look.events_out_per_s},
                          {"lag_s", lag},
                          {"slowest", look.slowest.stage}});
  }
  if (tail != nullptr) std::cout << "\x1b[?25h\n" << std::flush;
}

}  // namespace

int run_command(const command_line& line) {
  const auto loaded = load_config(request_of_process(line.config, line.tuning));
  for (const auto& error : loaded.errors) std::cerr << error << '\n';
  if (!loaded.config) return exit_usage;
  const auto& config = *loaded.config;
  tune_allocator();

  log_tail tail;
  const bool live = isatty(STDOUT_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
  std::function<void(std::string_view)> capture;
  if (live) capture = [&tail](std::string_view text) { tail.add(text); };
  const auto log = engine::make_logger(config.tuning.log_level, config.tuning.log_format, capture);
  for (const auto& warning : loaded.warnings) log->warn(warning);
  for (const auto& t : loaded.tuning)
    log->debug("setting", {{"name", t.name}, {"value", t.value}, {"origin", t.origin}});

  stages::run_options options{
      .once = line.once, .once_probe_interval = line.once_probe_interval, .dry_run = line.dry_run};
  auto opened = service::open(config, options, *log);
  if (!opened) {
    std::cerr << "penstock: " << opened.error() << '\n';
    return exit_failed;
  }
  service& running = **opened;

  std::unique_ptr<engine::admin_server> admin;
  if (!config.tuning.admin_listen.host.empty()) {
    const auto& at = config.tuning.admin_listen;
    const bool ip6 = at.host.find(':') != std::string::npos;
    const auto address = (ip6 ? "[" + at.host + "]" : at.host) + ":" + std::to_string(at.port);
    auto started = engine::admin_server::start(address, admin_pages(running));
    if (!started) {
      std::cerr << "penstock: admin listener: " << started.error() << " (--admin-listen off runs without one)\n";
      return exit_failed;
    }
    admin = *std::move(started);
    if (!line.admin_port_file.empty()) {
      if (auto ok = write_whole_file(line.admin_port_file, std::to_string(admin->port()) + "\n"); !ok) {
        std::cerr << "penstock: " << ok.error() << '\n';
        return exit_failed;
      }
    }
  }

  finish_line finish;
  int exit_code = exit_done;
  {
    engine::signals signals(running.executor(),
                            {.on_drain =
                                 [&] {
                                   log->info("draining");
                                   running.drain();
                                 },
                             .on_abort =
                                 [&] {
                                   log->warn("stopping at once");
                                   running.abort();
                                 },
                             .on_reload = [&] { log->warn("SIGHUP: reloading is not yet supported"); }});
    log->info("started", {{"logstores", running.path().status().logstores.size()},
                          {"destinations", config.destinations.size()},
                          {"memory_limit", engine::format_size(config.tuning.memory_limit_bytes)},
                          {"cpu_threads", config.tuning.cpu_threads}});
    running.start([&finish] { finish.reached(); });
    show_until_done(running, finish, *log, live ? &tail : nullptr);
  }
  running.join();

  auto outcome = running.path().result();
  if (!running.internal_error().empty()) {
    outcome.failed = true;
    outcome.why = "internal error: " + running.internal_error();
  }
  const auto status = running.path().status();
  const auto summary = summary_json(status, outcome, running.counts(), usage_now());
  exit_code = exit_code_of(outcome, running.counts());
  if (!line.summary.empty()) {
    if (auto ok = write_whole_file(line.summary, summary); !ok) {
      std::cerr << "penstock: " << ok.error() << '\n';
      exit_code = exit_failed;
    }
  }
  log->info("ended", {{"events_in", running.counts().events_in.value()},
                      {"events_delivered", running.counts().events_delivered.value()},
                      {"dead_letters", running.counts().dead_letters_total.value()},
                      {"exit_code", exit_code}});
  if (live) {
    for (const auto& text : tail.lines()) std::cerr << text << '\n';
  }
  if (outcome.failed || outcome.drain_aborted) std::cerr << "penstock: " << outcome.why << '\n';
  admin.reset();
  return exit_code;
}

}  // namespace penstock
