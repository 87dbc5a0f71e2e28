#include "inbox/commit_thread.hpp"

#include "inbox/salvage.hpp"
#include "inbox/trouble.hpp"
#include "net/log.hpp"

#include <algorithm>

namespace rockdove::inbox {
namespace {

constexpr std::size_t batch_bytes = 8 * 1024 * 1024;  // a transaction should fit into the page cache
constexpr std::size_t company = 2;                    // a batch_max-th of so much is worth a commit
constexpr std::chrono::milliseconds pause_first{200}, pause_longest{1'000};
constexpr std::size_t operation_bytes = 1024;  // without what it writes
constexpr int refusals_max = 6;                // of a patient operation, by a database that takes others
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
  close();
}

void CommitThread::start() {
  try {
    finish_salvage(file_);
    open();
  } catch (const std::filesystem::filesystem_error& error) {
    trouble_ = sqlite::Trouble::io;
    failure_ = error.what();
  }
  if (!writer_ && trouble_ == sqlite::Trouble::corrupt) salvage_now();
  if (!writer_) {  // what is not about events goes on meanwhile
    log::error("inbox", "events cannot be stored: {}", failure_);
    shared_->health.set_failure(HealthBook::Work::commit, failure_);
  }
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
  const std::size_t bytes = operation->bytes() + operation_bytes;
  const std::lock_guard lock(mutex_);
  enqueue(std::move(operation), bytes);
}

bool CommitThread::submit_if_room(std::shared_ptr<WriteOperation> operation) {
  const std::size_t bytes = operation->bytes() + operation_bytes;
  const std::lock_guard lock(mutex_);
  if (urgent_bytes_ > 0 && urgent_bytes_ + bytes > options_.queue_bytes) {
    if (!std::exchange(is_over_, true)) {
      shared_->health.set_failure(HealthBook::Work::queue, explain_full_queue(file_.path, urgent_bytes_));
      log::error("inbox", "{}", explain_full_queue(file_.path, urgent_bytes_));
    }
    return false;
  }
  enqueue(std::move(operation), bytes);
  return true;
}

void CommitThread::enqueue(std::shared_ptr<WriteOperation> operation, std::size_t bytes) {
  if (queue_.empty()) first_at_ = net::Clock::now();
  const bool hurries = !operation->is_patient() || operation->is_eager();
  if (!operation->is_patient()) urgent_bytes_ += bytes;
  queue_.push_back({std::move(operation), bytes});
  count(queue_.back(), true);
  if (hurries || queue_.size() == 1 || queue_.size() >= options_.batch_max / company) changed_.notify_one();
}

/// Something comes into the queue, or leaves it.
void CommitThread::count(const Queued& queued, bool comes) {
  auto& number = queued.operation->is_patient() ? eager_ : urgent_;
  if (queued.operation->is_patient() && !queued.operation->is_eager()) return;
  if (comes) ++number;
  else --number;
}

void CommitThread::tell(std::atomic<bool>& flag) {
  {
    const std::lock_guard lock(mutex_);
    flag = true;
  }
  changed_.notify_one();
}

void CommitThread::run() {
  for (;;) {
    Batch batch = next_batch();
    if (damaged_.exchange(false)) salvage_now();
    const bool has_work = !batch.empty();
    if (has_work) execute(std::move(batch));
    if (is_reopening_due()) reopen_now();
    {
      const std::lock_guard lock(mutex_);
      if (stopping_ && queue_.empty()) return;
    }
    if (!has_work && is_closed()) execute({});
  }
}

/// True when a batch should be taken now.
bool CommitThread::wait_for_work(std::unique_lock<std::mutex>& lock) {
  for (;;) {
    if (stopping_ || damaged_ || is_reopening_due()) return !queue_.empty();
    if (urgent_ > 0) return true;
    if (queue_.empty() && is_closed()) {
      changed_.wait_for(lock, pause_longest);
      return !queue_.empty();
    }
    if (queue_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const bool is_company = eager_ > 0 || queue_.size() >= options_.batch_max / company;
    const auto until = std::max(patient_at_, is_company ? first_at_ : first_at_ + options_.linger);
    if (net::Clock::now() >= until) return true;
    changed_.wait_until(lock, until);
  }
}

CommitThread::Batch CommitThread::next_batch() {
  Batch batch;
  Operations unwanted;
  std::size_t bytes = 0;
  {
    std::unique_lock lock(mutex_);
    if (!wait_for_work(lock)) return batch;
    batch = take_batch(unwanted, bytes);
  }
  finish(std::move(unwanted), bytes);
  return batch;
}

/// `unwanted` gets what nobody waits for any more, `unwanted_bytes` how much that is.
CommitThread::Batch CommitThread::take_batch(Operations& unwanted, std::size_t& unwanted_bytes) {
  Batch batch;
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
    } else if (next.operation->is_unwanted()) {
      count(next, false);
      unwanted_bytes += next.bytes;
      refuse(next, unwanted);
    } else {
      bytes += next.bytes;
      if (!batch.empty() && bytes > batch_bytes) break;
      count(next, false);
      batch.push_back(std::move(next));
    }
    queue_.pop_front();
  }
  queue_.insert(queue_.begin(), std::make_move_iterator(rest.begin()), std::make_move_iterator(rest.end()));
  first_at_ = net::Clock::now();
  return batch;
}

void CommitThread::refuse(Queued& queued, Operations& refused) {
  queued.operation->refuse(Error::unavailable);
  refused.push_back(std::move(queued.operation));
}

/// They are done or refused; those that were not patient took so many bytes.
void CommitThread::finish(Operations operations, std::size_t bytes) {
  if (bytes > 0) {
    const std::lock_guard lock(mutex_);
    urgent_bytes_ -= bytes;
    if (is_over_ && urgent_bytes_ <= options_.queue_bytes / 2) {
      is_over_ = false;
      shared_->health.set_failure(HealthBook::Work::queue, {});
    }
  }
  complete(executor_, std::move(operations));
}

/// With an empty batch it looks whether the disk works again.
void CommitThread::execute(Batch batch) {
  for (Queued& each : batch)
    if (!std::exchange(each.is_prepared, true)) each.operation->prepare();
  if (!writer_ && is_salvage_unfinished(file_)) salvage_now();
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
    if (one_by_one_ > 0 && !batch.empty() && batch.front().operation->is_patient()) --one_by_one_;
    apart_ = one_by_one_ > 0;
  }
  Operations done;
  std::size_t bytes = 0;
  for (Queued& each : batch) {
    if (!each.operation->is_patient()) bytes += each.bytes;
    done.push_back(std::move(each.operation));
  }
  finish(std::move(done), bytes);
}

bool CommitThread::attempt(Batch& batch) {
  const Turnstile::Turn turn(turnstile_);
  if (!ensure_open()) return false;
  const auto began = net::Clock::now();
  Changes& changes = writer_->changes;
  sqlite::Database& database = *writer_->database;
  changes.begin();
  if (!failure_.empty()) changes.probe();
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
  if (is_salvage_unfinished(file_)) {  // to open it would be to make an empty one
    trouble_ = sqlite::Trouble::read_only;
    return false;
  }
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
  // The queue would meet the same, batch by batch, each after its time-out, while more comes in.
  const bool is_for_all = trouble_ != Trouble::corrupt && trouble_ != Trouble::other;
  Operations refused;
  Batch patient;
  std::size_t bytes = 0;
  bool stopping = false;
  {
    const std::lock_guard lock(mutex_);
    stopping = stopping_;
    for (std::size_t at = 0; is_for_all && at < queue_.size(); ++at) {
      if (queue_[at].operation->is_patient()) continue;
      count(queue_[at], false);
      batch.push_back(std::move(queue_[at]));
    }
    std::erase_if(queue_, [](const Queued& each) { return !each.operation; });
  }
  if (trouble_ == Trouble::other && batch.size() == 1) ++batch.front().refusals;
  for (Queued& each : batch) {
    const bool is_patient = each.operation->is_patient();
    if (is_patient && each.refusals < refusals_max && !stopping) {
      patient.push_back(std::move(each));
      continue;
    }
    if (is_patient)
      log::error("inbox", "what became of event {} is lost, it is due again: {}",
                 format_event_id(each.operation->event_id()), failure_);
    if (!is_patient) bytes += each.bytes;
    refuse(each, refused);
  }
  put_back(std::move(patient), !refused.empty());
  finish(std::move(refused), bytes);
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
  for (const Queued& each : patient) count(each, true);
  queue_.insert(queue_.begin(), std::make_move_iterator(patient.begin()),
                std::make_move_iterator(patient.end()));
}

void CommitThread::reopen_now() {
  log::warn("inbox", "a copy into {} failed: all of its log is copied again", file_.path.string());
  const std::unique_lock alone(shared_->files);
  hooks_.close_others();
  close();
  if (!ensure_open()) shared_->health.set_failure(HealthBook::Work::commit, failure_);
}

/// No other connection is left: the last one decides what becomes of the log.
void CommitThread::close() {
  for (std::unique_ptr<Writer>* each : {&writer_, &stale_}) {
    if (*each && must_reopen_) (*each)->database->keep_log();
    each->reset();
  }
  must_reopen_ = false;
}

void CommitThread::salvage_now() {
  const auto now = net::Clock::now();
  if (salvaged_at_ != net::Clock::time_point{} && now - salvaged_at_ < between_salvages) return;
  salvaged_at_ = now;
  shared_->health.set_failure(HealthBook::Work::commit,
                              file_.path.string() + " is damaged: what can be read is being taken over");
  const std::unique_lock alone(shared_->files);
  hooks_.close_others();
  close();
  try {
    const auto failure = salvage(file_);
    if (failure.empty()) open();
    else failure_ = failure;
  } catch (const std::exception& error) { failure_ = error.what(); }  // nobody else would catch it
  if (!writer_) {
    shared_->health.set_failure(HealthBook::Work::commit, failure_);
    return;
  }
  shared_->health.set_failure(HealthBook::Work::commit, {});
  shared_->health.set_failure(HealthBook::Work::read, {});
}

}  // namespace rockdove::inbox
