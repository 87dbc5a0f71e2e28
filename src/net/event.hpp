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

  /// Returns once notify() has been called since the last wait() returned.
  Awaitable<void> wait() {
    if (!std::exchange(notified_, false)) {
      co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void(boost::system::error_code)>(
          Initiation{this}, use_awaitable_);
      notified_ = false;
    }
  }

  void notify() {
    notified_ = true;
    if (waiter_) complete({});
  }

  bool has_waiter() const { return waiter_.has_value(); }

 private:
  // The coroutine itself, not an any_completion_handler: that costs an allocation a wait, and assigning one
  // recurses without end in Boost 1.81.
  using Waiter =
      asio::async_result<asio::use_awaitable_t<Executor>, void(boost::system::error_code)>::handler_type;
  static constexpr asio::use_awaitable_t<Executor> use_awaitable_{};

  struct Initiation {
    Event* event;
    template <class Handler>
    void operator()(Handler&& handler) const {
      assert(!event->waiter_ &&
             "an Event has one waiter");  // a second one would destroy the first's coroutine
      auto slot = asio::get_associated_cancellation_slot(handler);
      if (slot.is_connected())
        slot.assign([self = event](asio::cancellation_type) {
          if (self->waiter_) self->complete(asio::error::operation_aborted);
        });
      event->waiter_.emplace(std::forward<Handler>(handler));
    }
  };

  void complete(boost::system::error_code error) {
    Waiter waiter = std::move(*waiter_);
    waiter_.reset();
    // Resuming clears the cancellation slot, so that a later cancellation does not look for this event.
    asio::post(executor_, [resumed = std::move(waiter), error]() mutable { std::move(resumed)(error); });
  }

  Executor executor_;
  std::optional<Waiter> waiter_;
  bool notified_ = false;
};

}  // namespace rockdove::net
