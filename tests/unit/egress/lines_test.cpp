#include "egress/lines.hpp"

#include "net/task_group.hpp"
#include "support/run.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace rockdove::egress {
namespace {

using namespace std::chrono_literals;

class LinesTest : public testing::Test {
 protected:
  using Outcome = std::optional<Result<Lines::PlacePtr>>;

  static Awaitable<void> enter_one(Lines& lines, std::string key, Lines::Limits limits, Outcome& into) {
    auto place = co_await lines.enter(std::move(key), limits);
    into.emplace(std::move(place));
  }
  /// Gets in line; the outcome is there once it is known.
  Outcome& enter(const std::string& key, Lines::Limits limits) {
    auto& outcome = outcomes_.emplace_back();
    tasks_.push_back(group_.spawn(enter_one(lines_, key, limits, outcome)));
    settle();
    return outcome;
  }
  void settle() { test::run_for(io_, 1ms); }
  void leave(Outcome& outcome) {
    test::on_loop(io_, [&] { outcome.reset(); });
    settle();
  }
  void TearDown() override {
    test::on_loop(io_, [this] {
      outcomes_.clear();
      group_.cancel();
    });
    test::run(io_, group_.join());
  }

  net::IoContext io_;
  Lines lines_{io_.get_executor()};
  net::TaskGroup group_{io_.get_executor(), net::abort_on_error};
  std::list<Outcome> outcomes_;
  std::vector<net::TaskGroup::Task> tasks_;
};

TEST_F(LinesTest, places_are_given_at_once_while_there_are_some) {
  EXPECT_TRUE(enter("a", {2, 9, 1s})->has_value());
  EXPECT_TRUE(enter("a", {2, 9, 1s})->has_value());
  EXPECT_FALSE(enter("a", {2, 9, 1s}));
  EXPECT_EQ(lines_.running("a"), 2U);
  EXPECT_EQ(lines_.waiting("a"), 1U);
}

TEST_F(LinesTest, who_came_first_is_served_first) {
  auto& holder = enter("a", {1, 9, 10s});
  auto& first = enter("a", {1, 9, 10s});
  auto& second = enter("a", {1, 9, 10s});
  leave(holder);
  ASSERT_TRUE(first && first->has_value());
  EXPECT_FALSE(second);
  leave(first);
  ASSERT_TRUE(second && second->has_value());
}

TEST_F(LinesTest, a_newcomer_does_not_overtake) {
  auto& holder = enter("a", {1, 9, 10s});
  auto& waiting = enter("a", {1, 9, 10s});
  test::on_loop(io_, [&] { holder.reset(); });  // the place is free, the waiter has not run yet
  auto& newcomer = enter("a", {1, 9, 10s});
  settle();
  EXPECT_TRUE(waiting && waiting->has_value());
  EXPECT_FALSE(newcomer);
}

TEST_F(LinesTest, keys_do_not_wait_for_each_other) {
  EXPECT_TRUE(enter("a", {1, 9, 1s})->has_value());
  EXPECT_TRUE(enter("b", {1, 9, 1s})->has_value());
  EXPECT_FALSE(enter("a", {1, 9, 1s}));
}

TEST_F(LinesTest, a_line_that_is_too_long_or_too_slow_turns_away) {
  enter("a", {1, 1, 40ms});
  auto& patient = enter("a", {1, 1, 40ms});
  auto& turned_away = enter("a", {1, 1, 40ms});
  ASSERT_TRUE(turned_away);
  EXPECT_EQ(turned_away->error(), Error::queue_full);
  ASSERT_TRUE(test::run_until(io_, [&] { return patient.has_value(); }));
  EXPECT_EQ(patient->error(), Error::queue_full);
  EXPECT_EQ(lines_.waiting("a"), 0U);
}

TEST_F(LinesTest, who_is_cancelled_passes_the_call_on) {
  auto& holder = enter("a", {1, 9, 10s});
  enter("a", {1, 9, 10s});
  auto& third = enter("a", {1, 9, 10s});
  test::on_loop(io_, [&] {
    tasks_[1].cancel();  // the second is about to go away ...
    holder.reset();      // ... and is called nevertheless
  });
  settle();
  EXPECT_TRUE(third && third->has_value());
}

TEST_F(LinesTest, higher_limits_let_the_waiting_in) {
  enter("a", {1, 9, 10s});
  auto& second = enter("a", {1, 9, 10s});
  auto& third = enter("a", {3, 9, 10s});
  settle();
  EXPECT_TRUE(second && second->has_value());
  EXPECT_TRUE(third && third->has_value());
}

TEST_F(LinesTest, a_deserted_line_is_forgotten) {
  auto& one = enter("a", {1, 9, 10s});
  auto& two = enter("a", {1, 9, 10s});
  leave(one);
  EXPECT_FALSE(lines_.empty());
  leave(two);
  EXPECT_TRUE(lines_.empty());
  enter("b", {1, 0, 10s});
  auto& refused = enter("b", {1, 0, 10s});
  EXPECT_EQ(refused->error(), Error::queue_full);
}

}  // namespace
}  // namespace rockdove::egress
