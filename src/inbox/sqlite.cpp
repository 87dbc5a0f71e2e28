#include "inbox/sqlite.hpp"

#include <sqlite3.h>

#include <cassert>
#include <cstring>

namespace rockdove::inbox::sqlite {
namespace {

/// Before the first connection: a count of its memory, which nobody asks for, under a lock at each
/// allocation.
void count_no_memory() {
  [[maybe_unused]] static const int code = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

}  // namespace

Database::Database(const std::filesystem::path& file, const std::string& vfs, Access access) : file_(file) {
  count_no_memory();
  // Each connection has one user at a time, so SQLite's own locking would be for nothing.
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (access == Access::create ? SQLITE_OPEN_CREATE : 0);
  const int code = sqlite3_open_v2(file.c_str(), &handle_, flags, vfs.empty() ? nullptr : vfs.c_str());
  if (code != SQLITE_OK) fail(code);
}

Database::~Database() {
  [[maybe_unused]] const int code = sqlite3_close(handle_);
  assert(code != SQLITE_BUSY && "statements end before their database");
}

void Database::fail(int code) {
  if (code_ != 0) return;
  code_ = code;
  message_ = handle_ && (sqlite3_extended_errcode(handle_) & 0xff) == (code & 0xff) ? sqlite3_errmsg(handle_)
                                                                                    : sqlite3_errstr(code);
  const int system = handle_ ? sqlite3_system_errno(handle_) : 0;
  const int primary = code & 0xff;
  const bool by_system = primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN || primary == SQLITE_FULL;
  if (system != 0 && by_system) message_ += std::string(", ") + std::strerror(system);
}

void Database::forget_failure() {
  code_ = 0;
  message_.clear();
}

Trouble Database::trouble() const {
  switch (code_ & 0xff) {
    case SQLITE_OK: return Trouble::none;
    case SQLITE_FULL: return Trouble::full;
    case SQLITE_IOERR: return Trouble::io;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Trouble::corrupt;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL: return Trouble::busy;
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH: return Trouble::read_only;
    default: return Trouble::other;
  }
}

bool Database::lacks_memory() const {
  const int primary = code_ & 0xff;
  return primary == SQLITE_NOMEM || code_ == SQLITE_IOERR_NOMEM;
}

bool Database::run(const std::string& sql) {
  if (failed()) return false;
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code);
  return code == SQLITE_OK;
}

std::optional<std::int64_t> Database::number(const std::string& sql) {
  Statement statement(*this, sql);
  if (!statement.step()) return std::nullopt;
  return statement.integer(0);
}

bool Database::is_idle() const {
  return !handle_ || sqlite3_get_autocommit(handle_) != 0;
}

void Database::watch_log(std::int64_t* pages) {
  const auto note = [](void* out, sqlite3*, const char*, int count) {
    *static_cast<std::int64_t*>(out) = count;
    return SQLITE_OK;
  };
  if (handle_) sqlite3_wal_hook(handle_, note, pages);
}

bool Database::sync() {
  if (failed()) return false;
  sqlite3_file* main = nullptr;
  int code = sqlite3_file_control(handle_, "main", SQLITE_FCNTL_FILE_POINTER, &main);
  if (code == SQLITE_OK) code = main->pMethods->xSync(main, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
  if (code != SQLITE_OK) fail(code);
  return code == SQLITE_OK;
}

void Database::keep_log() {
  if (handle_) sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

Statement::Statement(Database& database, const std::string& sql) : database_(database) {
  if (database_.failed()) return;
  check(sqlite3_prepare_v3(database_.handle(), sql.c_str(), static_cast<int>(sql.size() + 1),
                           SQLITE_PREPARE_PERSISTENT, &statement_, nullptr));
}

Statement::~Statement() {
  sqlite3_finalize(statement_);
}

void Statement::check(int code) {
  if (code != SQLITE_OK) database_.fail(code);
}

void Statement::reset() {
  // Returns the failure of the last step once more, which has been recorded.
  if (statement_) sqlite3_reset(statement_);
}

bool Statement::step() {
  if (!statement_ || database_.failed()) return false;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) check(code);
  sqlite3_reset(statement_);
  return false;
}

std::int64_t Statement::run() {
  if (!statement_ || database_.failed()) return 0;
  while (step()) {}
  return database_.failed() ? 0 : sqlite3_changes64(database_.handle());
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::string_view Statement::bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  if (!data) return {};
  return {static_cast<const char*>(data), static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

void Statement::put(int index, std::int64_t value) {
  if (statement_) check(sqlite3_bind_int64(statement_, index, value));
}

void Statement::put(int index, std::string_view value) {
  // An empty view may point nowhere, which SQLite would take for NULL.
  if (statement_)
    check(sqlite3_bind_text64(statement_, index, value.empty() ? "" : value.data(), value.size(),
                              SQLITE_TRANSIENT, SQLITE_UTF8));
}

void Statement::put(int index, Blob value) {
  if (statement_)
    check(sqlite3_bind_blob64(statement_, index, value.bytes.empty() ? "" : value.bytes.data(),
                              value.bytes.size(), SQLITE_STATIC));
}

}  // namespace rockdove::inbox::sqlite
