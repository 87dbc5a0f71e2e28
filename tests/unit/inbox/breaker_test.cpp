#include "inbox/breaker.hpp"

#include <gtest/gtest.h>

namespace rockdove::inbox {
namespace {

using namespace std::chrono_literals;
constexpr std::uint32_t lowest = 0, highest = 0xffff'ffff;
const net::Clock::time_point start{1h};

Breaker::Options options() {
  return {.failures_max = 3, .probes = {.floor = 500ms, .first = 1s, .cap = 8s, .reset_after = 0ms}};
}

/// Failed as often as it takes to open.
Breaker open_breaker() {
  Breaker breaker(options());
  for (int i = 0; i < 3; ++i) breaker.failed(start, highest);
  return breaker;
}

TEST(Breaker, closed_has_room_up_to_the_limit) {
  const Breaker breaker(options());
  const struct {
    std::size_t running, limit, room;
  } cases[] = {{0, 16, 16}, {5, 16, 11}, {16, 16, 0}, {20, 16, 0}, {0, 1, 1}, {1, 1, 0}, {0, 0, 0}};
  for (const auto& each : cases) EXPECT_EQ(breaker.room(each.running, each.limit, start), each.room);
}

TEST(Breaker, opens_after_so_many_failures_in_a_row) {
  Breaker breaker(options());
  for (int i = 0; i < 2; ++i) breaker.failed(start, highest);
  EXPECT_FALSE(breaker.is_open());
  breaker.succeeded();
  for (int i = 0; i < 2; ++i) breaker.failed(start, highest);
  EXPECT_FALSE(breaker.is_open()) << "a success in between starts the count again";
  breaker.failed(start, highest);
  EXPECT_TRUE(breaker.is_open());
}

TEST(Breaker, open_lets_one_attempt_through_once_the_wait_is_over) {
  const Breaker breaker = open_breaker();
  EXPECT_EQ(breaker.probe_at(), start + 1s);
  EXPECT_EQ(breaker.room(0, 16, start + 999ms), 0U);
  EXPECT_EQ(breaker.room(0, 16, start + 1s), 1U);
  EXPECT_EQ(breaker.room(1, 16, start + 1s), 0U) << "the probe is under way, or older attempts are";
  EXPECT_EQ(breaker.room(0, 0, start + 1s), 0U);
}

TEST(Breaker, waits_longer_after_each_failed_probe_up_to_the_cap) {
  Breaker breaker = open_breaker();
  for (const auto wait : {2s, 4s, 8s, 8s}) {
    const auto now = breaker.probe_at();
    breaker.failed(now, highest);
    EXPECT_EQ(breaker.probe_at(), now + wait);
  }
  const auto now = breaker.probe_at();
  breaker.failed(now, lowest);
  EXPECT_EQ(breaker.probe_at(), now + 500ms);
}

TEST(Breaker, failures_of_attempts_that_began_before_it_opened_do_not_lengthen_the_wait) {
  Breaker breaker = open_breaker();
  for (int i = 0; i < 13; ++i) breaker.failed(start + 10ms, highest);
  EXPECT_EQ(breaker.probe_at(), start + 1s);
}

TEST(Breaker, a_success_closes_it_and_forgets_the_waits) {
  Breaker breaker = open_breaker();
  for (int i = 0; i < 3; ++i) breaker.failed(breaker.probe_at(), highest);
  breaker.succeeded();
  EXPECT_FALSE(breaker.is_open());
  EXPECT_EQ(breaker.room(3, 16, start), 13U);
  for (int i = 0; i < 3; ++i) breaker.failed(start, highest);
  EXPECT_TRUE(breaker.is_open());
  EXPECT_EQ(breaker.probe_at(), start + 1s);
}

TEST(Breaker, hope_allows_a_probe_at_once_and_short_waits_after_it) {
  Breaker breaker = open_breaker();
  for (int i = 0; i < 3; ++i) breaker.failed(breaker.probe_at(), highest);
  breaker.hope(start);
  EXPECT_TRUE(breaker.is_open());
  EXPECT_EQ(breaker.room(0, 16, start), 1U);
  breaker.failed(start, highest);
  EXPECT_EQ(breaker.probe_at(), start + 1s);
}

TEST(Breaker, hope_does_not_forgive_failures_while_closed) {
  Breaker breaker(options());
  for (int i = 0; i < 2; ++i) breaker.failed(start, highest);
  breaker.hope(start);
  breaker.failed(start, highest);
  EXPECT_TRUE(breaker.is_open());
}

}  // namespace
}  // namespace rockdove::inbox
