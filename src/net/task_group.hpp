// Who owns a background coroutine: it is started, cancelled and joined here and nowhere else.
#pragma once

#include "net/event.hpp"

#include <exception>
#include <functional>
#include <list>

namespace rockdove::net {

/// Owns coroutines. Loop thread only, and cancel() only from what runs on the loop. join() must have returned
/// before the group is destroyed.
class TaskGroup {
  struct Child;

 public:
  using OnError = std::function<void(std::exception_ptr)>;

  /// `on_error` gets every exception that leaves a task except cancellation: it means a bug.
  TaskGroup(Executor executor, OnError on_error)
      : executor_(executor), on_error_(std::move(on_error)), idle_(executor) {}

  /// Names one running task; it is valid until that task has ended.
  class Task {
   public:
    /// Ends the task's current wait with operation_aborted, now or at its next co_await.
    void cancel() { child_->cancel(); }

   private:
    friend TaskGroup;
    explicit Task(Child* child) : child_(child) {}
    Child* child_;
  };

  /// Starts `task` at the next turn of the loop, never inside spawn(): it may be called from any callback.
  /// A task that is cancelled before that never starts. Its parameters must be values (CP.53).
  Task spawn(Awaitable<void> task) {
    const auto child = children_.emplace(children_.end());
    // co_spawn alone would run the task at once when it is called on the loop.
    asio::post(executor_, [this, child, task = std::move(task)]() mutable { start(child, std::move(task)); });
    return Task(&*child);
  }

  void cancel() {
    for (auto next = children_.begin(); next != children_.end();) {
      auto child = next++;  // a cancelled task may end, and leave the list, inside emit()
      child->cancel();
    }
  }

  /// Returns when no task is left. One join at a time, and not from a task of the group.
  Awaitable<void> join() {
    while (!children_.empty()) co_await idle_.wait();
  }

  /// The same for at most `limit`; false if there are tasks left then.
  Awaitable<bool> join_for(Duration limit);

  /// join() for a coroutine that may be cancelled itself: it takes the tasks down with it.
  Awaitable<void> join_or_cancel();

  bool empty() const { return children_.empty(); }
  std::size_t size() const { return children_.size(); }
  const Executor& executor() const { return executor_; }

 private:
  struct Child {
    enum class Stage { queued, starting, started };

    /// Before its first wait a task does not listen, and co_spawn would let the cancellation escape from it.
    void cancel() {
      is_cancelled = true;
      if (stage == Stage::started) signal.emit(asio::cancellation_type::terminal);
    }

    asio::cancellation_signal signal;
    Stage stage = Stage::queued;
    bool is_cancelled = false;
  };
  using Children = std::list<Child>;

  /// Runs the task up to its first wait.
  void start(Children::iterator child, Awaitable<void> task) {
    if (child->is_cancelled) {
      { const Awaitable<void> never_started = std::move(task); }
      return ended(child, {});
    }
    child->stage = Child::Stage::starting;
    asio::co_spawn(
        executor_, std::move(task),
        asio::bind_cancellation_slot(child->signal.slot(),
                                     [this, child](std::exception_ptr error) { ended(child, error); }));
    child->stage = Child::Stage::started;  // one that never waits ends at a later turn all the same
    if (child->is_cancelled) child->cancel();
  }

  void ended(Children::iterator child, std::exception_ptr error) {
    children_.erase(child);
    if (error && !is_cancellation(error)) on_error_(error);
    if (children_.empty()) idle_.notify();
  }

  static bool is_cancellation(const std::exception_ptr& error) {
    try {
      std::rethrow_exception(error);
    } catch (const boost::system::system_error& failure) {
      return failure.code() == asio::error::operation_aborted;
    } catch (...) { return false; }
  }

  Executor executor_;
  OnError on_error_;
  Children children_;
  Event idle_;
};

/// The usual OnError: logs the exception and ends the process. A bug must not go on serving.
[[noreturn]] void abort_on_error(std::exception_ptr error);

}  // namespace rockdove::net
