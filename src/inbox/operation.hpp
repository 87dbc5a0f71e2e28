// One call of the store on its way to one of the store's threads and back to the loop.
#pragma once

#include "inbox/claims.hpp"
#include "inbox/store.hpp"
#include "net/event.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

namespace rockdove::inbox {

class Changes;
class Lookups;

/// Shared between the coroutine that waits, which may be cancelled, and the thread that does it, which then
/// goes on regardless. The members are for the loop thread; what a derived class adds belongs to the thread
/// until the operation has been completed.
struct Operation {
  explicit Operation(const net::Executor& executor) : done(executor) {}
  virtual ~Operation() = default;
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;

  /// It was done but nobody waits for the answer any more: undoes what only the answer's taker could undo.
  virtual void abandon() {}

  net::Event done;
  bool finished = false;
  bool awaited = false;
  std::atomic<bool> left{false};  ///< for all threads: whoever waited went away before it was completed
};
using Operations = std::vector<std::shared_ptr<Operation>>;

/// On the loop, from any thread: ends them all with one post.
inline void complete(const net::Executor& executor, Operations operations) {
  if (operations.empty()) return;
  net::asio::post(executor, [all = std::move(operations)] {
    for (const auto& each : all) {
      each->finished = true;
      if (each->awaited) each->done.notify();
      else each->abandon();
    }
  });
}

/// Waits until the operation is completed. Cancelling this leaves the operation alone.
inline Awaitable<void> completion(std::shared_ptr<Operation> operation) {
  struct Wait {
    explicit Wait(Operation& of) : operation(of) { operation.awaited = true; }
    ~Wait() {
      operation.awaited = false;
      if (!operation.finished) operation.left = true;
      else if (!taken) operation.abandon();
    }
    Operation& operation;
    bool taken = false;
  };
  Wait wait(*operation);
  while (!operation->finished) co_await operation->done.wait();
  wait.taken = true;
}

/// Something for the committing thread, done in a transaction together with others.
struct WriteOperation : Operation {
  using Operation::Operation;
  /// Outside of the transaction and before it, once.
  virtual void prepare() {}
  /// Inside. Runs again if that transaction is rolled back and the operation is patient.
  virtual void apply(Changes& changes) = 0;
  /// It could not be done, and will not be.
  virtual void refuse(boost::system::error_code error) = 0;
  /// A patient one can wait for company, and is tried again until the disk takes it.
  virtual bool is_patient() const { return false; }
  /// A patient one that others wait for: it does not wait for company.
  virtual bool is_eager() const { return false; }
  /// Not begun, it need not be: it is refused then.
  virtual bool is_unwanted() const { return false; }
  /// The event that it is about, for the log; 0: none.
  virtual EventId event_id() const { return 0; }
  /// About how much it writes.
  virtual std::size_t bytes() const { return 0; }
};

/// Something for the reading thread.
struct ReadOperation : Operation {
  using Operation::Operation;
  virtual void apply(Lookups& lookups) = 0;
  virtual void refuse(boost::system::error_code error) = 0;
};

/// An operation that is one function of the thread's side and gives a T.
template <class Kind, class Side, class T>
struct Call final : Kind {
  using Work = std::function<Result<T>(Side&)>;
  using Abandoned = std::function<void(std::conditional_t<std::is_void_v<T>, int, T>&)>;

  Call(const net::Executor& executor, Work do_it, Abandoned nobody = {})
      : Kind(executor), work(std::move(do_it)), abandoned(std::move(nobody)) {}
  void apply(Side& side) override { answer.emplace(work(side)); }
  void refuse(boost::system::error_code error) override { answer.emplace(error); }
  void abandon() override {
    if constexpr (!std::is_void_v<T>)
      if (abandoned && answer && *answer) abandoned(**answer);
  }

  Work work;
  Abandoned abandoned;
  std::optional<Result<T>> answer;  // built in place: GCC 12 warns wrongly about assigning a Result
};
template <class T>
using WriteCall = Call<WriteOperation, Changes, T>;
template <class T>
using ReadCall = Call<ReadOperation, Lookups, T>;

}  // namespace rockdove::inbox
