// One coroutine waits, somebody else tells it to go on.
#pragma once

#include "net/asio.hpp"

#include <cassert>
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

  bool has_waiter() const { return static_cast<bool>(waiter_); }

 private:
  using Waiter = asio::any_completion_handler<void(boost::system::error_code)>;
  static constexpr asio::use_awaitable_t<Executor> use_awaitable_{};

  struct Initiation {
    Event* event;
    template <class Handler>
    void operator()(Handler&& handler) const {
      assert(!event->waiter_ && "an Event has one waiter");  // a second one would destroy the first's coroutine
      auto slot = asio::get_associated_cancellation_slot(handler);
      if (slot.is_connected())
        slot.assign([self = event](asio::cancellation_type) {
          if (self->waiter_) self->complete(asio::error::operation_aborted);
        });
      event->slot_ = slot;
      event->waiter_ = std::forward<Handler>(handler);
    }
  };

  void complete(boost::system::error_code error) {
    asio::post(executor_, [waiter = std::exchange(waiter_, nullptr), slot = slot_, error]() mutable {
      // A later cancellation must not find this event, which may be gone by then.
      if (slot.is_connected()) slot.clear();
      std::move(waiter)(error);
    });
  }

  Executor executor_;
  Waiter waiter_;
  asio::cancellation_slot slot_;
  bool notified_ = false;
};

}  // namespace rockdove::net
