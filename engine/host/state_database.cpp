#include "engine/host/state_database.hpp"

#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "engine/base/digest.hpp"
#include "engine/base/result.hpp"

namespace engine {
namespace {

constexpr int schema_version = 1;

constexpr const char* schema = R"(
  CREATE TABLE positions (
    account TEXT NOT NULL, project TEXT NOT NULL, logstore TEXT NOT NULL, shard INTEGER NOT NULL,
    destination TEXT NOT NULL,
    committed TEXT NOT NULL DEFAULT '', pulled TEXT NOT NULL DEFAULT '', updated_ms INTEGER NOT NULL,
    PRIMARY KEY (account, project, logstore, shard, destination)
  ) WITHOUT ROWID;
  PRAGMA user_version = 1;
)";

constexpr const char* load_sql =
    "SELECT committed, pulled FROM positions"
    " WHERE account = ?1 AND project = ?2 AND logstore = ?3 AND shard = ?4 AND destination = ?5";
constexpr const char* committed_sql =
    "INSERT INTO positions (account, project, logstore, shard, destination, committed, updated_ms)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
    " ON CONFLICT DO UPDATE SET committed = excluded.committed, updated_ms = excluded.updated_ms";
constexpr const char* pulled_sql =
    "INSERT INTO positions (account, project, logstore, shard, destination, pulled, updated_ms)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
    " ON CONFLICT DO UPDATE SET pulled = excluded.pulled, updated_ms = excluded.updated_ms";
constexpr const char* list_sql =
    "SELECT account, project, logstore, shard, destination, committed, pulled, updated_ms FROM positions"
    " ORDER BY account, project, logstore, shard, destination";

void bind_text(sqlite3_stmt* s, int at, const std::string& text) {
  // Borrowed, not copied: every statement is stepped and reset before its caller returns.
  sqlite3_bind_text64(s, at, text.data(), text.size(), nullptr, SQLITE_UTF8);
}

void bind_route(sqlite3_stmt* s, const route_id& route) {
  bind_text(s, 1, route.account);
  bind_text(s, 2, route.project);
  bind_text(s, 3, route.logstore);
  sqlite3_bind_int64(s, 4, route.shard);
  bind_text(s, 5, route.destination);
}

std::string text_of(sqlite3_stmt* s, int column) {
  const void* bytes = sqlite3_column_blob(s, column);
  const int size = sqlite3_column_bytes(s, column);
  return bytes == nullptr ? std::string()
                          : std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

// A path as part of a file: URI.
std::string percent_encoded(const std::string& path) {
  std::string out;
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      out += '%';
      out += to_hex({&c, 1});
    } else {
      out += c;
    }
  }
  return out;
}

struct finalize {
  void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
};
using statement = std::unique_ptr<sqlite3_stmt, finalize>;

}  // namespace

struct state_database::connection {
  std::string path;
  sqlite3* handle = nullptr;
  statement load, committed, pulled;

  connection() = default;
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  ~connection() { close(); }

  void close() {
    load.reset();
    committed.reset();
    pulled.reset();
    sqlite3_close(std::exchange(handle, nullptr));
  }

  // Of the call just made.
  [[nodiscard]] store_failure failure() const {
    const int last_errno = errno;
    const int code = handle == nullptr ? SQLITE_NOMEM : sqlite3_extended_errcode(handle);
    int cause = handle == nullptr ? 0 : sqlite3_system_errno(handle);
    // SQLite keeps no errno when it is the end of a transaction that fails.
    if (cause == 0 && (code & 0xff) == SQLITE_IOERR) cause = last_errno;
    std::string message = path + ": " + (handle == nullptr ? "out of memory" : sqlite3_errmsg(handle));
    switch (code & 0xff) {
      case SQLITE_CORRUPT:
      case SQLITE_NOTADB:
        return {store_errc::corrupt, message + "; move the file away to start again from the configured positions"};
      case SQLITE_FULL:
        return {store_errc::disk_full, message};
      default:
        break;
    }
    if (cause != 0) message += std::string(" (") + std::strerror(cause) + ")";
    const bool no_room = (code & 0xff) == SQLITE_IOERR && (cause == ENOSPC || cause == EDQUOT || cause == EFBIG);
    return {no_room ? store_errc::disk_full : store_errc::io, message};
  }

  store_result open_file(const std::string& name, int flags) {
    if (sqlite3_open_v2(name.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr) !=
        SQLITE_OK) {
      return std::unexpected(failure());
    }
    // Only a reader that recovers the log, or a copy being made, can hold us up; neither takes long.
    sqlite3_busy_timeout(handle, 5000);
    return {};
  }

  store_result execute(const char* sql) {
    errno = 0;
    if (sqlite3_exec(handle, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return std::unexpected(failure());
    return {};
  }

  std::expected<statement, store_failure> prepare(const char* sql) {
    sqlite3_stmt* made = nullptr;
    if (sqlite3_prepare_v3(handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &made, nullptr) != SQLITE_OK) {
      return std::unexpected(failure());
    }
    return statement(made);
  }

  // The first column of the first row.
  std::expected<std::string, store_failure> ask(const char* sql) {
    TRY(const statement question, prepare(sql));
    const int step = sqlite3_step(question.get());
    if (step != SQLITE_ROW && step != SQLITE_DONE) return std::unexpected(failure());
    return step == SQLITE_ROW ? text_of(question.get(), 0) : std::string();
  }

  // 0 for a file without anything in it.
  std::expected<int, store_failure> version() {
    TRY(const std::string text, ask("PRAGMA user_version"));
    const int found = std::atoi(text.c_str());
    if (found > schema_version) {
      return std::unexpected(
          store_failure{store_errc::corrupt, path + ": written by a newer version of this program (schema " + text +
                                                 ", this one knows " + std::to_string(schema_version) +
                                                 "); use that version, or another state file"});
    }
    if (found <= 0) {
      TRY(const std::string tables, ask("SELECT count(*) FROM sqlite_schema"));
      if (found < 0 || tables != "0") {
        return std::unexpected(store_failure{store_errc::corrupt, path + ": an SQLite file of another program"});
      }
    }
    return found;
  }

  std::expected<int, store_failure> open_to_read(const std::string& name) {
    if (auto r = open_file(name, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI); !r) return std::unexpected(r.error());
    return version();
  }

  // Steps a statement that returns no rows.
  store_result run(sqlite3_stmt* s) {
    errno = 0;
    const bool done = sqlite3_step(s) == SQLITE_DONE;
    store_result result;
    if (!done) result = std::unexpected(failure());
    sqlite3_reset(s);
    return result;
  }
};

state_database::state_database(std::unique_ptr<connection> c) : connection_(std::move(c)) {}
state_database::~state_database() = default;
state_database::state_database(state_database&&) noexcept = default;

std::expected<state_database, store_failure> state_database::open(const std::string& path) {
  auto c = std::make_unique<connection>();
  c->path = path;
  if (auto r = c->open_file(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE); !r) return std::unexpected(r.error());
  TRY(const std::string damage, c->ask("PRAGMA quick_check(1)"));
  if (damage != "ok") {
    return std::unexpected(store_failure{store_errc::corrupt, path + ": damaged: " + damage});
  }
  TRY(const int found, c->version());
  TRY(const std::string mode, c->ask("PRAGMA journal_mode = WAL"));
  if (mode != "wal") {
    return std::unexpected(
        store_failure{store_errc::io, path + ": this file system does not support a write-ahead log"});
  }
  auto prepared = c->execute("PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 4194304;");
  if (prepared && found == 0) prepared = c->execute((std::string("BEGIN IMMEDIATE;") + schema + "COMMIT;").c_str());
  if (!prepared) return std::unexpected(prepared.error());
  TRY(c->load, c->prepare(load_sql));
  TRY(c->committed, c->prepare(committed_sql));
  TRY(c->pulled, c->prepare(pulled_sql));
  return state_database(std::move(c));
}

std::expected<std::vector<saved_route>, store_failure> state_database::list(const std::string& path) {
  connection c;
  c.path = path;
  auto version = c.open_to_read("file:" + percent_encoded(path));
  if (!version && ::access(path.c_str(), R_OK) == 0 && ::access((path + "-wal").c_str(), F_OK) != 0) {
    // A file nobody has open, in a directory we may not write to: SQLite cannot make its shared index and needs to be
    // told that none is wanted.
    c.close();
    version = c.open_to_read("file:" + percent_encoded(path) + "?immutable=1");
  }
  TRY(const int found, std::move(version));
  std::vector<saved_route> routes;
  if (found == 0) return routes;
  TRY(const statement rows, c.prepare(list_sql));
  int step = SQLITE_ROW;
  while ((step = sqlite3_step(rows.get())) == SQLITE_ROW) {
    sqlite3_stmt* r = rows.get();
    routes.push_back({{text_of(r, 0), text_of(r, 1), text_of(r, 2), sqlite3_column_int64(r, 3), text_of(r, 4)},
                      {text_of(r, 5), text_of(r, 6)},
                      wall_time(std::chrono::milliseconds(sqlite3_column_int64(r, 7)))});
  }
  if (step != SQLITE_DONE) return std::unexpected(c.failure());
  return routes;
}

store_result state_database::begin() { return connection_->execute("BEGIN IMMEDIATE"); }

store_result state_database::end() {
  auto result = connection_->execute("COMMIT");
  if (!result) undo();
  return result;
}

void state_database::undo() {
  // Some failures end the transaction by themselves; then there is nothing to undo.
  if (sqlite3_get_autocommit(connection_->handle) == 0) (void)connection_->execute("ROLLBACK");
}

std::expected<saved_position, store_failure> state_database::load(const route_id& route) {
  sqlite3_stmt* s = connection_->load.get();
  bind_route(s, route);
  std::expected<saved_position, store_failure> result;
  const int step = sqlite3_step(s);
  if (step == SQLITE_ROW) {
    result->committed = text_of(s, 0);
    result->pulled = text_of(s, 1);
  } else if (step != SQLITE_DONE) {
    result = std::unexpected(connection_->failure());
  }
  sqlite3_reset(s);
  return result;
}

store_result state_database::set_committed(const route_id& route, const std::string& cursor, wall_time now) {
  sqlite3_stmt* s = connection_->committed.get();
  bind_route(s, route);
  bind_text(s, 6, cursor);
  sqlite3_bind_int64(s, 7, now.time_since_epoch().count());
  return connection_->run(s);
}

store_result state_database::set_pulled(const route_id& route, const std::string& cursor, wall_time now) {
  sqlite3_stmt* s = connection_->pulled.get();
  bind_route(s, route);
  bind_text(s, 6, cursor);
  sqlite3_bind_int64(s, 7, now.time_since_epoch().count());
  return connection_->run(s);
}

}  // namespace engine
