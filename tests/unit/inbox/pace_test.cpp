#include "inbox/pace.hpp"

#include <gtest/gtest.h>

namespace rockdove::inbox {
namespace {

using namespace std::chrono_literals;
constexpr net::Clock::time_point start{1h};

Pace busy_pace() {
  Pace pace({.lag_max = 150us, .memory = 1s, .first = 8, .least = 1});
  pace.served(start);
  return pace;
}

TEST(Pace, without_callers_there_is_no_limit) {
  Pace pace;
  EXPECT_FALSE(pace.is_limited(start));
  EXPECT_EQ(pace.limit(start), Pace::no_limit);
  pace.served(start);
  EXPECT_TRUE(pace.is_limited(start + 999ms));
  EXPECT_EQ(pace.limit(start + 999ms), 8U);
  EXPECT_EQ(pace.limit(start + 1s), Pace::no_limit) << "the last caller came a while ago";
}

TEST(Pace, falls_quickly_while_the_loop_lags_but_not_below_the_least) {
  Pace pace = busy_pace();
  pace.measured(151us, 8);
  EXPECT_EQ(pace.limit(start), 6U);
  for (int i = 0; i < 100; ++i) pace.measured(10ms, 8);
  EXPECT_EQ(pace.limit(start), 1U);
}

TEST(Pace, rises_slowly_while_the_loop_keeps_up) {
  Pace pace = busy_pace();
  for (int i = 0; i < 4; ++i) pace.measured(150us, 8);
  EXPECT_EQ(pace.limit(start), 9U);
}

TEST(Pace, does_not_rise_beyond_what_has_been_tried) {
  Pace pace = busy_pace();
  for (int i = 0; i < 1000; ++i) pace.measured(1us, 10);
  EXPECT_EQ(pace.limit(start), 20U) << "twice as many as were under way";
}

TEST(Pace, finds_what_the_loop_can_take) {
  Pace pace = busy_pace();
  std::size_t sum = 0;
  for (int i = 0; i < 4000; ++i) {
    const std::size_t running = pace.limit(start);
    if (i >= 2000) sum += running;
    pace.measured(running * 10us, running);  // each delivery under way costs the others its time
  }
  EXPECT_GE(sum / 2000, 11U);
  EXPECT_LE(sum / 2000, 16U);
}

}  // namespace
}  // namespace rockdove::inbox
