#include "inbox/ahead.hpp"

#include "unit/inbox/lanes.hpp"

namespace rockdove::inbox {
namespace {

class AheadTest : public LaneTest {
 protected:
  /// An upstream that was quick, then holds one event of those that are due.
  void hold_one_of(int count) {
    route().concurrency = 1;
    start();
    const EventId first = append(new_event("/first"));
    wake();
    ASSERT_TRUE(until_state(first, State::done));
    upstream_.held = true;
    for (int i = 0; i < count; ++i) ids_.push_back(append(new_event("/a")));
    wake();
    ASSERT_TRUE(until([&] { return upstream_.running == 1 && store_.claimed_count() == ids_.size(); }));
  }

  std::vector<EventId> ids_;
};

TEST_F(AheadTest, events_are_claimed_several_at_a_time_where_room_comes_quickly) {
  route().concurrency = 1;
  for (int i = 0; i < 60; ++i) ids_.push_back(append(new_event("/a" + std::to_string(i))));
  start();
  for (const EventId id : ids_) ASSERT_TRUE(until_state(id, State::done));
  EXPECT_EQ(upstream_.seen.size(), 60U);
  EXPECT_EQ(upstream_.most_running, 1U);
  EXPECT_LE(store_.claims, 12U);
  Targets wanted;
  for (int i = 0; i < 60; ++i) wanted.push_back("/a" + std::to_string(i));
  EXPECT_EQ(upstream_.targets(), wanted);
}

TEST_F(AheadTest, they_are_free_again_when_the_route_is_paused) {
  hold_one_of(10);
  pause("for the test");
  EXPECT_TRUE(until([&] { return store_.claimed_count() == 1; })) << "the one under way";
  pause("");
  upstream_.held = false;
  for (const EventId id : ids_) ASSERT_TRUE(until_state(id, State::done));
  EXPECT_EQ(upstream_.seen.size(), 11U);
}

TEST_F(AheadTest, they_are_free_again_when_deliveries_stop) {
  hold_one_of(10);
  test::on_loop(io_, [&] { deliverer_->stop(); });
  EXPECT_TRUE(until([&] { return store_.claimed_count() == 1; }));
  upstream_.held = false;
  EXPECT_TRUE(until([&] { return store_.claimed_count() == 0; }));
  EXPECT_EQ(upstream_.seen.size(), 2U);
}

TEST_F(AheadTest, they_are_free_again_when_attempts_keep_failing) {
  hold_one_of(10);
  upstream_.script.assign(5, Error::upstream_refused);
  route().retry.first = 1h;
  upstream_.held = false;
  EXPECT_TRUE(until([&] { return store_.claimed_count() == 0; }));
  EXPECT_LE(upstream_.seen.size(), 8U) << "the breaker is open";
}

TEST_F(AheadTest, an_order_is_kept_by_claiming_one_at_a_time) {
  route().order = Order::fifo;
  for (int i = 0; i < 5; ++i) ids_.push_back(append(ordered_event("/a" + std::to_string(i), "")));
  start();
  for (const EventId id : ids_) ASSERT_TRUE(until_state(id, State::done));
  EXPECT_GE(store_.claims, 5U);
}

}  // namespace
}  // namespace rockdove::inbox
