// The embedded store and a clock that jumps; where events stand among the others.
#include "unit/inbox/store_fixture.hpp"

namespace rockdove::inbox {
namespace {

using SqliteStoreClock = StoreFixture;

constexpr std::int64_t hour_ms = 3'600'000, ten_years_ms = 10 * 365 * 24 * hour_ms;

TEST_F(SqliteStoreClock, a_new_event_is_due_at_once_however_far_the_clock_is_put_back) {
  for (const std::int64_t back : {std::int64_t{1}, hour_ms, ten_years_ms}) {
    const EventId id = append("body", start_ms).id;
    const Claimed claimed = claim(start_ms - back);
    ASSERT_EQ(claimed.events.size(), 1u) << back;
    EXPECT_EQ(claimed.events[0].event.id, id);
    EXPECT_EQ(claimed.events[0].event.due_at, wall_time(start_ms)) << "lists show when it was received";
    settle(id, Verdict::done);
  }
}

TEST_F(SqliteStoreClock, what_a_claim_leaves_is_due_now_and_not_when_the_clock_was_wrong) {
  append("one", start_ms);
  append("two", start_ms + 1);
  EXPECT_EQ(claim(start_ms - hour_ms, 1).next_due, wall_time(start_ms - hour_ms));
}

TEST_F(SqliteStoreClock, a_retry_that_is_due_after_any_wait_is_due_now) {
  const EventId id = append("body", start_ms).id;
  claim();
  settle(id, Verdict::retry, start_ms);  // for a minute
  ClaimRequest request;
  request.route = "hook";
  request.events_max = 10;
  request.bytes_max = 1 << 20;
  request.now = wall_time(start_ms - hour_ms);
  request.wait_max = 2h;
  auto claimed = run(io_, store_->claim(request));
  ASSERT_TRUE(claimed);
  EXPECT_TRUE(claimed->events.empty()) << "as far as anybody can tell it waits for its turn";
  EXPECT_EQ(claimed->next_due, wall_time(start_ms + 60'000));
  for (const std::int64_t back : {3 * hour_ms, ten_years_ms}) {
    request.now = wall_time(start_ms - back);
    claimed = run(io_, store_->claim(request));
    ASSERT_TRUE(claimed);
    ASSERT_EQ(claimed->events.size(), 1u) << back;
    Settlement release = settlement(id, Verdict::release);
    release.due_at = {};
    run(io_, store_->settle(release));
  }
}

TEST_F(SqliteStoreClock, new_events_do_not_overtake_a_retry_that_was_due_before_they_came) {
  const EventId old = append("old", start_ms).id;
  claim();
  settle(old, Verdict::retry, start_ms);  // due at start_ms + 60'000
  append("before", start_ms + 59'000);
  append("after", start_ms + 61'000);
  EXPECT_EQ(claim_bodies(), (std::vector<std::string>{"before", "old", "after"}));
}

TEST_F(SqliteStoreClock, a_release_with_a_time_moves_the_event_behind_the_others_without_an_attempt) {
  const EventId first = append("first", start_ms).id;
  append("second", start_ms + 1);
  ASSERT_EQ(claim(start_ms + 10, 1).events.at(0).event.id, first);
  Settlement release = settlement(first, Verdict::release);
  release.due_at = wall_time(start_ms + 20);
  run(io_, store_->settle(release));
  const Claimed claimed = claim(start_ms + 30);
  ASSERT_EQ(claimed.events.size(), 2u);
  EXPECT_EQ(claimed.events[0].request.body, "second");
  EXPECT_EQ(claimed.events[1].request.body, "first");
  EXPECT_EQ(claimed.events[1].event.attempts, 0);
  EXPECT_EQ(claimed.events[1].event.first_attempt_at, WallTime{});
  EXPECT_EQ(claimed.events[1].event.due_at, wall_time(start_ms + 20));
}

TEST_F(SqliteStoreClock, a_release_without_a_time_writes_nothing) {
  const EventId id = append("body").id;
  claim();
  const auto commits = store_->health().commits;
  Settlement release = settlement(id, Verdict::release);
  release.due_at = {};
  run(io_, store_->settle(release));
  EXPECT_EQ(store_->health().commits, commits);
  EXPECT_EQ(claim().events.size(), 1u);
}

TEST_F(SqliteStoreClock, an_eager_settlement_is_committed_without_waiting_for_company) {
  SqliteOptions options = files_.options();
  options.linger = std::chrono::minutes(10);
  open(options);
  const EventId id = append("body").id;
  claim();
  Settlement done = settlement(id, Verdict::done);
  done.eager = true;
  run(io_, store_->settle(done));
  EXPECT_EQ(state_of(id), State::done);
}

TEST_F(SqliteStoreClock, an_eager_settlement_takes_along_those_that_linger) {
  SqliteOptions options = files_.options();
  options.linger = std::chrono::minutes(10);
  open(options);
  const EventId first = append("first").id, second = append("second").id;
  claim();
  store_->settle_later(settlement(first, Verdict::done));
  Settlement done = settlement(second, Verdict::done);
  done.eager = true;
  run(io_, store_->settle(done));
  EXPECT_EQ(state_of(first), State::done);
}

}  // namespace
}  // namespace rockdove::inbox
