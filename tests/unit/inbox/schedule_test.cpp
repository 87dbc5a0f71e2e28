#include "inbox/schedule.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace rockdove::inbox {
namespace {

using namespace std::chrono_literals;
using Verdict = Settlement::Verdict;
using std::chrono::milliseconds;
constexpr std::uint32_t lowest = 0, highest = 0xffff'ffff;
constexpr WallTime now{1'800'000'000'000ms};  // 2027-01-15 08:00:00 UTC, a Friday

Outcome answered(int status, bool has_body = true) {
  return {status, {}, has_body, {}};
}
Outcome failed(Error error) {
  return {0, error, false, {}};
}

/// The attempts made so far, the first one `ago`.
Event tried(int attempts, milliseconds ago) {
  Event event;
  event.id = 7;
  event.attempts = attempts;
  if (attempts > 0) event.first_attempt_at = now - ago;
  return event;
}

RouteOptions route_of(RetryOptions retry = {}) {
  RouteOptions route;
  route.retry = retry;
  return route;
}

milliseconds wait_of(const Settlement& settlement) {
  EXPECT_EQ(settlement.verdict, Verdict::retry);
  return settlement.due_at - now;
}

TEST(Classify, judges_an_answer_by_its_status) {
  const std::pair<int, Class> cases[] = {
      {200, Class::delivered}, {201, Class::delivered}, {204, Class::delivered}, {299, Class::delivered},
      {301, Class::reject},    {304, Class::reject},    {400, Class::reject},    {401, Class::reject},
      {404, Class::reject},    {408, Class::retry},     {409, Class::reject},    {410, Class::gone},
      {422, Class::reject},    {425, Class::retry},     {429, Class::retry},     {500, Class::retry},
      {501, Class::retry},     {503, Class::retry},     {599, Class::retry},     {101, Class::reject},
  };
  for (const auto& [status, expected] : cases)
    EXPECT_EQ(classify(answered(status, false), {}), expected) << status;
}

TEST(Classify, wants_a_body_where_the_route_says_so) {
  RouteOptions route;
  route.success = Success::status_and_body;
  EXPECT_EQ(classify(answered(200, true), route), Class::delivered);
  EXPECT_EQ(classify(answered(200, false), route), Class::reject);
  EXPECT_EQ(classify(answered(204, false), route), Class::reject);
  EXPECT_EQ(classify(answered(503, false), route), Class::retry);
}

TEST(Classify, tells_errors_before_anybody_tried_from_those_of_an_attempt) {
  for (const Error error :
       {Error::no_agent, Error::no_route, Error::stream_refused, Error::queue_full, Error::draining})
    EXPECT_EQ(classify(failed(error), {}), Class::unseen) << error_name(error);
  for (const Error error :
       {Error::upstream_refused, Error::upstream_reset, Error::upstream_timeout, Error::upstream_malformed,
        Error::upstream_unknown, Error::link_lost, Error::stream_reset, Error::timed_out, Error::truncated})
    EXPECT_EQ(classify(failed(error), {}), Class::retry) << error_name(error);
}

TEST(Classify, takes_an_answer_that_broke_off_for_none) {
  Outcome outcome = answered(200);
  outcome.error = Error::upstream_reset;
  EXPECT_EQ(classify(outcome, {}), Class::retry);
}

TEST(Settle, ends_an_event_that_was_delivered) {
  const auto settlement = settle(tried(0, 0ms), answered(200), route_of(), now, highest);
  EXPECT_EQ(settlement.id, 7U);
  EXPECT_EQ(settlement.verdict, Verdict::done);
  EXPECT_EQ(settlement.now, now);
}

TEST(Settle, says_why_an_event_is_dead) {
  RouteOptions strict = route_of();
  strict.success = Success::status_and_body;
  const struct {
    Outcome outcome;
    std::string reason;
  } cases[] = {
      {answered(404), "the upstream answered 404 Not Found"},
      {answered(410), "the upstream answered 410 Gone"},
      {answered(499), "the upstream answered 499"},
      {answered(200, false), "the upstream answered 200 OK with an empty body"},
  };
  for (const auto& each : cases) {
    const auto settlement = settle(tried(3, 1h), each.outcome, strict, now, highest);
    EXPECT_EQ(settlement.verdict, Verdict::dead);
    EXPECT_EQ(settlement.reason, each.reason);
    EXPECT_EQ(settlement.now, now);
  }
}

TEST(Settle, releases_an_event_that_nobody_tried_however_old_it_is) {
  const auto settlement = settle(tried(9, 9'000h), failed(Error::no_agent), route_of(), now, highest);
  EXPECT_EQ(settlement.verdict, Verdict::release);
  EXPECT_EQ(settlement.due_at, now) << "behind the others that are due";
}

TEST(Settle, doubles_the_ceiling_of_the_waits_up_to_the_longest) {
  const RouteOptions route = route_of({.first = 1s, .longest = 10s, .give_up = 24h, .timeout = 30s});
  const milliseconds ceilings[] = {1s, 2s, 4s, 8s, 10s, 10s};
  for (int attempts = 0; attempts < 6; ++attempts) {
    const Event event = tried(attempts, 1min);
    const milliseconds ceiling = ceilings[attempts];
    EXPECT_EQ(wait_of(settle(event, answered(503), route, now, highest)), ceiling) << attempts;
    EXPECT_EQ(wait_of(settle(event, answered(503), route, now, 1U << 31)), ceiling / 2) << attempts;
    EXPECT_EQ(wait_of(settle(event, answered(503), route, now, lowest)), 0ms) << attempts;
  }
}

TEST(Settle, stays_within_its_bounds_after_any_number_of_attempts) {
  for (const int attempts : {1'000, 1'000'000, 2'000'000'000}) {
    EXPECT_EQ(wait_of(settle(tried(attempts, 1h), answered(503), route_of(), now, highest)), 1h);
    const auto none = route_of({.first = 0ms, .longest = 1h, .give_up = 24h, .timeout = 30s});
    EXPECT_EQ(wait_of(settle(tried(attempts, 1h), answered(503), none, now, highest)), 0ms);
  }
  const auto odd = route_of({.first = 1h, .longest = 1s, .give_up = 24h, .timeout = 30s});
  EXPECT_EQ(wait_of(settle(tried(2, 1h), answered(503), odd, now, highest)), 1s);
}

TEST(Settle, waits_at_least_as_long_as_the_answer_asks_up_to_the_longest) {
  const RouteOptions route = route_of({.first = 1s, .longest = 10s, .give_up = 24h, .timeout = 30s});
  const struct { milliseconds asked, wait; } cases[] = {{500ms, 1s}, {5s, 5s}, {10s, 10s}, {1h, 10s}};
  for (const auto& each : cases) {
    Outcome outcome = answered(429);
    outcome.retry_after = each.asked;
    EXPECT_EQ(wait_of(settle(tried(0, 0ms), outcome, route, now, highest)), each.wait);
  }
}

TEST(Settle, makes_the_last_attempt_when_it_is_time_to_give_up_and_none_after_that) {
  const RouteOptions route = route_of({.first = 10min, .longest = 1h, .give_up = 1h, .timeout = 30s});
  EXPECT_EQ(wait_of(settle(tried(4, 59min), answered(503), route, now, highest)), 1min);
  Outcome asks = answered(429);
  asks.retry_after = 30min;
  EXPECT_EQ(wait_of(settle(tried(4, 59min), asks, route, now, lowest)), 1min);
  const auto settlement = settle(tried(5, 1h), failed(Error::upstream_refused), route, now, lowest);
  EXPECT_EQ(settlement.verdict, Verdict::dead);
  EXPECT_EQ(settlement.reason, "given up after 1h: upstream_refused");
  EXPECT_EQ(settle(tried(5, 2h), answered(503), route, now, lowest).reason,
            "given up after 1h: 503 Service Unavailable");
}

TEST(Settle, gives_nothing_up_for_the_time_alone) {
  const RouteOptions route = route_of({.first = 1s, .longest = 10s, .give_up = 1h, .timeout = 30s});
  for (int attempts = 1; attempts <= 3; ++attempts) {
    const auto wait = wait_of(settle(tried(attempts, 90'000h), answered(503), route, now, highest));
    EXPECT_EQ(wait, std::min<milliseconds>(10s, 1s * (1 << attempts))) << "the waits go on";
  }
  EXPECT_EQ(settle(tried(4, 90'000h), answered(503), route, now, highest).verdict, Verdict::dead);
  const RouteOptions once = route_of({.first = 1s, .longest = 10s, .give_up = 0ms, .timeout = 30s});
  EXPECT_EQ(settle(tried(0, 0ms), answered(503), once, now, highest).verdict, Verdict::dead);
}

TEST(Settle, makes_no_wait_that_is_longer_than_it_says) {
  for (const auto& [first, longest] : {std::pair<milliseconds, milliseconds>{1s, 10s}, {1h, 1s}, {1s, 0s}}) {
    const RouteOptions route = route_of({.first = first, .longest = longest, .give_up = 24h, .timeout = 30s});
    Outcome outcome = answered(503);
    for (const milliseconds asked : {0ms, 5'000ms, 999'999'999ms}) {
      outcome.retry_after = asked;
      const auto wait = wait_of(settle(tried(9, 1h), outcome, route, now, highest));
      EXPECT_LE(wait, longest_wait(route));
    }
  }
}

TEST(Rest, is_what_429_and_503_ask_for_within_bounds) {
  const RouteOptions route = route_of({.first = 1s, .longest = 1h, .give_up = 24h, .timeout = 30s});
  const auto asked = [](int status, std::optional<milliseconds> wait) {
    Outcome outcome = answered(status);
    outcome.retry_after = wait;
    return outcome;
  };
  EXPECT_EQ(rest_asked_for(asked(429, 7s), route), 7s);
  EXPECT_EQ(rest_asked_for(asked(503, 301s), route), 5min);
  EXPECT_EQ(rest_asked_for(asked(503, 7s), route_of({.first = 1s, .longest = 2s})), 2s);
  EXPECT_EQ(rest_asked_for(asked(503, {}), route), 0s);
  for (const int status : {0, 200, 301, 408, 500, 502})
    EXPECT_EQ(rest_asked_for(asked(status, 7s), route), 0s);
}

TEST(Settle, counts_the_time_to_give_up_from_the_first_attempt_not_from_the_receipt) {
  Event event = tried(0, 0ms);
  event.received_at = now - 1'000h;
  EXPECT_LE(wait_of(settle(event, answered(503), route_of(), now, highest)), 1s);
}

TEST(Settle, stands_a_clock_that_was_put_back) {
  EXPECT_EQ(wait_of(settle(tried(1, -500h), answered(503), route_of(), now, highest)), 2s);
}

TEST(Settle, starts_over_with_short_waits_when_an_event_is_replayed) {
  Event event = tried(30, 0ms);
  event.replay = true;
  event.first_attempt_at = {};
  EXPECT_EQ(wait_of(settle(event, answered(503), route_of(), now, highest)), 1s);
  const struct { milliseconds passed, wait; } later[] = {{500ms, 1s}, {1s, 2s}, {3s, 4s}, {7s, 8s}, {1h, 1h}};
  for (const auto& each : later) {
    event.first_attempt_at = now - each.passed;
    EXPECT_EQ(wait_of(settle(event, answered(503), route_of(), now, highest)), each.wait);
  }
}

TEST(RetryAfter, is_a_number_of_seconds_or_a_date_in_one_of_three_forms) {
  const std::pair<std::string, milliseconds> cases[] = {
      {"0", 0ms},
      {"120", 120s},
      {"007", 7s},
      {"Fri, 15 Jan 2027 08:00:00 GMT", 0ms},
      {"Fri, 15 Jan 2027 08:01:30 GMT", 90s},
      {"Fri, 15 Jan 2027 08:00:60 GMT", 60s},
      {"Tue, 29 Feb 2028 08:00:00 GMT", 410 * 24h},
      {"Friday, 15-Jan-27 08:00:10 GMT", 10s},
      {"Sunday, 15-Jan-28 08:00:00 GMT", 365 * 24h},
      {"Fri Jan 15 08:00:10 2027", 10s},
      {"Mon Feb  1 08:00:00 2027", 17 * 24h},
  };
  for (const auto& [value, expected] : cases) EXPECT_EQ(parse_retry_after(value, now), expected) << value;
}

TEST(RetryAfter, is_nothing_when_it_is_malformed_or_past) {
  for (const std::string value : {"",
                                  " ",
                                  "-1",
                                  "+1",
                                  "1.5",
                                  "1 ",
                                  "10s",
                                  "soon",
                                  "Fri, 15 Jan 2027 07:59:59 GMT",
                                  "Sun, 06 Nov 1994 08:49:37 GMT",
                                  "Sunday, 06-Nov-94 08:49:37 GMT",
                                  "Sun Nov  6 08:49:37 1994",
                                  "Fri, 15 Jan 2027 08:01:30",
                                  "Fri, 15 Jan 2027 08:01:30 CET",
                                  "Fri, 15 Jan 2027 24:00:00 GMT",
                                  "Fri, 15 Jan 2027 08:60:00 GMT",
                                  "Fri, 32 Jan 2027 08:00:00 GMT",
                                  "Wed, 31 Feb 2027 08:00:00 GMT",
                                  "Fri, 00 Jan 2027 08:00:00 GMT",
                                  "Fri, 15 Foo 2027 08:00:00 GMT",
                                  "Xxx, 15 Jan 2027 08:00:00 GMT",
                                  "Fri, 15 Jan 2027 08:01:30 GMT ",
                                  "Fri, 15 Jan 202",
                                  "Fri Jan 15"})
    EXPECT_FALSE(parse_retry_after(value, now)) << value;
}

TEST(RetryAfter, stays_within_what_can_be_added_to_a_time) {
  for (const std::string value : {"99999999999", "9223372036854775807", "99999999999999999999999999",
                                  "Fri, 31 Dec 9999 23:59:59 GMT"}) {
    const auto wait = parse_retry_after(value, now);
    ASSERT_TRUE(wait) << value;
    EXPECT_GT(*wait, 90 * 365 * 24h);
    EXPECT_GT(now + *wait, now);
  }
}

}  // namespace
}  // namespace rockdove::inbox
