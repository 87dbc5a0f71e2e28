#include "inbox/checkpoint_thread.hpp"

#include "inbox/trouble.hpp"

#include <sqlite3.h>

#include <chrono>

namespace rockdove::inbox {
namespace {

constexpr std::int64_t copy_pages = 1024;     // 8 MiB: small enough for copy and fsync to end soon
constexpr std::int64_t restart_pages = 8192;  // 64 MiB: then commits wait, once, so that the log starts anew
constexpr auto idle = std::chrono::seconds(1);  // and after a failure

}  // namespace

CheckpointThread::CheckpointThread(DatabaseFile file, std::shared_ptr<SharedState> shared,
                                   Turnstile& turnstile, std::function<void()> distrust)
    : file_(std::move(file)),
      shared_(std::move(shared)),
      turnstile_(turnstile),
      distrust_(std::move(distrust)) {}

CheckpointThread::~CheckpointThread() {
  stop();
}

void CheckpointThread::start() {
  thread_ = std::thread([this] { run(); });
}

void CheckpointThread::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void CheckpointThread::committed(std::int64_t log_pages) {
  bool is_due = false;
  {
    const std::lock_guard lock(mutex_);
    if (log_pages < log_pages_) copied_ = 0;  // the log has started anew
    const bool was_clean = log_pages_ == copied_;
    log_pages_ = log_pages;
    is_due = was_clean || log_pages_ - copied_ >= copy_pages;
  }
  if (is_due) changed_.notify_all();
}

void CheckpointThread::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto is_due = [this] { return stopping_ || log_pages_ - copied_ >= copy_pages; };
    const auto is_dirty = [this] { return stopping_ || log_pages_ != copied_; };
    changed_.wait(lock, is_dirty);
    // Little to copy waits for more, or for a quiet moment.
    while (!is_due()) {
      const auto before = log_pages_;
      if (!changed_.wait_for(lock, idle, is_due) && log_pages_ == before) break;
    }
    if (stopping_) return;
    copied_ = log_pages_;
    lock.unlock();
    const bool ok = checkpoint();
    lock.lock();
    if (!ok) changed_.wait_for(lock, idle, [this] { return stopping_; });
  }
}

bool CheckpointThread::checkpoint() {
  const std::shared_lock files(shared_->files);
  if (is_distrusted_) return false;
  std::int64_t pages = 0;
  {
    const std::lock_guard lock(mutex_);
    pages = log_pages_;
  }
  // Most is copied and safe before commits have to wait.
  bool ok = copy(SQLITE_CHECKPOINT_PASSIVE) && database_->sync();
  if (ok && pages >= restart_pages) {
    const Turnstile::Break no_commits(turnstile_);
    ok = copy(SQLITE_CHECKPOINT_RESTART);
  }
  if (ok) shared_->health.set_failure(HealthBook::Work::checkpoint, {});
  else give_up();
  return ok;
}

bool CheckpointThread::copy(int mode) {
  if (!database_) database_ = connect(file_, Role::checkpoint);
  if (database_->failed()) return false;
  const int code = sqlite3_wal_checkpoint_v2(database_->handle(), nullptr, mode, nullptr, nullptr);
  // Busy: a reader still looks at an older state, or somebody else copies. There will be a next time.
  if (code == SQLITE_OK || (code & 0xff) == SQLITE_BUSY) return true;
  database_->fail(code);
  return false;
}

void CheckpointThread::give_up() {
  shared_->health.set_failure(HealthBook::Work::checkpoint, explain(*database_));
  is_distrusted_ = database_->trouble() == sqlite::Trouble::io;  // mostly an fsync; the others cost little
  database_.reset();
  if (is_distrusted_) distrust_();
}

void CheckpointThread::close() {
  database_.reset();
  if (!std::exchange(is_distrusted_, false)) return;
  {
    const std::lock_guard lock(mutex_);
    copied_ = 0;
  }
  changed_.notify_all();
}

}  // namespace rockdove::inbox
