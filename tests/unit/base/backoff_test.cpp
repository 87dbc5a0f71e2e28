#include "base/backoff.hpp"

#include <gtest/gtest.h>

namespace rockdove {
namespace {

using namespace std::chrono_literals;
constexpr std::uint32_t lowest = 0, highest = 0xffff'ffff;

TEST(Backoff, longest_wait_doubles_up_to_the_cap) {
  Backoff backoff({.floor = 100ms, .first = 500ms, .cap = 3s, .reset_after = 1min});
  for (const auto expected : {500ms, 1000ms, 2000ms, 3000ms, 3000ms})
    EXPECT_EQ(backoff.next(highest), expected);
}

TEST(Backoff, shortest_wait_is_the_floor_however_often_it_failed) {
  Backoff backoff;
  for (int i = 0; i < 10; ++i) EXPECT_EQ(backoff.next(lowest), 100ms);
}

TEST(Backoff, waits_spread_evenly_over_the_interval) {
  Backoff backoff({.floor = 0ms, .first = 1000ms, .cap = 1000ms, .reset_after = 1min});
  EXPECT_EQ(backoff.next(1U << 30), 250ms);
  EXPECT_EQ(backoff.next(1U << 31), 500ms);
  EXPECT_EQ(backoff.next(3U << 30), 750ms);
}

TEST(Backoff, never_leaves_its_bounds_after_thousands_of_failures) {
  Backoff backoff({.floor = 100ms, .first = 500ms, .cap = 30s, .reset_after = 1min});
  for (int i = 0; i < 5000; ++i) backoff.next(lowest);
  EXPECT_EQ(backoff.next(highest), 30s);
}

TEST(Backoff, a_long_success_starts_over_and_a_short_one_does_not) {
  Backoff backoff({.floor = 100ms, .first = 500ms, .cap = 30s, .reset_after = 1min});
  backoff.next(highest);
  backoff.next(highest);
  backoff.succeeded_for(59'999ms);
  EXPECT_EQ(backoff.next(highest), 2000ms);
  backoff.succeeded_for(1min);
  EXPECT_EQ(backoff.next(highest), 500ms);
}

TEST(Backoff, a_floor_above_the_first_wait_holds) {
  Backoff backoff({.floor = 2s, .first = 500ms, .cap = 30s, .reset_after = 1min});
  EXPECT_EQ(backoff.next(highest), 2s);
  EXPECT_EQ(backoff.next(lowest), 2s);
}

}  // namespace
}  // namespace rockdove
