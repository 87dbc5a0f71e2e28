#include "inbox/inspect.hpp"

#include "inbox/schema.hpp"

#include <sqlite3.h>

#include <memory>

namespace rockdove::inbox {
namespace {

struct Close {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
};
struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

/// The file's name as a URI (sqlite.org/uri.html). Without a write-ahead log nobody has the file open in WAL
/// mode: then it is read as it stands, since SQLite would make a log and an index even to read.
std::string uri_of(const std::filesystem::path& file) {
  constexpr const char* digits = "0123456789abcdef";
  std::string uri = "file:";
  for (const char c : std::filesystem::absolute(file).string()) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain = c == '/' || c == '.' || c == '-' || c == '_' || (c >= '0' && c <= '9') ||
                          (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (is_plain) uri += c;
    else uri.append({'%', digits[byte >> 4], digits[byte & 15]});
  }
  auto log = file;
  log += "-wal";
  std::error_code unknown;
  return uri + (std::filesystem::exists(log, unknown) ? "?mode=ro" : "?mode=ro&immutable=1");
}

bool read_number(sqlite3* database, const char* sql, std::int64_t& into) {
  sqlite3_stmt* prepared = nullptr;
  if (sqlite3_prepare_v2(database, sql, -1, &prepared, nullptr) != SQLITE_OK) return false;
  const std::unique_ptr<sqlite3_stmt, Finalize> statement(prepared);
  if (sqlite3_step(prepared) != SQLITE_ROW) return false;
  into = sqlite3_column_int64(prepared, 0);
  return true;
}

}  // namespace

Inspection inspect(const std::filesystem::path& file) {
  sqlite3* opened = nullptr;
  constexpr int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI;
  const int code = sqlite3_open_v2(uri_of(file).c_str(), &opened, flags, nullptr);
  const std::unique_ptr<sqlite3, Close> database(opened);
  if (code != SQLITE_OK) return {false, 0, opened ? sqlite3_errmsg(opened) : sqlite3_errstr(code)};
  Inspection found;
  std::int64_t application = 0, tables = 0;
  if (!read_number(opened, "PRAGMA application_id", application) ||
      !read_number(opened, "PRAGMA user_version", found.version) ||
      !read_number(opened, "SELECT count(*) FROM sqlite_schema", tables)) {
    found.error = sqlite3_errmsg(opened);
    return found;
  }
  // A new file has no marks and no tables yet.
  found.is_ours = application == application_id || (application == 0 && found.version == 0 && tables == 0);
  return found;
}

}  // namespace rockdove::inbox
