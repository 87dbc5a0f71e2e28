#include "inbox/commit_thread.hpp"

#include "inbox/salvage.hpp"
#include "inbox/trouble.hpp"
#include "net/log.hpp"

#include <algorithm>

namespace rockdove::inbox {
namespace {

constexpr std::size_t batch_bytes = 8 * 1024 * 1024;  // a transaction should fit into the page cache
constexpr std::size_t company = 4;                    // a batch_max-th of so much is worth a commit
constexpr std::chrono::milliseconds pause_first{200}, pause_longest{1'000};
constexpr auto between_salvages = std::chrono::minutes(1);

}  // namespace

CommitThread::CommitThread(net::Executor executor, DatabaseFile file, std::shared_ptr<SharedState> shared,
                           Turnstile& turnstile, Hooks hooks, Options options)
    : executor_(std::move(executor)),
      file_(std::move(file)),
      shared_(std::move(shared)),
      turnstile_(turnstile),
      hooks_(std::move(hooks)),
      options_(options) {}

CommitThread::~CommitThread() {
  stop();
}

void CommitThread::start() {
  finish_salvage(file_);
  open();
  if (!writer_ && trouble_ == sqlite::Trouble::corrupt) salvage_now();
  if (!writer_) throw std::runtime_error("the inbox cannot be opened: " + failure_);
  thread_ = std::thread([this] { run(); });
}

void CommitThread::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void CommitThread::submit(std::shared_ptr<WriteOperation> operation) {
  bool wakes = false;
  {
    const std::lock_guard lock(mutex_);
    if (queue_.empty()) first_at_ = net::Clock::now();
    const bool is_urgent = !operation->is_patient();
    if (is_urgent) ++urgent_;
    queue_.push_back({std::move(operation)});
    wakes = is_urgent || queue_.size() == 1 || queue_.size() >= options_.batch_max / company;
  }
  if (wakes) changed_.notify_one();
}

void CommitThread::report_damage() {
  {
    const std::lock_guard lock(mutex_);
    damaged_ = true;
  }
  changed_.notify_one();
}

void CommitThread::run() {
  for (;;) {
    bool is_damaged = false;
    Batch batch = next_batch(is_damaged);
    if (is_damaged) salvage_now();
    if (!batch.empty()) execute(std::move(batch));
    const std::lock_guard lock(mutex_);
    if (stopping_ && queue_.empty()) return;
  }
}

/// True when a batch should be taken now.
bool CommitThread::wait_for_work(std::unique_lock<std::mutex>& lock) {
  for (;;) {
    if (stopping_ || damaged_) return !queue_.empty();
    if (urgent_ > 0) return true;
    if (queue_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const bool is_company = queue_.size() >= options_.batch_max / company;
    const auto until = std::max(patient_at_, is_company ? first_at_ : first_at_ + options_.linger);
    if (net::Clock::now() >= until) return true;
    changed_.wait_until(lock, until);
  }
}

CommitThread::Batch CommitThread::next_batch(bool& is_damaged) {
  std::unique_lock lock(mutex_);
  Batch batch;
  const bool has_work = wait_for_work(lock);
  is_damaged = std::exchange(damaged_, false);
  if (!has_work) return batch;
  // Settlements need less room than events: on a disk that is nearly full they must not fail with them.
  const bool only_patient =
      apart_ && urgent_ < queue_.size() && (net::Clock::now() >= patient_at_ || urgent_ == 0);
  const bool only_urgent = apart_ && !only_patient;
  const std::size_t most = only_patient && one_by_one_ > 0 ? 1 : options_.batch_max;
  std::size_t bytes = 0;
  std::deque<Queued> rest;
  while (!queue_.empty() && batch.size() < most) {
    Queued& next = queue_.front();
    const bool is_patient = next.operation->is_patient();
    if ((only_patient && !is_patient) || (only_urgent && is_patient)) {
      rest.push_back(std::move(next));
    } else {
      bytes += next.operation->bytes();
      if (!batch.empty() && bytes > batch_bytes) break;
      if (!is_patient) --urgent_;
      batch.push_back(std::move(next));
    }
    queue_.pop_front();
  }
  queue_.insert(queue_.begin(), std::make_move_iterator(rest.begin()), std::make_move_iterator(rest.end()));
  first_at_ = net::Clock::now();
  return batch;
}

void CommitThread::execute(Batch batch) {
  for (Queued& each : batch)
    if (!std::exchange(each.is_prepared, true)) each.operation->prepare();
  if (!attempt(batch)) {
    absorb_failure(std::move(batch));
    return;
  }
  if (!failure_.empty()) log::info("inbox", "events are stored again");
  failure_.clear();
  shared_->health.set_failure(HealthBook::Work::commit, {});
  hooks_.committed(log_pages_);
  {
    const std::lock_guard lock(mutex_);
    patient_at_ = {};
    pause_ = {};
    if (one_by_one_ > 0 && batch.front().operation->is_patient()) --one_by_one_;
    apart_ = one_by_one_ > 0;
  }
  Operations done;
  for (Queued& each : batch) done.push_back(std::move(each.operation));
  complete(executor_, std::move(done));
}

bool CommitThread::attempt(Batch& batch) {
  const Turnstile::Turn turn(turnstile_);
  if (!ensure_open()) return false;
  const auto began = net::Clock::now();
  Changes& changes = writer_->changes;
  sqlite::Database& database = *writer_->database;
  changes.begin();
  for (Queued& each : batch)
    if (!database.failed()) each.operation->apply(changes);
  if (!database.failed() && changes.commit()) {
    shared_->health.committed(
        std::chrono::duration_cast<std::chrono::microseconds>(net::Clock::now() - began));
    return true;
  }
  trouble_ = database.trouble();
  const std::string reason = explain(database);
  if (failure_ != reason) log::error("inbox", "events cannot be stored: {}", reason);
  failure_ = reason;
  changes.roll_back();
  return false;
}

bool CommitThread::ensure_open() {
  if (writer_) return true;
  try {
    open();
  } catch (const ForeignDatabase& foreign) {  // somebody has put another file there
    trouble_ = sqlite::Trouble::read_only;
    failure_ = foreign.what();
  }
  return writer_ != nullptr;
}

void CommitThread::open() {
  auto database = connect(file_, Role::writer);
  migrate(*database);
  Loaded loaded = load(*database);
  if (!database->failed()) {
    database->watch_log(&log_pages_);
    // What a failed commit has left behind is known only now.
    shared_->tallies.replace(std::move(loaded.counts));
    last_id_ = std::max(last_id_, loaded.last_id);
    auto writer = std::make_unique<Writer>(std::move(database), *shared_, last_id_);
    if (!writer->database->failed()) {
      writer_ = std::move(writer);
      stale_.reset();
      return;
    }
    trouble_ = writer->database->trouble();
    failure_ = explain(*writer->database);
    return;
  }
  trouble_ = database->trouble();
  failure_ = explain(*database);
}

void CommitThread::absorb_failure(Batch batch) {
  using sqlite::Trouble;
  shared_->health.set_failure(HealthBook::Work::commit, failure_);
  if (trouble_ != Trouble::full && trouble_ != Trouble::busy) retire_writer();
  if (trouble_ == Trouble::corrupt) salvage_now();
  Operations refused;
  Batch patient;
  const bool is_hopeless = trouble_ == Trouble::other && batch.size() == 1;
  bool stopping = false;
  {
    const std::lock_guard lock(mutex_);
    stopping = stopping_;
  }
  for (Queued& each : batch) {
    if (each.operation->is_patient() && !is_hopeless && !stopping) {
      patient.push_back(std::move(each));
      continue;
    }
    if (each.operation->is_patient()) log::error("inbox", "what became of an event is lost: {}", failure_);
    each.operation->refuse(Error::unavailable);
    refused.push_back(std::move(each.operation));
  }
  put_back(std::move(patient), !refused.empty());
  complete(executor_, std::move(refused));
}

/// What the files hold after a failed write or fsync is unsure, so a new connection has to look. The old one
/// stays until then: with the last connection goes the log's index, and who builds a new one from the log
/// finds the commit there that has failed, and takes it for good.
void CommitThread::retire_writer() {
  if (!stale_ && writer_ && writer_->database->is_idle()) stale_ = std::move(writer_);
  writer_.reset();
}

void CommitThread::put_back(Batch patient, bool was_mixed) {
  const std::lock_guard lock(mutex_);
  apart_ = true;
  if (patient.empty()) return;
  if (trouble_ == sqlite::Trouble::other) one_by_one_ = patient.size();
  pause_ = std::clamp(pause_ * 2, pause_first, pause_longest);
  patient_at_ = net::Clock::now();
  if (!was_mixed) patient_at_ += pause_;
  queue_.insert(queue_.begin(), std::make_move_iterator(patient.begin()),
                std::make_move_iterator(patient.end()));
}

void CommitThread::salvage_now() {
  const auto now = net::Clock::now();
  if (salvaged_at_ != net::Clock::time_point{} && now - salvaged_at_ < between_salvages) return;
  salvaged_at_ = now;
  shared_->health.set_failure(HealthBook::Work::commit,
                              file_.path.string() + " is damaged: what can be read is being taken over");
  const std::unique_lock alone(shared_->files);
  writer_.reset();
  stale_.reset();
  hooks_.close_others();
  const auto failure = salvage(file_);
  if (failure.empty()) open();
  else failure_ = failure;
  if (!writer_) return;
  shared_->health.set_failure(HealthBook::Work::commit, {});
  shared_->health.set_failure(HealthBook::Work::read, {});
}

}  // namespace rockdove::inbox
