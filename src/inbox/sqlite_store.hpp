// The embedded store: one SQLite database, one thread that commits, one that reads, one that checkpoints.
#pragma once

#include "inbox/store.hpp"

#include <filesystem>
#include <memory>

namespace rockdove::inbox {

struct SqliteOptions {
  std::filesystem::path file;            ///< the database; "-wal" and "-shm" lie beside it
  std::string vfs;                       ///< of SQLite; empty: the default one. Tests put a failing disk here
  std::size_t batch_max = 64;            ///< operations in one commit
  std::chrono::milliseconds linger{20};  ///< settlements alone wait so long for company; appends never do
  std::size_t queue_bytes =
      256 * 1024 * 1024;  ///< of events that wait for their commit; above, appends are refused at once
  std::size_t cache_bytes = 16 * 1024 * 1024;  ///< of pages, per connection
  std::chrono::milliseconds page_time{25};     ///< a search for list() stops after this
  Retention retention;
};

/// Opens, creates or migrates the database. One that SQLite cannot read is moved aside and what can be read
/// of it is taken over. While the disk is full, read-only or the database locked, appends are refused, health
/// says why, and it is tried again every second. Throws std::runtime_error that says what to do when the
/// directory cannot be used at all, another server uses the inbox, or a newer rockdove wrote the file. The
/// destructor finishes what is under way and joins the threads; no operation may be awaited then.
std::unique_ptr<Store> open_sqlite_store(net::Executor executor, SqliteOptions options);

}  // namespace rockdove::inbox
