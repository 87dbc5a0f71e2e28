// When a lane rests: failing attempts, pauses, an upstream that says when to come back.
#include "unit/inbox/lanes.hpp"

#include <map>

namespace rockdove::inbox {
namespace {

TEST_F(LaneTest, rests_when_attempts_keep_failing_and_probes_when_there_is_hope) {
  open_breaker();
  EXPECT_NE(json().find(R"("breaker":"open")"), std::string::npos);
  append(new_event("/second"));
  wake();
  settle_down();
  EXPECT_EQ(upstream_.seen.size(), 5U);
  hope("elsewhere");
  settle_down();
  EXPECT_EQ(upstream_.seen.size(), 5U);
  upstream_.held = true;
  hope();
  ASSERT_TRUE(until([&] { return upstream_.seen.size() == 6; }));
  settle_down();
  EXPECT_EQ(upstream_.running, 1U) << "one probe, though two events are due";
  upstream_.held = false;
  ASSERT_TRUE(until_calls(7));
  EXPECT_NE(json().find(R"("breaker":"closed")"), std::string::npos);
}

TEST_F(LaneTest, rests_again_when_the_probe_fails_or_is_put_off) {
  open_breaker();
  for (int i = 0; i < 3; ++i) append(new_event("/more"));
  for (const Result<int>& says : {Result<int>(503), Result<int>(429), Result<int>(Error::no_agent)}) {
    const std::size_t calls = upstream_.seen.size();
    upstream_.script.assign(1, says);
    hope();
    ASSERT_TRUE(until_calls(calls + 1));
    settle_down();
    EXPECT_EQ(upstream_.seen.size(), calls + 1);
    EXPECT_NE(json().find(R"("breaker":"open")"), std::string::npos);
  }
}

TEST_F(LaneTest, goes_round_with_its_probes_where_some_events_have_no_agent) {
  route().concurrency = 1;
  upstream_.absent = {"office"};
  const EventId first = append(new_event("/old"));
  for (int i = 1; i < 8; ++i) append(new_event("/old"));
  now_ += 1ms;
  NewEvent later = new_event("/new");
  later.tunnel = "garage";
  const EventId id = append(later);
  now_ += 1ms;
  start();
  ASSERT_TRUE(until_calls(5));
  for (int probe = 1; probe <= 4; ++probe) {
    now_ += 1ms;
    hope("garage");
    ASSERT_TRUE(until_calls(5 + static_cast<std::size_t>(probe)));
    settle_down();
  }
  EXPECT_EQ(store_.event(id).state, State::done);
  EXPECT_EQ(store_.event(first).attempts, 0);
}

TEST_F(LaneTest, sends_events_where_the_route_goes_now) {
  upstream_.absent = {"office"};
  route().tunnel = "garage";
  route().upstream = "shop";
  const EventId id = append(new_event("/a"));
  start();
  ASSERT_TRUE(until_state(id, State::done));
  EXPECT_EQ(upstream_.seen[0].context.tunnel, "garage");
  EXPECT_EQ(upstream_.seen[0].context.upstream, "shop");
}

TEST_F(LaneTest, delivers_what_a_clock_that_was_wrong_has_scheduled_far_ahead) {
  route().retry.first = route().retry.longest = 1h;
  upstream_.script = {503};
  const EventId id = append(new_event("/a"));
  start();
  ASSERT_TRUE(until([&] { return store_.event(id).attempts >= 1; }));
  now_ -= 2h;  // it is put right: no wait would be as long as this one now is
  wake();
  EXPECT_TRUE(until_state(id, State::done));
}

TEST_F(LaneTest, hopes_for_every_tunnel_that_one_of_its_events_may_go_to) {
  const struct {
    std::string now, stored, hoped;
    bool helps;
  } cases[] = {{"", "office", "office", true},
               {"", "office", "garage", false},
               {"", "", "garage", true},
               {"garage", "", "garage", true},
               {"garage", "office", "garage", true},
               {"garage", "office", "office", false}};
  for (const auto& each : cases) {
    const std::string name = "r" + std::to_string(&each - cases);
    route(name).tunnel = each.now;
    route(name).concurrency = 1;
    upstream_.script.assign(5, Error::no_agent);
    start();
    const std::size_t calls = upstream_.seen.size();
    NewEvent event = new_event("/a", name);
    event.tunnel = each.stored;
    const EventId id = append(event);
    event.tunnel = "elsewhere";  // the latest does not say where the others go
    const EventId other = append(event);
    test::on_loop(io_, [&] { deliverer_->wake(name); });
    ASSERT_TRUE(until_calls(calls + 5));
    settle_down();
    hope(each.hoped);
    settle_down();
    EXPECT_EQ(store_.event(id).state == State::done, each.helps) << name;
    hope(each.now.empty() ? "elsewhere" : each.now);
    ASSERT_TRUE(until_state(id, State::done) && until_state(other, State::done));
    TearDown();
  }
}

TEST_F(LaneTest, rests_as_a_whole_when_the_upstream_says_when_to_come_back) {
  for (const int status : {429, 503}) {
    const std::string name = std::to_string(status);
    route(name).concurrency = 1;
    route(name).retry.longest = 40ms;  // no rest is longer
    upstream_.script = {status};
    upstream_.dress = [](http::Response& response) {
      if (response.status >= 400) response.fields.add("Retry-After", "60");
    };
    const std::size_t calls = upstream_.seen.size();
    append(new_event("/a", name));
    const EventId second = append(new_event("/b", name));
    const auto began = net::Clock::now();
    start();
    ASSERT_TRUE(until_calls(calls + 1));
    const EventId third = deliver(new_event("/c", name)).first;
    ASSERT_TRUE(until_state(second, State::done) && until_state(third, State::done));
    EXPECT_GE(net::Clock::now() - began, 40ms) << "nothing else was sent meanwhile";
    TearDown();
  }
}

TEST_F(LaneTest, lets_nobody_wait_for_what_comes_after_a_long_rest_and_ends_it_when_resumed) {
  upstream_.script = {429};
  upstream_.dress = [](http::Response& response) {
    if (response.status == 429) response.fields.add("Retry-After", "60");
  };
  start();
  const auto first = deliver(new_event("/a")).second;
  const auto [id, waited] = deliver(new_event("/b"));
  ASSERT_TRUE(first->has_value() && waited->has_value());
  EXPECT_TRUE(**first);
  EXPECT_FALSE(**waited);
  EXPECT_EQ(upstream_.seen.size(), 1U);
  pause("");
  EXPECT_TRUE(until_state(id, State::done));
}

TEST_F(LaneTest, does_not_rest_because_an_upstream_rejects_or_puts_off) {
  route().retry.first = 0ms;
  start();
  for (const int status : {404, 429}) {
    upstream_.script.assign(8, status);
    const std::size_t calls = upstream_.seen.size();
    for (int i = 0; i < 8; ++i) append(new_event("/a"));
    wake();
    ASSERT_TRUE(until_calls(calls + 8));
    EXPECT_NE(json().find(R"("breaker":"closed")"), std::string::npos) << status;
  }
}

TEST_F(LaneTest, lets_nobody_wait_while_it_rests) {
  open_breaker();
  const auto waited = deliver(new_event("/a")).second;
  ASSERT_TRUE(waited->has_value());
  EXPECT_FALSE(**waited);
  EXPECT_EQ(store_.claimed_count(), 0U);
}

TEST_F(LaneTest, lets_those_go_who_wait_when_it_begins_to_rest) {
  route().order = Order::fifo;
  route().retry.first = 0ms;
  upstream_.script.assign(5, Error::upstream_refused);
  upstream_.held = true;
  start();
  const auto head = deliver(ordered_event("/a", "")).second;
  const auto queued = deliver(ordered_event("/b", "")).second;
  EXPECT_FALSE(queued->has_value());
  upstream_.held = false;
  ASSERT_TRUE(until([&] { return queued->has_value(); }));
  EXPECT_FALSE(**queued);
  EXPECT_TRUE(**head) << "its attempt has ended, if badly";
}

TEST_F(LaneTest, paused_delivers_nothing_until_it_is_resumed) {
  start();
  pause("we move house");
  const EventId first = append(new_event("/a"));
  wake();
  const auto waited = deliver(new_event("/b")).second;
  ASSERT_TRUE(waited->has_value());
  EXPECT_FALSE(**waited);
  EXPECT_TRUE(upstream_.seen.empty());
  EXPECT_EQ(store_.claimed_count(), 0U);
  EXPECT_NE(json().find(R"("paused":true,"reason":"we move house")"), std::string::npos);
  pause("");
  EXPECT_TRUE(until_state(first, State::done));
  EXPECT_TRUE(until_calls(2));
  EXPECT_NE(json().find(R"("paused":false)"), std::string::npos);
}

TEST_F(LaneTest, paused_stays_so_over_a_restart) {
  ASSERT_TRUE(test::run(io_, store_.set_paused("r", "we move house")));
  append(new_event("/a"));
  start();
  settle_down();
  EXPECT_TRUE(upstream_.seen.empty());
}

TEST_F(LaneTest, pausing_lets_an_attempt_end_and_those_go_who_wait_for_another) {
  route().concurrency = 1;
  upstream_.held = true;
  start();
  const auto running = deliver(new_event("/a")).second;
  const auto waiting = deliver(new_event("/b")).second;
  pause("we move house");
  ASSERT_TRUE(until([&] { return waiting->has_value(); }));
  EXPECT_FALSE(**waiting);
  EXPECT_FALSE(running->has_value());
  upstream_.held = false;
  ASSERT_TRUE(until([&] { return running->has_value(); }));
  EXPECT_TRUE(**running);
  settle_down();
  EXPECT_EQ(upstream_.seen.size(), 1U);
}

TEST_F(LaneTest, a_pause_that_cannot_be_stored_is_an_error_and_does_not_begin) {
  start();
  store_.fail_pauses_with = Error::unavailable;
  EXPECT_EQ(test::run(io_, deliverer_->pause("r", "why")).error(), Error::unavailable);
  const EventId id = append(new_event("/a"));
  wake();
  EXPECT_TRUE(until_state(id, State::done));
}

TEST_F(LaneTest, an_upstream_that_is_gone_pauses_it) {
  route().concurrency = 1;
  upstream_.script = {410};
  const EventId first = append(new_event("/a"));
  append(new_event("/b"));
  start();
  ASSERT_TRUE(until_state(first, State::dead));
  settle_down();
  EXPECT_EQ(upstream_.seen.size(), 1U);
  const auto paused = test::run(io_, store_.paused());
  ASSERT_EQ(paused->size(), 1U);
  EXPECT_EQ(paused->at(0).second, "the upstream answered 410 Gone");
}

}  // namespace
}  // namespace rockdove::inbox
