// Copies what was committed from the write-ahead log into the database, beside the commits.
#pragma once

#include "inbox/schema.hpp"
#include "inbox/shared_state.hpp"
#include "inbox/turnstile.hpp"

#include <condition_variable>
#include <functional>
#include <thread>

namespace rockdove::inbox {

/// A checkpoint in the committing thread would hold up every append behind it for as long as two fsyncs and
/// some megabytes take. Here commits wait for the last few pages only, when the log starts anew.
///
/// After a failed fsync of the database nobody knows which of the copied pages are on the disk: a later fsync
/// may succeed without them (the kernel tells of an error once, see PostgreSQL's "fsyncgate"), while SQLite
/// takes them for copied and would start the log anew. They are all in the log still, so nothing is copied
/// any more until close() was called and SQLite has made a new index of the log, in which nothing counts as
/// copied.
class CheckpointThread {
 public:
  /// `distrust` is called, by the thread, after such a failure.
  CheckpointThread(DatabaseFile file, std::shared_ptr<SharedState> shared, Turnstile& turnstile,
                   std::function<void()> distrust);
  ~CheckpointThread();

  void start();
  void stop();
  /// After a commit, from the committing thread: the log has so many pages.
  void committed(std::int64_t log_pages);
  /// Closes the connection; it comes back when it is needed. With SharedState::files held alone.
  void close();

 private:
  void run();
  bool checkpoint();
  bool copy(int mode);
  void give_up();

  const DatabaseFile file_;
  const std::shared_ptr<SharedState> shared_;
  Turnstile& turnstile_;
  const std::function<void()> distrust_;
  std::unique_ptr<sqlite::Database> database_;
  bool is_distrusted_ = false;  // what was copied is not known to be safe

  std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t log_pages_ = 0,
               copied_ = 0;  // pages of the log, and those that a checkpoint has been tried on
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace rockdove::inbox
