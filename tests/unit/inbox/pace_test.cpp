#include "inbox/pace.hpp"

#include <gtest/gtest.h>

namespace rockdove::inbox {
namespace {

using namespace std::chrono_literals;
constexpr net::Clock::time_point start{1h};

Pace busy_pace() {
  Pace pace({.memory = 1s, .spacing = 100us, .together = 5});
  pace.served(start);
  return pace;
}

TEST(Pace, without_callers_there_is_no_limit) {
  Pace pace({.memory = 1s, .spacing = 100us, .together = 5});
  EXPECT_EQ(pace.room(start, 1000, 1us), Pace::no_limit);
  pace.served(start);
  EXPECT_EQ(pace.room(start + 999ms, 0, 1us), 5U);
  EXPECT_EQ(pace.room(start + 1s, 1000, 1us), Pace::no_limit) << "the last caller came a while ago";
}

TEST(Pace, quick_ones_begin_together_when_all_but_one_have_ended) {
  const Pace pace = busy_pace();
  EXPECT_EQ(pace.room(start, 0, 500us), 5U);
  EXPECT_EQ(pace.room(start, 1, 500us), 4U);
  for (std::size_t running = 2; running < 10; ++running) EXPECT_EQ(pace.room(start, running, 500us), 0U);
}

TEST(Pace, slow_ones_begin_one_by_one_as_many_as_their_time_has_room_for) {
  const Pace pace = busy_pace();
  EXPECT_EQ(pace.room(start, 0, 600us), 6U) << "one every 100 us";
  EXPECT_EQ(pace.room(start, 5, 600us), 1U);
  EXPECT_EQ(pace.room(start, 6, 600us), 0U);
  EXPECT_EQ(pace.room(start, 7, 600us), 0U);
  EXPECT_EQ(pace.room(start, 64, 1s), 10'000U - 64U) << "the route's own limit is less";
}

TEST(Pace, of_one_at_a_time_waits_for_that_one) {
  Pace pace({.memory = 1s, .spacing = 100us, .together = 1});
  pace.served(start);
  EXPECT_EQ(pace.room(start, 0, 1us), 1U);
  EXPECT_EQ(pace.room(start, 1, 1us), 0U);
}

}  // namespace
}  // namespace rockdove::inbox
