#include "ops/window.hpp"

#include <gtest/gtest.h>

namespace rockdove::ops {
namespace {

using std::chrono::seconds;

// No multiple of a slot: a window must not depend on where its slots begin.
const net::Clock::time_point start{std::chrono::hours(1) + std::chrono::milliseconds(1234)};

TEST(Window, forgets_what_is_older_than_its_length_and_nothing_younger) {
  for (const auto length : {seconds(60), seconds(900)}) {
    Window window(length);
    window.add(start, 200, 1000);
    EXPECT_EQ(window.sum(start).requests, 1U);
    EXPECT_EQ(window.sum(start + length).requests, 1U) << "what is exactly as old is still there";
    EXPECT_EQ(window.sum(start + length + length / 15).requests, 0U);
  }
}

TEST(Window, counts_right_over_many_turns_of_its_ring) {
  Window window{seconds(60)};
  for (int second = 0; second < 600; ++second) {
    window.add(start + seconds(second), second % 10 == 0 ? 503 : 200, 1000);
    const std::uint64_t seen = window.sum(start + seconds(second)).requests;
    EXPECT_GE(seen, static_cast<std::uint64_t>(std::min(second + 1, 60)));
    EXPECT_LE(seen, 64U);
  }
  EXPECT_NEAR(window.sum(start + seconds(599)).success_rate(), 0.9, 0.02);
}

TEST(Window, is_empty_before_the_first_and_after_a_long_pause) {
  Window window{seconds(60)};
  EXPECT_EQ(window.sum(start).requests, 0U);
  EXPECT_DOUBLE_EQ(window.sum(start).success_rate(), 1.0);
  EXPECT_EQ(window.sum(start).latency.percentile(0.99), 0U);
  window.add(start, 500, 5);
  EXPECT_EQ(window.sum(start + std::chrono::hours(24)).requests, 0U);
  window.add(start + std::chrono::hours(24), 200, 5);
  EXPECT_EQ(window.sum(start + std::chrono::hours(24)).requests, 1U);
}

TEST(Window, takes_what_comes_late_if_it_is_not_too_old) {
  Window window{seconds(60)};
  window.add(start + seconds(30), 200, 5);
  window.add(start, 200, 5);
  EXPECT_EQ(window.sum(start + seconds(30)).requests, 2U);
  window.add(start + seconds(300), 200, 5);
  window.add(start, 200, 5);
  EXPECT_EQ(window.sum(start + seconds(300)).requests, 1U);
}

TEST(Window, callers_that_went_away_are_no_failures) {
  Window window{seconds(60)};
  for (const int status : {0, 0, 200, 502}) window.add(start, status, 5);
  const Span span = window.sum(start);
  EXPECT_EQ(span.requests, 4U);
  EXPECT_DOUBLE_EQ(span.success_rate(), 0.5);
}

}  // namespace
}  // namespace rockdove::ops
