#include "inbox/lane.hpp"

#include "unit/inbox/lanes.hpp"

#include <map>

namespace rockdove::inbox {
namespace {

TEST_F(LaneTest, has_no_more_attempts_under_way_than_it_may) {
  route().concurrency = 3;
  upstream_.held = true;
  std::vector<EventId> ids;
  for (int i = 0; i < 10; ++i) ids.push_back(append(new_event("/" + std::to_string(i))));
  start();
  ASSERT_TRUE(until([&] { return upstream_.running == 3; }));
  const auto [late, waited] = deliver(new_event("/late"));
  settle_down();
  EXPECT_EQ(upstream_.running, 3U);
  EXPECT_EQ(store_.claimed_count(), 3U) << "what does not begin is not claimed either";
  upstream_.held = false;
  ids.push_back(late);
  for (const EventId id : ids) ASSERT_TRUE(until_state(id, State::done));
  EXPECT_EQ(upstream_.most_running, 3U);
  EXPECT_EQ(upstream_.seen.size(), 11U);
  ASSERT_TRUE(until([w = waited] { return w->has_value(); }));
  EXPECT_TRUE(**waited) << "an event that had to stand in line is waited for too";
}

TEST_F(LaneTest, takes_no_more_than_so_many_bytes_but_one_event_of_any_size) {
  options_.claim_bytes = 1000;
  upstream_.held = true;
  NewEvent big = new_event("/big");
  big.request.body.assign(5000, 'x');
  append(big);
  append(big);
  start();
  ASSERT_TRUE(until([&] { return upstream_.running == 1; }));
  settle_down();
  EXPECT_EQ(store_.claimed_count(), 1U);
  upstream_.held = false;
  ASSERT_TRUE(until_calls(2));
  EXPECT_EQ(upstream_.most_running, 1U);
}

TEST_F(LaneTest, in_order_makes_one_attempt_at_a_time_and_waits_for_a_retry) {
  route().order = Order::fifo;
  route().retry.first = 1ms;
  upstream_.script = {200, 503, 200};
  std::vector<EventId> ids;
  for (const char* target : {"/a", "/b", "/c", "/d"}) ids.push_back(append(ordered_event(target, "")));
  start();
  ASSERT_TRUE(until([&] { return store_.event(ids[1]).attempts >= 1; }));
  now_ += 1s;
  wake();
  ASSERT_TRUE(until_state(ids[3], State::done));
  EXPECT_EQ(upstream_.targets(), (Targets{"/a", "/b", "/b", "/c", "/d"}));
  EXPECT_EQ(upstream_.most_running, 1U);
}

TEST_F(LaneTest, in_order_goes_on_after_a_dead_letter) {
  route().order = Order::fifo;
  upstream_.script = {400};
  append(ordered_event("/a", ""));
  const EventId second = append(ordered_event("/b", ""));
  start();
  ASSERT_TRUE(until_state(second, State::done));
  EXPECT_EQ(upstream_.targets(), (Targets{"/a", "/b"}));
}

TEST_F(LaneTest, in_order_goes_on_only_once_the_end_of_the_one_before_is_on_disk) {
  route().order = Order::fifo;
  store_.hold_settlements = true;
  const EventId first = append(ordered_event("/a", ""));
  const EventId second = append(ordered_event("/b", ""));
  start();
  ASSERT_TRUE(until_calls(1));
  settle_down();
  EXPECT_EQ(store_.event(first).state, State::waiting);
  EXPECT_EQ(upstream_.seen.size(), 1U);
  store_.hold_settlements = false;
  EXPECT_TRUE(until_state(second, State::done));
}

TEST_F(LaneTest, by_key_delivers_each_key_in_order_and_the_keys_side_by_side) {
  route().order = Order::key;
  upstream_.held = true;
  std::vector<EventId> ids;
  for (int i = 0; i < 4; ++i)
    for (const char* key : {"x", "y", "z"})
      ids.push_back(append(ordered_event(std::string("/") + key + std::to_string(i), key)));
  start();
  ASSERT_TRUE(until([&] { return upstream_.running == 3; }));
  settle_down();
  EXPECT_EQ(upstream_.running, 3U);
  upstream_.held = false;
  for (const EventId id : ids) ASSERT_TRUE(until_state(id, State::done));
  std::map<char, std::string> order;
  for (const std::string& target : upstream_.targets()) order[target[1]] += target[2];
  for (const auto& [key, numbers] : order) EXPECT_EQ(numbers, "0123") << key;
  EXPECT_EQ(upstream_.most_running, 3U);
}

TEST_F(LaneTest, does_not_hammer_a_store_that_refuses_claims) {
  store_.fail_claims_with = Error::unavailable;
  const EventId id = append(new_event("/a"));
  start();
  test::run_for(io_, 40ms);
  EXPECT_EQ(store_.claims, 1U);
  store_.fail_claims_with.reset();
  wake();
  EXPECT_TRUE(until_state(id, State::done));
}

TEST_F(LaneTest, looks_into_the_store_only_when_there_may_be_something_to_find) {
  start();
  append(new_event("/first"));
  wake();
  ASSERT_TRUE(until_calls(1));
  settle_down();
  const std::size_t claims = store_.claims;
  for (int i = 0; i < 20; ++i) deliver(new_event("/a"));
  ASSERT_TRUE(until_calls(21));
  EXPECT_EQ(store_.claims, claims);
}

TEST_F(LaneTest, delivers_nothing_before_it_knows_which_routes_are_paused) {
  store_.fail_pauses_with = Error::unavailable;
  append(new_event("/a"));
  start();
  deliver(new_event("/b"));
  EXPECT_TRUE(upstream_.seen.empty());
  EXPECT_EQ(store_.claimed_count(), 0U);
}

TEST_F(LaneTest, follows_new_options) {
  route().concurrency = 1;
  upstream_.held = true;
  for (int i = 0; i < 4; ++i) append(new_event("/a"));
  start();
  ASSERT_TRUE(until([&] { return upstream_.running == 1; }));
  route().concurrency = 3;
  test::on_loop(io_, [&] { deliverer_->set_options(options_); });
  ASSERT_TRUE(until([&] { return upstream_.running == 3; }));
  settle_down();
  EXPECT_EQ(upstream_.running, 3U);
}

TEST_F(LaneTest, of_one_route_does_not_wait_for_that_of_another) {
  route("r").concurrency = 1;
  upstream_.held = true;
  append(new_event("/a", "r"));
  append(new_event("/b", "s"));
  start();
  ASSERT_TRUE(until([&] { return upstream_.running == 2; }));
  const std::string rest = R"("running":1,"paused":false,"breaker":"closed","waiters":0,)"
                           R"("attempts":{"delivered":0,"retry":0,"rejected":0,"gone":0,"unseen":0}})";
  EXPECT_EQ(json(), R"([{"route":"r",)" + rest + R"(,{"route":"s",)" + rest + "]");
}

}  // namespace
}  // namespace rockdove::inbox
