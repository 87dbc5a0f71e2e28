#include "inbox/read_thread.hpp"

#include "inbox/trouble.hpp"
#include "net/log.hpp"

namespace rockdove::inbox {

ReadThread::ReadThread(net::Executor executor, DatabaseFile file, std::shared_ptr<SharedState> shared,
                       Hooks hooks)
    : executor_(std::move(executor)),
      file_(std::move(file)),
      shared_(std::move(shared)),
      hooks_(std::move(hooks)) {}

ReadThread::~ReadThread() {
  stop();
}

void ReadThread::start() {
  thread_ = std::thread([this] { run(); });
}

void ReadThread::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void ReadThread::submit(std::shared_ptr<ReadOperation> operation) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(operation));
  }
  changed_.notify_one();
}

void ReadThread::run() {
  for (;;) {
    std::shared_ptr<ReadOperation> operation;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      operation = std::move(queue_.front());
      queue_.pop_front();
    }
    execute(*operation);
    complete(executor_, {std::move(operation)});
  }
}

void ReadThread::execute(ReadOperation& operation) {
  const std::shared_lock files(shared_->files);
  if (!reader_) reader_ = std::make_unique<Reader>(file_, *shared_, hooks_.quarantine);
  sqlite::Database& database = *reader_->database;
  if (!database.failed()) operation.apply(reader_->lookups);
  using Work = HealthBook::Work;
  if (!database.failed()) {
    shared_->health.set_failure(Work::read, {});
    return;
  }
  operation.refuse(Error::unavailable);
  log::error("inbox", "reading failed: {}", explain(database));
  shared_->health.set_failure(Work::read, explain(database));
  if (database.trouble() == sqlite::Trouble::corrupt) hooks_.report_damage();
  reader_.reset();  // a new connection reads anew what this one may have read wrongly
}

}  // namespace rockdove::inbox
