// The thread that reads: claims, look-ups and searches, one after the other.
#pragma once

#include "inbox/lookups.hpp"
#include "inbox/operation.hpp"
#include "inbox/schema.hpp"

#include <condition_variable>
#include <deque>
#include <thread>

namespace rockdove::inbox {

class ReadThread {
 public:
  struct Hooks {
    Lookups::Quarantine quarantine;
    std::function<void()> report_damage;  ///< the database is not sound
  };

  ReadThread(net::Executor executor, DatabaseFile file, std::shared_ptr<SharedState> shared, Hooks hooks);
  ~ReadThread();

  void start();
  /// Does what is queued first.
  void stop();
  void submit(std::shared_ptr<ReadOperation> operation);
  /// Closes the connection; it comes back when it is needed. With SharedState::files held alone.
  void close() { reader_.reset(); }

 private:
  struct Reader {
    Reader(const DatabaseFile& file, SharedState& shared, const Lookups::Quarantine& quarantine)
        : database(connect(file, Role::reader)), lookups(*database, shared, quarantine) {}
    std::unique_ptr<sqlite::Database> database;
    Lookups lookups;
  };

  void run();
  void execute(ReadOperation& operation);

  const net::Executor executor_;
  const DatabaseFile file_;
  const std::shared_ptr<SharedState> shared_;
  const Hooks hooks_;
  std::unique_ptr<Reader> reader_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<ReadOperation>> queue_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace rockdove::inbox
