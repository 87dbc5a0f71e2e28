#include "net/task_group.hpp"

#include "net/deadline.hpp"
#include "net/log.hpp"

#include <cstdlib>

namespace rockdove::net {

Awaitable<bool> TaskGroup::join_for(Duration limit) {
  if (limit <= Duration::zero()) co_return empty();
  bool late = false;
  Deadline deadline(Deadlines::of(executor_.context()), [this, &late] {
    late = true;
    idle_.notify();
  });
  deadline.set(limit);
  while (!children_.empty() && !late) co_await idle_.wait();
  co_return empty();
}

void abort_on_error(std::exception_ptr error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& failure) {
    log::error("net", "an exception left a task, this is a bug: {}", failure.what());
  } catch (...) { log::error("net", "an exception of unknown type left a task, this is a bug"); }
  std::abort();
}

Awaitable<void> TaskGroup::join_or_cancel() {
  std::exception_ptr cancelled;
  try {
    co_await join();
  } catch (const boost::system::system_error&) { cancelled = std::current_exception(); }
  if (!cancelled) co_return;
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  cancel();
  co_await join();
  std::rethrow_exception(cancelled);
}

}  // namespace rockdove::net
