// Copies what was committed from the write-ahead log into the database, beside the commits.
#pragma once

#include "inbox/schema.hpp"
#include "inbox/shared_state.hpp"
#include "inbox/turnstile.hpp"

#include <condition_variable>
#include <thread>

namespace rockdove::inbox {

/// A checkpoint in the committing thread would hold up every append behind it for as long as two fsyncs and
/// some megabytes take.
class CheckpointThread {
 public:
  CheckpointThread(DatabaseFile file, std::shared_ptr<SharedState> shared, Turnstile& turnstile);
  ~CheckpointThread();

  void start();
  void stop();
  /// After a commit, from the committing thread: the log has so many pages.
  void committed(std::int64_t log_pages);
  /// Closes the connection; it comes back when it is needed. With SharedState::files held alone.
  void close() { database_.reset(); }

 private:
  void run();
  void checkpoint();
  bool copy(int mode);

  const DatabaseFile file_;
  const std::shared_ptr<SharedState> shared_;
  Turnstile& turnstile_;
  std::unique_ptr<sqlite::Database> database_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t log_pages_ = 0,
               copied_ = 0;  // pages of the log, and those that a checkpoint has been tried on
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace rockdove::inbox
