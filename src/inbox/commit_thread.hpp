// The thread that writes: it takes what is there, commits it at once, and tells all who wait.
#pragma once

#include "inbox/changes.hpp"
#include "inbox/operation.hpp"
#include "inbox/schema.hpp"
#include "inbox/turnstile.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <thread>

namespace rockdove::inbox {

/// Group commit: while one fsync runs the next batch gathers. What the disk refuses is refused at once,
/// except patient operations, which are tried until the disk takes them.
class CommitThread {
 public:
  struct Options {
    std::size_t batch_max = 64;
    std::chrono::milliseconds linger{20};
    std::size_t queue_bytes = 256 * 1024 * 1024;  ///< of operations that are not patient
  };
  struct Hooks {
    std::function<void(std::int64_t log_pages)> committed;
    std::function<void()> close_others;  ///< with SharedState::files held alone: no other connection
  };

  CommitThread(net::Executor executor, DatabaseFile file, std::shared_ptr<SharedState> shared,
               Turnstile& turnstile, Hooks hooks, Options options);
  ~CommitThread();

  /// Opens the database, having it salvaged if it is damaged, and starts. If the disk does not let it, the
  /// thread tries again every second, and health says why. Throws ForeignDatabase.
  void start();
  /// Does what is queued first; patient operations get one more chance.
  void stop();
  /// Any thread.
  void submit(std::shared_ptr<WriteOperation> operation);
  /// False, having done nothing, if too much waits for the disk already; health says so then.
  bool submit_if_room(std::shared_ptr<WriteOperation> operation);
  /// Somebody else found the database damaged. Any thread.
  void report_damage() { tell(damaged_); }
  /// All connections have to be closed, and the log to be kept as it is, before something else is done with
  /// the database than to write to the log: see CheckpointThread. It is done when commits work. Any thread.
  void reopen() { tell(must_reopen_); }

 private:
  struct Writer {
    Writer(std::unique_ptr<sqlite::Database> opened, SharedState& shared, EventId& last_id)
        : database(std::move(opened)), changes(*database, shared, last_id) {}
    std::unique_ptr<sqlite::Database> database;
    Changes changes;
  };
  struct Queued {
    std::shared_ptr<WriteOperation> operation;
    std::size_t bytes = 0;
    bool is_prepared = false;
    int refusals = 0;  // by the database, of this one alone
  };
  using Batch = std::vector<Queued>;

  void run();
  bool is_closed() const { return !writer_; }
  /// A connection that has failed may have left a commit in the log that a new index would take for good.
  bool is_reopening_due() const { return must_reopen_ && writer_ && !stale_ && failure_.empty(); }
  void tell(std::atomic<bool>& flag);
  bool wait_for_work(std::unique_lock<std::mutex>& lock);
  Batch next_batch();
  Batch take_batch(Operations& unwanted, std::size_t& unwanted_bytes);
  void enqueue(std::shared_ptr<WriteOperation> operation, std::size_t bytes);
  void count(const Queued& queued, bool comes);
  void refuse(Queued& queued, Operations& refused);
  void finish(Operations operations, std::size_t bytes);

  void execute(Batch batch);
  bool attempt(Batch& batch);
  bool ensure_open();
  void open();
  void absorb_failure(Batch batch);
  void retire_writer();
  void reopen_now();
  void close();
  void put_back(Batch patient, bool was_mixed);
  void salvage_now();

  const net::Executor executor_;
  const DatabaseFile file_;
  const std::shared_ptr<SharedState> shared_;
  Turnstile& turnstile_;
  const Hooks hooks_;
  const Options options_;

  // Of the thread.
  EventId last_id_ = 0;
  std::int64_t log_pages_ = 0;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<Writer> stale_;  // failed, kept until there is a new one: see retire_writer()
  sqlite::Trouble trouble_ = sqlite::Trouble::none;  // of the last transaction
  std::string failure_;                              // empty: the last transaction went well
  net::Clock::time_point salvaged_at_{};
  std::atomic<bool> damaged_ = false, must_reopen_ = false;  // set by others

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Queued> queue_;
  std::size_t urgent_ = 0, eager_ = 0;   // of the queue: those that are not patient, those that are eager
  std::size_t urgent_bytes_ = 0;         // that came and have not been completed
  bool is_over_ = false;                 // operations were refused for that
  net::Clock::time_point first_at_{};    // when the first of those that linger came
  net::Clock::time_point patient_at_{};  // not before
  std::chrono::milliseconds pause_{0};
  bool apart_ = false;          // the last batch failed: patient and other operations go separately
  std::size_t one_by_one_ = 0;  // so many patient ones, to find the one that cannot be done
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace rockdove::inbox
