#include "net/event.hpp"

#include "support/run.hpp"

#include <gtest/gtest.h>

#include <string>

namespace rockdove::net {
namespace {

using test::run;
using test::run_for;
using test::run_until;

constexpr auto moment = std::chrono::milliseconds(5);

/// As a coroutine that run() takes.
Awaitable<void> wait_on(Event& event) {
  co_await event.wait();
}

/// Runs `work` on the loop, as the program does: elsewhere, Asio puts a cancellation off until the loop runs.
template <class Work>
void on_loop(IoContext& io, Work work) {
  bool done = false;
  asio::post(io, [&] {
    work();
    done = true;
  });
  run_until(io, [&] { return done; });
}

/// A coroutine that waits on an event, and can be cancelled.
struct Waiting {
  Waiting(IoContext& loop, Event& event) {
    asio::co_spawn(loop.get_executor(), wait(event, *this),
                   asio::bind_cancellation_slot(signal.slot(), [this](std::exception_ptr left) {
                     error = left;
                     done = true;
                   }));
  }
  static Awaitable<void> wait(Event& event, Waiting& self) {
    co_await event.wait();
    ++self.woken;
  }
  bool was_cancelled() const {
    try {
      if (error) std::rethrow_exception(error);
    } catch (const boost::system::system_error& failure) {
      return failure.code() == asio::error::operation_aborted;
    }
    return false;
  }

  asio::cancellation_signal signal;
  std::exception_ptr error;
  int woken = 0;
  bool done = false;
};

TEST(Event, a_notification_before_the_wait_is_remembered) {
  IoContext io;
  Event event(io.get_executor());
  event.notify();
  event.notify();  // they do not add up
  run(io, wait_on(event));
  Waiting second(io, event);
  run_for(io, moment);
  EXPECT_FALSE(second.done);
  event.notify();
  EXPECT_TRUE(run_until(io, [&] { return second.done; }));
  EXPECT_EQ(second.woken, 1);
}

TEST(Event, a_waiter_resumes_through_the_loop_not_inside_notify) {
  IoContext io;
  Event event(io.get_executor());
  Waiting waiting(io, event);
  run_until(io, [&] { return event.has_waiter(); });
  bool inside = true;
  asio::post(io, [&] {
    event.notify();
    inside = waiting.woken != 0;
  });
  EXPECT_TRUE(run_until(io, [&] { return waiting.done; }));
  EXPECT_FALSE(inside);
}

TEST(Event, two_notifications_before_the_waiter_runs_wake_it_once) {
  IoContext io;
  Event event(io.get_executor());
  Waiting first(io, event);
  run_until(io, [&] { return event.has_waiter(); });
  event.notify();
  event.notify();
  EXPECT_TRUE(run_until(io, [&] { return first.done; }));
  Waiting second(io, event);
  run_for(io, moment);
  EXPECT_FALSE(second.done);
  second.signal.emit(asio::cancellation_type::terminal);
  EXPECT_TRUE(run_until(io, [&] { return second.done; }));
}

TEST(Event, cancelling_ends_the_wait) {
  IoContext io;
  Event event(io.get_executor());
  Waiting waiting(io, event);
  run_until(io, [&] { return event.has_waiter(); });
  on_loop(io, [&] { waiting.signal.emit(asio::cancellation_type::terminal); });
  EXPECT_FALSE(event.has_waiter());
  EXPECT_TRUE(run_until(io, [&] { return waiting.done; }));
  EXPECT_TRUE(waiting.was_cancelled());
  EXPECT_EQ(waiting.woken, 0);
}

TEST(Event, a_notification_after_a_cancellation_is_for_the_next_wait) {
  IoContext io;
  Event event(io.get_executor());
  Waiting waiting(io, event);
  run_until(io, [&] { return event.has_waiter(); });
  on_loop(io, [&] {
    waiting.signal.emit(asio::cancellation_type::terminal);
    event.notify();  // before the cancelled waiter has run
  });
  EXPECT_TRUE(run_until(io, [&] { return waiting.done; }));
  EXPECT_TRUE(waiting.was_cancelled());
  run(io, wait_on(event));
}

TEST(Event, a_cancellation_after_a_notification_does_not_take_it_back) {
  IoContext io;
  Event event(io.get_executor());
  Waiting waiting(io, event);
  run_until(io, [&] { return event.has_waiter(); });
  on_loop(io, [&] {
    event.notify();
    waiting.signal.emit(asio::cancellation_type::terminal);
  });
  EXPECT_TRUE(run_until(io, [&] { return waiting.done; }));
  EXPECT_EQ(waiting.woken, 1);
}

Awaitable<void> wait_twice(Event& first, std::unique_ptr<Event> second) {
  co_await second->wait();
  second.reset();
  co_await first.wait();
}

TEST(Event, a_cancellation_does_not_reach_an_event_that_is_gone) {
  IoContext io;
  Event first(io.get_executor());
  auto second = std::make_unique<Event>(io.get_executor());
  second->notify();
  asio::cancellation_signal signal;
  bool done = false;
  asio::co_spawn(io.get_executor(), wait_twice(first, std::move(second)),
                 asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr) { done = true; }));
  run_until(io, [&] { return first.has_waiter(); });
  on_loop(io, [&] { signal.emit(asio::cancellation_type::terminal); });
  EXPECT_TRUE(run_until(io, [&] { return done; }));
}

Awaitable<void> ping(Event& hear, Event& say, int rounds, std::string& record, char mark) {
  for (int i = 0; i < rounds; ++i) {
    co_await hear.wait();
    record += mark;
    say.notify();
  }
}

TEST(Event, two_coroutines_can_take_turns) {
  IoContext io;
  Event left(io.get_executor()), right(io.get_executor());
  std::string record;
  bool done = false;
  asio::co_spawn(io.get_executor(), ping(left, right, 500, record, 'l'),
                 [&](std::exception_ptr) { done = true; });
  left.notify();
  run(io, ping(right, left, 500, record, 'r'));
  EXPECT_TRUE(run_until(io, [&] { return done; }));
  std::string expected;
  for (int i = 0; i < 500; ++i) expected += "lr";
  EXPECT_EQ(record, expected);
}

}  // namespace
}  // namespace rockdove::net
