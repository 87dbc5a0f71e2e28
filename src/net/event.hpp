// One coroutine waits, somebody else tells it to go on.
#pragma once

#include "net/asio.hpp"

#include <cassert>
#include <optional>
#include <utility>

namespace rockdove::net {

/// An auto-reset event for one waiter. notify() before wait() is remembered, so no wake-up is lost.
/// The waiter is resumed through the loop's queue, never inside notify(): notify() may be called
/// from any callback. Cancelling the waiting coroutine ends the wait. Loop thread only; must
/// outlive the wait.
class Event {
 public:
  explicit Event(Executor executor) : executor_(std::move(executor)) {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  /// To be awaited at once: `co_await event.wait()` returns when notify() has been called since the last wait
  /// returned. It may return without that, once: look at what you wait for in a loop.
  auto wait() {
    return asio::async_initiate<const asio::deferred_t, void(boost::system::error_code)>(Initiation{this},
                                                                                         asio::deferred);
  }

  void notify() {
    if (resuming_) return;  // the waiter was told and has yet to look
    if (waiter_) complete({});
    else notified_ = true;
  }

  bool has_waiter() const { return waiter_.has_value(); }

 private:
  // The coroutine itself, not an any_completion_handler: that costs an allocation a wait, and assigning one
  // recurses without end in Boost 1.81.
  using Waiter = asio::detail::awaitable_async_op_handler<void(boost::system::error_code), Executor>;

  struct Initiation {
    Event* event;
    void operator()(Waiter handler) const {
      assert(!event->waiter_ &&
             "an Event has one waiter");  // a second one would destroy the first's coroutine
      auto slot = asio::get_associated_cancellation_slot(handler);
      if (slot.is_connected())
        slot.assign([self = event](asio::cancellation_type) {
          if (self->waiter_) self->complete(asio::error::operation_aborted);
        });
      event->waiter_.emplace(std::move(handler));
      if (std::exchange(event->notified_, false)) event->complete({});
    }
  };

  void complete(boost::system::error_code error) {
    Waiter waiter = std::move(*waiter_);
    waiter_.reset();
    resuming_ = !error;  // one that was cancelled will not look: the next one is to be told
    // Resuming clears the cancellation slot, so that a later cancellation does not look for this event.
    asio::post(executor_, [this, resumed = std::move(waiter), error]() mutable {
      resuming_ = false;
      std::move(resumed)(error);
    });
  }

  Executor executor_;
  std::optional<Waiter> waiter_;
  bool notified_ = false;
  bool resuming_ = false;
};

}  // namespace rockdove::net
