#include "net/deadline.hpp"

#include "support/run.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <vector>

namespace rockdove::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto tick = Deadlines::tick;

/// A wheel that is turned by hand: time passes only in pass().
class Wheel : public testing::Test {
 protected:
  Wheel() { time_ = Clock::time_point(seconds(1'000'000) + milliseconds(7)); }

  void pass(Duration span) {
    time_ += span;
    deadlines_.advance();
  }
  /// In steps of a tick, as the timer does.
  void pass_slowly(Duration span) {
    for (const auto end = time_ + span; time_ < end;) pass(std::min<Duration>(tick, end - time_));
  }

  inline static Clock::time_point time_;
  IoContext io_;
  Deadlines deadlines_{io_.get_executor(), [] { return time_; }};
};

TEST_F(Wheel, fires_once_never_early_and_at_most_a_tick_late) {
  for (int limit = 1; limit < 300; limit += 7) {
    Clock::time_point fired{};
    int count = 0;
    Deadline deadline(deadlines_, [&] {
      fired = time_;
      ++count;
    });
    const auto start = time_;
    deadline.set(milliseconds(limit));
    EXPECT_TRUE(deadline.is_set());
    for (int i = 0; i < 400; ++i) pass(milliseconds(1));
    EXPECT_EQ(count, 1);
    EXPECT_FALSE(deadline.is_set());
    EXPECT_GE(fired - start, milliseconds(limit));
    EXPECT_LE(fired - start, milliseconds(limit) + tick);
  }
}

TEST_F(Wheel, zero_and_negative_mean_no_limit) {
  int count = 0;
  Deadline deadline(deadlines_, [&] { ++count; });
  deadline.set(Duration::zero());
  EXPECT_FALSE(deadline.is_set());
  deadline.set(milliseconds(10));
  deadline.set(milliseconds(-5));
  EXPECT_FALSE(deadline.is_set());
  pass_slowly(seconds(1));
  EXPECT_EQ(count, 0);
}

TEST_F(Wheel, the_longest_possible_limit_does_not_overflow) {
  int count = 0;
  Deadline deadline(deadlines_, [&] { ++count; });
  deadline.set(Duration::max());
  pass_slowly(seconds(60));
  EXPECT_EQ(count, 0);
  EXPECT_TRUE(deadline.is_set());
}

TEST_F(Wheel, moving_it_later_again_and_again_keeps_it_from_firing) {
  int count = 0;
  Deadline deadline(deadlines_, [&] { ++count; });
  for (int i = 0; i < 1000; ++i) {
    deadline.set(milliseconds(100));
    pass(milliseconds(30));
  }
  EXPECT_EQ(count, 0);
  const auto last = time_ - milliseconds(30);
  while (count == 0) pass(milliseconds(1));
  EXPECT_GE(time_ - last, milliseconds(100));
  EXPECT_LE(time_ - last, milliseconds(100) + tick);
}

TEST_F(Wheel, moving_it_earlier_fires_earlier) {
  Clock::time_point fired{};
  Deadline deadline(deadlines_, [&] { fired = time_; });
  const auto start = time_;
  deadline.set(seconds(5));
  deadline.set(milliseconds(50));
  pass_slowly(seconds(6));
  EXPECT_GE(fired - start, milliseconds(50));
  EXPECT_LE(fired - start, milliseconds(50) + 2 * tick);
}

TEST_F(Wheel, a_cleared_limit_does_not_fire) {
  int count = 0;
  Deadline deadline(deadlines_, [&] { ++count; });
  deadline.set(milliseconds(50));
  deadline.clear();
  deadline.clear();
  pass_slowly(seconds(1));
  EXPECT_EQ(count, 0);
}

TEST_F(Wheel, a_limit_longer_than_a_turn_of_the_wheel_fires_on_time) {
  for (const auto limit : {seconds(10), seconds(11), seconds(20), seconds(61), seconds(600)}) {
    Clock::time_point fired{};
    Deadline deadline(deadlines_, [&] { fired = time_; });
    const auto start = time_;
    deadline.set(limit);
    pass_slowly(limit - milliseconds(1));
    EXPECT_EQ(fired, Clock::time_point{});
    pass_slowly(2 * tick);
    EXPECT_GE(fired - start, limit);
  }
}

TEST_F(Wheel, an_expiry_may_clear_others_of_the_same_tick) {
  int count = 0;
  std::vector<std::unique_ptr<Deadline>> all;
  for (int i = 0; i < 5; ++i)
    all.push_back(std::make_unique<Deadline>(deadlines_, [&] {
      ++count;
      for (auto& each : all) each->clear();
    }));
  for (auto& each : all) each->set(milliseconds(30));
  pass_slowly(seconds(1));
  EXPECT_EQ(count, 1);
}

TEST_F(Wheel, an_expiry_may_destroy_itself_and_others) {
  int count = 0;
  std::vector<std::unique_ptr<Deadline>> all;
  for (int i = 0; i < 5; ++i)
    all.push_back(std::make_unique<Deadline>(deadlines_, [&] {
      ++count;
      all.clear();
    }));
  for (auto& each : all) each->set(milliseconds(30));
  pass_slowly(seconds(1));
  EXPECT_EQ(count, 1);
  EXPECT_TRUE(all.empty());
}

TEST_F(Wheel, an_expiry_may_set_itself_and_others_again) {
  std::vector<Clock::time_point> fired;
  std::optional<Deadline> other;
  int others = 0;
  other.emplace(deadlines_, [&] { ++others; });
  std::optional<Deadline> deadline;
  deadline.emplace(deadlines_, [&] {
    fired.push_back(time_);
    if (fired.size() < 5) deadline->set(milliseconds(50));
    other->set(milliseconds(1));
  });
  deadline->set(milliseconds(50));
  pass_slowly(seconds(2));
  ASSERT_EQ(fired.size(), 5U);
  EXPECT_EQ(others, 5);
  for (std::size_t i = 1; i < fired.size(); ++i) EXPECT_GE(fired[i] - fired[i - 1], milliseconds(50));
}

TEST_F(Wheel, an_expiry_may_move_one_that_is_due_in_the_same_tick) {
  int second = 0;
  Deadline late(deadlines_, [&] { ++second; });
  Deadline early(deadlines_, [&] { late.set(seconds(1)); });
  late.set(milliseconds(30));
  early.set(milliseconds(30));  // hung last, so it comes first
  pass_slowly(milliseconds(500));
  EXPECT_EQ(second, 0);
  pass_slowly(milliseconds(600));
  EXPECT_EQ(second, 1);
}

TEST_F(Wheel, after_a_stall_everything_due_fires_and_the_rest_stays) {
  for (const auto stall : {seconds(5), seconds(10), seconds(11), seconds(100), seconds(86'400)}) {
    int due = 0;
    int rest = 0;
    std::vector<std::unique_ptr<Deadline>> all;
    for (int i = 1; i <= 200; ++i) {
      all.push_back(std::make_unique<Deadline>(deadlines_, [&] { ++due; }));
      all.back()->set(Duration(stall) * i / 200);
      all.push_back(std::make_unique<Deadline>(deadlines_, [&] { ++rest; }));
      all.back()->set(stall + milliseconds(100) * i);
    }
    pass(stall + tick);
    EXPECT_EQ(due, 200);
    EXPECT_EQ(rest, 0);
    pass_slowly(seconds(21));
    EXPECT_EQ(rest, 200);
  }
}

TEST_F(Wheel, thousands_keep_their_order_within_a_tick) {
  constexpr int count = 20'000;
  std::vector<std::unique_ptr<Deadline>> all;
  int fired = 0;
  int wrong = 0;
  for (int i = 0; i < count; ++i) {
    const auto due = time_ + milliseconds(i * 7919 % 30'000 + 1);
    all.push_back(std::make_unique<Deadline>(deadlines_, [&, due] {
      ++fired;
      if (time_ < due || time_ > due + 2 * tick) ++wrong;
    }));
    all.back()->set(due - time_);
  }
  pass_slowly(seconds(31));
  EXPECT_EQ(fired, count);
  EXPECT_EQ(wrong, 0);
}

TEST(Deadlines, a_limit_that_outlives_its_loop_is_unset) {
  auto io = std::make_unique<IoContext>();
  Deadline deadline(Deadlines::of(*io), [] {});
  deadline.set(seconds(1));
  io.reset();
  EXPECT_FALSE(deadline.is_set());
}

TEST(Deadlines, a_loop_has_one_wheel_and_runs_dry_when_nothing_is_set) {
  IoContext io;
  EXPECT_EQ(&Deadlines::of(io), &Deadlines::of(io));
  int count = 0;
  const auto start = Clock::now();
  Deadline deadline(Deadlines::of(io), [&] { ++count; });
  deadline.set(milliseconds(30));
  io.run_for(test::run_limit);  // returns because no timer is left
  EXPECT_EQ(count, 1);
  EXPECT_GE(Clock::now() - start, milliseconds(30));
  EXPECT_LT(Clock::now() - start, seconds(2));
  deadline.set(milliseconds(1));  // the timer starts again
  io.restart();
  io.run_for(test::run_limit);
  EXPECT_EQ(count, 2);
}

}  // namespace
}  // namespace rockdove::net
