#include "inbox/clock_watch.hpp"

#include <gtest/gtest.h>

namespace rockdove::inbox {
namespace {

using namespace std::chrono_literals;

constexpr WallTime wall{1'800'000'000'000ms};
constexpr net::Clock::time_point steady{5'000s};

TEST(ClockWatch, trusts_a_clock_that_goes_as_fast_as_the_steady_one_more_or_less) {
  ClockWatch watch;
  EXPECT_TRUE(watch.is_trusted(steady));
  EXPECT_FALSE(watch.look(wall, steady)) << "there is nothing to compare it with";
  EXPECT_FALSE(watch.look(wall + 2s, steady + 2s));
  EXPECT_FALSE(watch.look(wall + 62s, steady + 2s));
  EXPECT_FALSE(watch.look(wall + 2s, steady + 2s));
  EXPECT_FALSE(watch.look(wall + 100h, steady + 100h)) << "however long nobody looked";
  EXPECT_TRUE(watch.is_trusted(steady + 100h));
}

TEST(ClockWatch, doubts_one_that_jumps_for_an_hour) {
  for (const WallTime::duration jump : {61'000ms, -61'000ms, 3'600'000'000'000ms, -1'800'000'000'000ms}) {
    ClockWatch watch;
    watch.look(wall, steady);
    EXPECT_TRUE(watch.look(wall + jump + 2s, steady + 2s)) << jump.count();
    EXPECT_FALSE(watch.is_trusted(steady + 2s));
    EXPECT_FALSE(watch.look(wall + jump + 3600s, steady + 3600s)) << "it is told of once";
    EXPECT_FALSE(watch.is_trusted(steady + 3600s));
    EXPECT_TRUE(watch.is_trusted(steady + 3602s));
  }
}

TEST(ClockWatch, doubts_for_longer_when_it_jumps_back) {
  ClockWatch watch;
  watch.look(wall, steady);
  EXPECT_TRUE(watch.look(wall + 24h, steady + 2s));
  EXPECT_TRUE(watch.look(wall, steady + 1800s));
  EXPECT_FALSE(watch.is_trusted(steady + 3602s));
  EXPECT_TRUE(watch.is_trusted(steady + 5400s));
}

}  // namespace
}  // namespace rockdove::inbox
