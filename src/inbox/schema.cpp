#include "inbox/schema.hpp"

#include "net/log.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sqlite3.h>
#include <unistd.h>

#include <array>

namespace rockdove::inbox {
namespace {

constexpr int busy_ms = 3'000;
constexpr int checkpoint_busy_ms = 50;            // commits wait while a checkpoint waits for others
constexpr int log_bytes_kept = 80 * 1024 * 1024;  // what it has grown to when it starts anew: no cutting

// Requests are written once and apart from what changes with every attempt, so that settling an event
// rewrites a hundred bytes, not its body. docs/inbox.md describes tables and indexes.
constexpr const char* version_1 = R"(
CREATE TABLE requests(
  id INTEGER PRIMARY KEY, route TEXT NOT NULL, tunnel TEXT NOT NULL, dedupe BLOB NOT NULL,
  checksum INTEGER NOT NULL, head BLOB NOT NULL, body BLOB NOT NULL);
CREATE TABLE events(
  id INTEGER PRIMARY KEY, route TEXT NOT NULL, tunnel TEXT NOT NULL, state INTEGER NOT NULL,
  received_at INTEGER NOT NULL, due_at INTEGER NOT NULL, first_attempt_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL, replay INTEGER NOT NULL, ordered INTEGER NOT NULL, order_key TEXT NOT NULL,
  reason TEXT NOT NULL, method TEXT NOT NULL, target TEXT NOT NULL, bytes INTEGER NOT NULL,
  ended_at INTEGER NOT NULL);
CREATE INDEX due ON events(route, state, due_at) WHERE state = 0;
CREATE INDEX pending ON events(route) WHERE state < 2;
CREATE INDEX line ON events(route, order_key) WHERE state < 2 AND ordered = 1;
CREATE INDEX ended ON events(state, ended_at) WHERE state >= 2;
CREATE INDEX failed ON events(id) WHERE state >= 3;
CREATE TABLE attempts(
  event INTEGER NOT NULL, number INTEGER NOT NULL, started_at INTEGER NOT NULL, took_ms INTEGER NOT NULL,
  agent TEXT NOT NULL, status INTEGER NOT NULL, error TEXT NOT NULL, type TEXT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY(event, number)) WITHOUT ROWID;
CREATE TABLE dedupe(
  key BLOB PRIMARY KEY NOT NULL, event INTEGER NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX dedupe_until ON dedupe(until);
CREATE TABLE paused(route TEXT PRIMARY KEY NOT NULL, reason TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE tallies(
  route TEXT NOT NULL, tunnel TEXT NOT NULL, state INTEGER NOT NULL, events INTEGER NOT NULL,
  bytes INTEGER NOT NULL, PRIMARY KEY(route, tunnel, state)) WITHOUT ROWID;
CREATE TABLE marks(name TEXT PRIMARY KEY NOT NULL, value INTEGER NOT NULL) WITHOUT ROWID;
)";

// What waits was in one index by id, so that each event came into it and went out of it. Most are due at once
// and delivered at the first attempt: `due` has them in the order of their ids already.
constexpr const char* version_2 = R"(
DROP INDEX pending;
CREATE INDEX put_off ON events(route) WHERE state < 2 AND (state = 1 OR due_at <> 0);
)";

/// Bodies are secrets: SQLite would let everybody read a new file. (What lies beside it gets the same mode.)
/// Only a file that is not there is opened, since closing one that SQLite has open as well would end its
/// locks.
void make_private(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor >= 0) ::close(descriptor);
}

/// steps[n] leads from version n to n + 1.
constexpr std::array<const char*, schema_version> steps{version_1, version_2};

void run_step(sqlite::Database& database, std::size_t at) {
  database.run(fmt::format("BEGIN IMMEDIATE; {} PRAGMA application_id = {}; PRAGMA user_version = {}; COMMIT",
                           steps[at], application_id, at + 1));
}

/// Puts the texts of our tables and indexes back as we have written them. SQLite keeps them in the file and
/// believes them: one flipped bit there, and no statement works, or a column has another name, though not a
/// single event was hit. See "PRAGMA writable_schema", with which what cannot be parsed is passed over.
void mend_schema(sqlite::Database& database) {
  if (database.number("PRAGMA application_id") != application_id ||
      database.number("PRAGMA user_version") != schema_version) {
    database.forget_failure();  // it fails again with those whose matter it is
    return;
  }
  sqlite::Database intended(":memory:", "", sqlite::Database::Access::create);
  for (std::size_t at = 0; at < steps.size(); ++at) run_step(intended, at);
  database.run("PRAGMA writable_schema = ON");
  // The first statement after that fails for what cannot be parsed, the next ones do not.
  database.number("SELECT count(*) FROM sqlite_schema");
  database.forget_failure();
  {
    sqlite::Statement texts(intended, "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL");
    sqlite::Statement mend(database, "UPDATE sqlite_schema SET sql=? WHERE name=? AND sql IS NOT ?");
    std::int64_t mended = 0;
    while (texts.step()) {
      mended += mend.bind(texts.bytes(1), texts.bytes(0), texts.bytes(1)).run();
      mend.reset();
    }
    if (mended > 0)
      log::warn("inbox",
                "{}: the texts of {} tables or indexes were damaged and have been put right: check the disk",
                database.file().string(), mended);
  }
  database.forget_failure();  // what else is damaged is for the salvage
  database.run("PRAGMA writable_schema = RESET");
  database.forget_failure();
}

}  // namespace

std::unique_ptr<sqlite::Database> connect(const DatabaseFile& file, Role role) {
  using sqlite::Database;
  const auto access = role == Role::writer ? Database::Access::create : Database::Access::read_write;
  if (role == Role::writer) make_private(file.path);
  auto database = std::make_unique<Database>(file.path, file.vfs, access);
  if (database->failed()) return database;
  sqlite3_busy_timeout(database->handle(), role == Role::checkpoint ? checkpoint_busy_ms : busy_ms);
  if (role == Role::writer) mend_schema(*database);
  // Page size and vacuum mode count for a new file only. Nothing is mapped: an I/O error on a mapped page
  // would kill the process.
  database->run(
      fmt::format("PRAGMA page_size = 8192; PRAGMA auto_vacuum = NONE; PRAGMA mmap_size = 0;"
                  "PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -{};",
                  file.cache_bytes / 1024));
  if (role == Role::reader) {
    database->run("PRAGMA query_only = ON");
    return database;
  }
  database->run(
      fmt::format("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;"
                  "PRAGMA secure_delete = OFF; PRAGMA journal_size_limit = {};",
                  log_bytes_kept));
  return database;
}

void migrate(sqlite::Database& database) {
  const auto application = database.number("PRAGMA application_id").value_or(0);
  const auto version = database.number("PRAGMA user_version").value_or(0);
  if (database.failed()) return;
  const bool is_new = application == 0 && version == 0;
  if (application != application_id && !is_new)
    throw ForeignDatabase(database.file().string() +
                          " is a database of another program: choose another file");
  if (is_new && database.number("SELECT count(*) FROM sqlite_schema").value_or(0) != 0)
    throw ForeignDatabase(database.file().string() + " has tables of another program: choose another file");
  if (version > schema_version)
    throw ForeignDatabase(
        fmt::format("{} was written by a newer rockdove (format {}, this one knows {}): "
                    "start that version, or move the file away",
                    database.file().string(), version, schema_version));
  for (auto at = static_cast<std::size_t>(version); at < steps.size() && !database.failed(); ++at)
    run_step(database, at);
}

}  // namespace rockdove::inbox
