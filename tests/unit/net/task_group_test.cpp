#include "net/task_group.hpp"

#include "support/run.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace rockdove::net {
namespace {

using test::run;
using test::run_for;
using test::run_until;

struct Group : testing::Test {
  IoContext io;
  std::vector<std::string> errors;
  TaskGroup group{io.get_executor(), [this](std::exception_ptr error) {
                    try {
                      std::rethrow_exception(error);
                    } catch (const std::exception& failure) { errors.push_back(failure.what()); }
                  }};
  int started = 0;
  int ended = 0;
};

Awaitable<void> nap(int& started, int& ended, Duration span) {
  ++started;
  Timer timer(co_await asio::this_coro::executor, span);
  const auto [error] = co_await timer.async_wait(token);
  if (!error) ++ended;
}

Awaitable<void> fail(std::string text) {
  Timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(1));
  co_await timer.async_wait(token);
  throw std::runtime_error(text);
}

constexpr auto forever = std::chrono::hours(1);

TEST_F(Group, join_returns_at_once_when_there_is_nothing_to_wait_for) {
  run(io, group.join());
  EXPECT_TRUE(group.empty());
}

TEST_F(Group, join_waits_for_every_task) {
  for (int i = 0; i < 10; ++i) group.spawn(nap(started, ended, std::chrono::milliseconds(i)));
  EXPECT_EQ(group.size(), 10U);
  run(io, group.join());
  EXPECT_EQ(ended, 10);
  group.spawn(nap(started, ended, std::chrono::milliseconds(1)));  // and can be used again
  run(io, group.join());
  EXPECT_EQ(ended, 11);
}

TEST_F(Group, a_task_does_not_start_inside_spawn) {
  bool inside = true;
  asio::post(io, [&] {
    group.spawn(nap(started, ended, Duration::zero()));
    inside = started != 0;
  });
  run_until(io, [&] { return ended == 1; });
  EXPECT_FALSE(inside);
  EXPECT_EQ(ended, 1);
  run(io, group.join());
}

TEST_F(Group, cancel_ends_all_tasks_without_an_error) {
  for (int i = 0; i < 100; ++i) group.spawn(nap(started, ended, forever));
  run_until(io, [&] { return started == 100; });
  group.cancel();
  run(io, group.join());
  EXPECT_EQ(ended, 0);
  EXPECT_TRUE(errors.empty());
}

TEST_F(Group, a_task_cancelled_before_its_start_never_starts) {
  group.spawn(nap(started, ended, Duration::zero()));
  group.cancel();
  run(io, group.join());
  EXPECT_EQ(started, 0);
  EXPECT_TRUE(errors.empty());
}

TEST_F(Group, one_task_can_be_cancelled_alone) {
  auto first = group.spawn(nap(started, ended, forever));
  group.spawn(nap(started, ended, std::chrono::milliseconds(5)));
  run_until(io, [&] { return started == 2; });
  first.cancel();
  run(io, group.join());
  EXPECT_EQ(ended, 1);
}

TEST_F(Group, an_exception_reaches_on_error_and_the_others_go_on) {
  group.spawn(fail("first"));
  group.spawn(nap(started, ended, std::chrono::milliseconds(5)));
  run(io, group.join());
  EXPECT_EQ(errors, std::vector<std::string>{"first"});
  EXPECT_EQ(ended, 1);
}

Awaitable<void> wait_forever(Event& event) {
  co_await event.wait();
}

TEST_F(Group, a_cancelled_event_wait_is_not_an_error) {
  Event event(io.get_executor());
  group.spawn(wait_forever(event));
  run_until(io, [&] { return event.has_waiter(); });
  group.cancel();
  run(io, group.join());
  EXPECT_TRUE(errors.empty());
}

Awaitable<void> spawn_more(TaskGroup& group, int depth, int& leaves) {
  if (depth == 0) {
    ++leaves;
    co_return;
  }
  group.spawn(spawn_more(group, depth - 1, leaves));
  group.spawn(spawn_more(group, depth - 1, leaves));
}

TEST_F(Group, tasks_may_spawn_tasks) {
  int leaves = 0;
  group.spawn(spawn_more(group, 6, leaves));
  run(io, group.join());
  EXPECT_EQ(leaves, 64);
}

Awaitable<void> cancel_own_group(TaskGroup& group) {
  group.cancel();
  Timer timer(co_await asio::this_coro::executor, forever);
  co_await timer.async_wait(token);
}

Awaitable<void> cancel_and_end(TaskGroup& group) {
  group.cancel();
  co_return;
}

TEST_F(Group, a_task_may_cancel_its_own_group_whether_it_waits_then_or_ends) {
  for (const auto task : {cancel_own_group, cancel_and_end}) {
    group.spawn(nap(started, ended, forever));
    group.spawn(task(group));
    run(io, group.join());
    EXPECT_EQ(ended, 0);
    EXPECT_TRUE(errors.empty());
  }
}

Awaitable<void> hold(std::shared_ptr<int> owned) {
  Timer timer(co_await asio::this_coro::executor, forever);
  co_await timer.async_wait(token);
  (void)owned;
}

TEST_F(Group, an_ended_task_gives_back_what_it_held) {
  const auto owned = std::make_shared<int>();
  group.spawn(hold(owned));
  group.spawn(hold(owned)).cancel();
  run_for(io, std::chrono::milliseconds(2));
  EXPECT_EQ(owned.use_count(), 2);
  group.cancel();
  run(io, group.join());
  EXPECT_EQ(owned.use_count(), 1);
}

TEST_F(Group, join_for_gives_up_after_its_limit) {
  group.spawn(nap(started, ended, forever));
  EXPECT_FALSE(run(io, group.join_for(std::chrono::milliseconds(10))));
  EXPECT_FALSE(run(io, group.join_for(Duration::zero())));
  group.cancel();
  EXPECT_TRUE(run(io, group.join_for(forever)));
  EXPECT_TRUE(run(io, group.join_for(Duration::zero())));
}

TEST_F(Group, join_works_after_a_join_for_that_gave_up) {
  group.spawn(nap(started, ended, std::chrono::milliseconds(45)));
  EXPECT_FALSE(run(io, group.join_for(std::chrono::milliseconds(1))));
  run(io, group.join());
  EXPECT_EQ(ended, 1);
}

TEST(AbortOnErrorDeathTest, says_what_left_the_task) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(abort_on_error(std::make_exception_ptr(std::logic_error("the reason"))),
               "this is a bug: the reason");
}

}  // namespace
}  // namespace rockdove::net
