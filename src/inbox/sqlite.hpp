// SQLite's C API as values: a connection, a statement, and failures that stick until they are looked at.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace rockdove::inbox::sqlite {

/// What a failure means for whoever has to go on.
enum class Trouble {
  none,
  full,       ///< no space left; it may come back
  io,         ///< reading, writing or fsync failed: what the files hold now is unsure
  corrupt,    ///< what was read is not what a database looks like
  busy,       ///< another connection holds a lock
  read_only,  ///< the file or its directory cannot be written or opened
  other,      ///< anything else is a bug, or memory that ran out
};

/// Bytes that are bound without a copy: they must stay until the statement is reset.
struct Blob {
  std::string_view bytes;
};

/// One connection, used by one thread at a time. The first failure of anything done with it sticks: from then
/// on nothing else is done, so that a sequence of statements needs one look at failed(), at its end.
class Database {
 public:
  enum class Access { create, read_write };

  /// `vfs` empty: the default one. Look at failed() afterwards.
  Database(const std::filesystem::path& file, const std::string& vfs, Access access);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  bool failed() const { return code_ != 0; }
  Trouble trouble() const;
  /// The failure is that memory ran out.
  bool lacks_memory() const;
  /// SQLite's and the system's words for it.
  const std::string& message() const { return message_; }
  /// Lets the connection be used again.
  void forget_failure();
  /// Records a failure found by other means.
  void fail(int code);

  /// Runs statements that give no rows. False on failure.
  bool run(const std::string& sql);
  /// The first column of the first row; nothing if there is none or on failure.
  std::optional<std::int64_t> number(const std::string& sql);

  /// False inside a transaction.
  bool is_idle() const;

  /// After each commit in WAL mode `*pages` is the number of pages in the log. It must outlive this.
  void watch_log(std::int64_t* pages);
  /// Makes safe what checkpoints have copied into the database, while others write to its log. False on
  /// failure.
  bool sync();
  /// The last connection that is closed copies nothing and leaves the log as it is.
  void keep_log();

  sqlite3* handle() { return handle_; }
  const std::filesystem::path& file() const { return file_; }

 private:
  const std::filesystem::path file_;
  sqlite3* handle_ = nullptr;
  int code_ = 0;  // extended result code
  std::string message_;
};

/// A prepared statement; the database must outlive it. A failed one does nothing and gives no rows.
class Statement {
 public:
  Statement(Database& database, const std::string& sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  /// Starts anew with these values for the parameters, in order. Text is copied, a Blob is not.
  template <class... Values>
  Statement& bind(const Values&... values) {
    reset();
    [[maybe_unused]] int index = 0;
    (put(++index, values), ...);
    return *this;
  }
  /// Goes to the next row; false at the end, or on failure.
  bool step();
  /// Steps to the end and resets: for statements whose rows do not matter. Returns how many rows it changed.
  std::int64_t run();
  /// Gives up locks, and the views of the current row.
  void reset();

  std::int64_t integer(int column) const;
  bool is_null(int column) const;
  /// Text or blob; the view is valid until the next step() or reset().
  std::string_view bytes(int column) const;
  std::string text(int column) const { return std::string(bytes(column)); }

 private:
  void put(int index, std::int64_t value);
  void put(int index, std::uint64_t value) { put(index, static_cast<std::int64_t>(value)); }
  void put(int index, int value) { put(index, static_cast<std::int64_t>(value)); }
  void put(int index, bool value) { put(index, static_cast<std::int64_t>(value)); }
  void put(int index, std::string_view value);
  void put(int index, const std::string& value) { put(index, std::string_view(value)); }
  void put(int index, Blob value);
  void check(int code);

  Database& database_;
  sqlite3_stmt* statement_ = nullptr;
};

}  // namespace rockdove::inbox::sqlite
