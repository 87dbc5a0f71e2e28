#include "unit/inbox/deliveries.hpp"

namespace rockdove::inbox {
namespace {

class DelivererTest : public SomeDeliveries {};

TEST_F(DelivererTest, delivers_what_is_waiting_when_it_starts) {
  const EventId id = append(new_event("/a"));
  start();
  ASSERT_TRUE(until_state(id, State::done));
  ASSERT_EQ(store_.attempts(id).size(), 1U);
  const Attempt& attempt = store_.attempts(id)[0];
  EXPECT_EQ(attempt.number, 1);
  EXPECT_EQ(attempt.started_at, now_);
  EXPECT_EQ(attempt.agent, "office");
  EXPECT_EQ(attempt.status, 200);
  EXPECT_EQ(attempt.error, "");
  EXPECT_EQ(attempt.type, "text/plain");
  EXPECT_EQ(attempt.body, "ok");
}

TEST_F(DelivererTest, delivers_what_comes_later_when_it_is_woken) {
  start();
  const EventId id = append(new_event("/a"));
  settle_down();
  EXPECT_TRUE(upstream_.seen.empty());
  wake();
  EXPECT_TRUE(until_state(id, State::done));
}

TEST_F(DelivererTest, gives_the_answer_to_whoever_waits_for_it) {
  start();
  upstream_.held = true;
  const auto [id, waited] = deliver(new_event("/a"));
  const auto another = wait_for(id);
  upstream_.held = false;
  ASSERT_TRUE(until([&, w = waited] { return w->has_value() && another->has_value(); }));
  for (const auto& each : {waited, another}) {
    ASSERT_TRUE(**each);
    EXPECT_EQ((**each)->outcome, Class::delivered);
    EXPECT_EQ((**each)->status, 200);
    EXPECT_EQ((**each)->body, "ok");
    EXPECT_FALSE((**each)->is_cut);
    EXPECT_EQ((**each)->fields.get("Content-Type"), "text/plain");
  }
  EXPECT_EQ(**waited, **another) << "one answer, however many wait for it";
  EXPECT_TRUE(until_state(id, State::done));
  EXPECT_EQ(upstream_.seen.size(), 1U);
}

TEST_F(DelivererTest, tells_waiters_of_an_attempt_that_failed_too) {
  start();
  const std::pair<Result<int>, Class> cases[] = {{503, Class::retry},
                                                 {404, Class::reject},
                                                 {Error::upstream_refused, Class::retry},
                                                 {Error::no_agent, Class::unseen}};
  for (const auto& [says, expected] : cases) {
    upstream_.script = {says};
    const auto [id, waited] = deliver(new_event("/a"));
    ASSERT_TRUE(until([w = waited] { return w->has_value(); }));
    ASSERT_TRUE(**waited);
    EXPECT_EQ((**waited)->outcome, expected);
  }
}

TEST_F(DelivererTest, records_an_answer_that_comes_after_its_caller_has_gone) {
  start();
  upstream_.held = true;
  const auto [id, waited] = deliver(new_event("/a"), 10ms);
  ASSERT_TRUE(until([w = waited] { return w->has_value(); }));
  EXPECT_FALSE(**waited);
  EXPECT_EQ(store_.event(id).state, State::waiting);
  upstream_.held = false;
  ASSERT_TRUE(until_state(id, State::done));
  EXPECT_EQ(store_.attempts(id)[0].body, "ok");
  EXPECT_EQ(upstream_.seen.size(), 1U);
}

TEST_F(DelivererTest, sends_a_backlog_few_at_a_time_while_callers_are_about_but_not_what_they_wait_for) {
  options_.pace = {.memory = 1h, .spacing = 1h, .together = 2};
  options_.quick = 1h;
  for (int i = 0; i < 6; ++i) append(new_event("/backlog"));
  upstream_.held = true;
  start();
  settle_down();
  EXPECT_EQ(upstream_.running, 6U) << "nobody is about";
  deliverer_->served_caller();
  for (int i = 0; i < 6; ++i) append(new_event("/later"));
  wake();
  settle_down();
  EXPECT_EQ(upstream_.running, 6U);
  const auto [id, waited] = deliver(new_event("/awaited"));
  EXPECT_EQ(upstream_.running, 7U);
  upstream_.held = false;
  ASSERT_TRUE(until_calls(13));
  EXPECT_EQ(upstream_.most_running, 7U);
}

TEST_F(DelivererTest, sends_a_backlog_however_many_callers_wait_for_their_events) {
  start_beside_a_caller(1h);
  for (int i = 0; i < 3; ++i) deliver(new_event("/awaited"));
  EXPECT_EQ(upstream_.running, 3U);
  append_backlog();
  EXPECT_TRUE(until([&] { return upstream_.running == 5; }));
  settle_down();
  EXPECT_EQ(upstream_.running, 5U);
}

TEST_F(DelivererTest, lets_no_attempts_that_hang_hold_up_a_backlog) {
  start_beside_a_caller(1ms);
  append_backlog();
  ASSERT_TRUE(until([&] { return upstream_.running == 6; })) << "two more each time that two are slow";
}

TEST_F(DelivererTest, lets_nobody_wait_past_a_limit_that_is_over) {
  start();
  upstream_.held = true;
  const auto waited = deliver(new_event("/a"), -1ms).second;
  ASSERT_TRUE(until([&] { return waited->has_value(); }));
  EXPECT_FALSE(**waited);
}

TEST_F(DelivererTest, tries_again_when_it_is_time_and_not_before) {
  upstream_.script = {503, Error::upstream_refused};
  route().retry.first = 1h;
  start();
  const EventId id = append(new_event("/a"));
  wake();
  for (int attempts = 1; attempts <= 2; ++attempts) {
    ASSERT_TRUE(until([&] { return store_.event(id).attempts >= attempts; }));
    const auto wait = store_.event(id).due_at - now_;
    EXPECT_EQ(store_.event(id).state, State::waiting);
    EXPECT_GE(wait, 0ms);
    EXPECT_LE(wait, 1h);
    now_ = std::max(now_, store_.event(id).due_at);
    wake();
  }
  ASSERT_TRUE(until_state(id, State::done));
  const auto& attempts = store_.attempts(id);
  ASSERT_EQ(attempts.size(), 3U);
  EXPECT_EQ(attempts[0].status, 503);
  EXPECT_EQ(attempts[1].status, 0);
  EXPECT_EQ(attempts[1].error, "upstream_refused");
  EXPECT_EQ(attempts[2].number, 3);
  EXPECT_EQ(upstream_.seen[2].fields.get("Rockdove-Attempt"), "3");
}

TEST_F(DelivererTest, wakes_by_itself_when_a_retry_is_due) {
  upstream_.script = {503};
  route().retry.first = 1ms;
  start();
  const EventId id = append(new_event("/a"));
  wake();
  ASSERT_TRUE(until([&] { return store_.event(id).attempts >= 1; }));
  now_ += 1ms;
  EXPECT_TRUE(until_state(id, State::done));
}

TEST_F(DelivererTest, waits_as_long_as_the_upstream_asks) {
  upstream_.script = {500};
  upstream_.dress = [](http::Response& response) { response.fields.add("Retry-After", "120"); };
  start();
  const EventId id = append(new_event("/a"));
  wake();
  ASSERT_TRUE(until([&] { return store_.event(id).attempts >= 1; }));
  EXPECT_EQ(store_.event(id).due_at, now_ + 120s);
  now_ += 119s;
  wake();
  settle_down();
  EXPECT_EQ(upstream_.seen.size(), 1U);
  now_ += 1s;
  wake();
  EXPECT_TRUE(until_state(id, State::done));
}

TEST_F(DelivererTest, gives_up_some_time_after_the_first_attempt_however_long_the_event_lay) {
  upstream_.script.assign(5, 503);
  route().retry.first = route().retry.give_up = 1h;
  const EventId id = append(new_event("/a"));
  now_ += 1'000h;
  start();
  ASSERT_TRUE(until([&] { return store_.event(id).attempts >= 1; }));
  EXPECT_EQ(store_.event(id).state, State::waiting);
  EXPECT_EQ(store_.event(id).first_attempt_at, now_);
  for (int attempts = 2; attempts <= 5; ++attempts) {
    now_ = std::max(now_ + 1h, store_.event(id).due_at);
    wake();
    ASSERT_TRUE(until([&] { return store_.event(id).attempts >= attempts; }));
    EXPECT_EQ(store_.event(id).state, attempts < 5 ? State::waiting : State::dead) << attempts;
  }
  EXPECT_EQ(store_.event(id).reason, "given up after 1h: 503 Service Unavailable");
}

TEST_F(DelivererTest, leaves_an_event_as_it_was_when_nobody_was_there_to_try) {
  upstream_.script = {Error::no_agent};
  start();
  upstream_.held = true;
  const EventId id = append(new_event("/a"));
  wake();
  ASSERT_TRUE(until([&] { return upstream_.seen.size() == 1; }));
  upstream_.held = false;
  ASSERT_TRUE(until([&] { return store_.settlements == 1; }));
  EXPECT_EQ(store_.event(id).attempts, 0);
  EXPECT_EQ(store_.event(id).first_attempt_at, WallTime{});
  ASSERT_TRUE(until_state(id, State::done)) << "and tries again, the breaker being closed";
  EXPECT_EQ(upstream_.seen[1].fields.get("Rockdove-Attempt"), "1");
  EXPECT_EQ(store_.attempts(id).size(), 1U);
}

TEST_F(DelivererTest, makes_a_dead_letter_of_what_the_upstream_rejects_and_delivers_its_replay) {
  upstream_.script = {422};
  start();
  const EventId id = append(new_event("/a"));
  wake();
  ASSERT_TRUE(until_state(id, State::dead));
  EXPECT_EQ(store_.event(id).reason, "the upstream answered 422 Unprocessable Content");
  EXPECT_FALSE(upstream_.seen[0].fields.contains("Rockdove-Replay"));
  EXPECT_EQ(*test::run(io_, store_.replay({id}, now_)), 1U);
  wake();
  ASSERT_TRUE(until_state(id, State::done));
  EXPECT_EQ(upstream_.seen[1].fields.get("Rockdove-Replay"), "true");
  EXPECT_EQ(upstream_.seen[1].fields.get("Rockdove-Attempt"), "2");
}

TEST_F(DelivererTest, ends_an_attempt_that_takes_too_long) {
  route().retry.timeout = 20ms;
  upstream_.held = true;
  start();
  const auto [id, waited] = deliver(new_event("/a"));
  ASSERT_TRUE(until([w = waited] { return w->has_value(); }));
  ASSERT_TRUE(**waited);
  EXPECT_EQ((**waited)->outcome, Class::retry);
  ASSERT_TRUE(until([&, event = id] { return store_.event(event).attempts >= 1; }));
  EXPECT_EQ(store_.attempts(id)[0].error, "upstream_timeout");
  EXPECT_EQ(store_.attempts(id)[0].status, 0);
  EXPECT_GE(store_.attempts(id)[0].took, 20ms);
  EXPECT_GE(upstream_.cancelled, 1U) << "the exchange was given up";
}

TEST_F(DelivererTest, takes_an_attempt_that_nobody_had_when_its_time_was_up_for_none) {
  route().retry.timeout = 10ms;
  upstream_.absent = {"office"};
  for (const bool reports : {false, true}) {
    upstream_.reports_cancellation = reports;
    upstream_.held = true;
    start();
    const auto [id, waited] = deliver(new_event("/a"));
    ASSERT_TRUE(until([w = waited] { return w->has_value(); }));
    ASSERT_TRUE(**waited);
    EXPECT_EQ((**waited)->outcome, Class::unseen);
    EXPECT_EQ(store_.event(id).attempts, 0);
    TearDown();
  }
}

TEST_F(DelivererTest, ends_an_attempt_whose_answer_does_not_end) {
  route().retry.timeout = 20ms;
  const auto feed = std::make_shared<test::Feed>(io_);
  feed->add("half");
  upstream_.body = [feed] { return std::make_unique<test::FeedBody>(feed); };
  start();
  const EventId id = append(new_event("/a"));
  wake();
  ASSERT_TRUE(until([&] { return store_.event(id).attempts >= 1; }));
  EXPECT_EQ(store_.attempts(id)[0].error, "upstream_timeout");
  EXPECT_TRUE(feed->dropped);
}

TEST_F(DelivererTest, takes_an_answer_that_breaks_off_for_a_failed_attempt) {
  const auto feed = std::make_shared<test::Feed>(io_);
  feed->add("half");
  feed->end(Error::upstream_reset);
  upstream_.body = [feed] { return std::make_unique<test::FeedBody>(feed); };
  start();
  const EventId id = append(new_event("/a"));
  wake();
  ASSERT_TRUE(until([&] { return store_.event(id).attempts >= 1; }));
  EXPECT_EQ(store_.attempts(id)[0].error, "upstream_reset");
  EXPECT_EQ(store_.attempts(id)[0].status, 200);
  upstream_.body = nullptr;
}

TEST_F(DelivererTest, keeps_the_beginning_of_a_long_answer_and_reads_the_rest) {
  options_.answer_bytes = 100'000;
  const auto feed = std::make_shared<test::Feed>(io_);
  for (int i = 0; i < 30; ++i) feed->add(std::string(10'000, 'x'));
  feed->end();
  upstream_.body = [feed] { return std::make_unique<test::FeedBody>(feed); };
  start();
  const auto [id, waited] = deliver(new_event("/a"));
  ASSERT_TRUE(until([w = waited] { return w->has_value(); }));
  EXPECT_EQ((**waited)->body.size(), 100'000U);
  EXPECT_TRUE((**waited)->is_cut);
  EXPECT_EQ(feed->taken, 300'000U);
  ASSERT_TRUE(until_state(id, State::done));
  EXPECT_EQ(store_.attempts(id)[0].body.size(), answer_bytes_max);
}

TEST_F(DelivererTest, lets_attempts_under_way_end_when_it_stops_and_begins_no_more) {
  route().concurrency = 1;
  upstream_.held = true;
  const EventId first = append(new_event("/a"));
  const EventId second = append(new_event("/b"));
  start();
  ASSERT_TRUE(until([&] { return upstream_.running == 1; }));
  test::on_loop(io_, [&] { deliverer_->stop(); });
  settle_down();
  EXPECT_FALSE(tasks_.empty());
  upstream_.held = false;
  ASSERT_TRUE(until([&] { return tasks_.empty(); }));
  EXPECT_EQ(store_.event(first).state, State::done);
  EXPECT_EQ(store_.event(second).state, State::waiting);
  EXPECT_EQ(store_.claimed_count(), 0U);
}

TEST_F(DelivererTest, gives_its_claims_back_when_it_is_cancelled) {
  for (const bool reports : {false, true}) {
    upstream_.reports_cancellation = reports;
    upstream_.held = true;
    start();
    const auto [id, waited] = deliver(new_event("/a"));
    ASSERT_TRUE(until([&] { return upstream_.running >= 1; }));
    append(new_event("/b"));
    test::on_loop(io_, [&] {
      deliverer_->wake("r");
      deliverer_->stop();
      tasks_.cancel();
    });
    ASSERT_TRUE(until([&] { return tasks_.empty(); }));
    EXPECT_GE(upstream_.cancelled, 1U);
    EXPECT_EQ(store_.claimed_count(), 0U);
    EXPECT_EQ(store_.event(id).state, State::waiting);
    EXPECT_EQ(store_.event(id).attempts, 0) << "that it was cut short is not the upstream's failure";
  }
}

TEST_F(DelivererTest, gives_back_what_has_not_begun_when_it_stops) {
  start();
  DueEvent due = claimed(new_event("/a"));
  const EventId id = due.event.id;
  test::on_loop(io_, [&] {
    deliverer_->deliver(std::move(due));
    deliverer_->stop();
  });
  ASSERT_TRUE(until([&] { return tasks_.empty(); }));
  EXPECT_FALSE(store_.is_claimed(id));
  EXPECT_TRUE(upstream_.seen.empty());
}

TEST_F(DelivererTest, gives_back_what_is_cancelled_before_it_began_or_comes_too_late) {
  start();
  DueEvent due = claimed(new_event("/a"));
  const EventId id = due.event.id;
  test::on_loop(io_, [&] {
    tasks_.cancel();
    deliverer_->deliver(due);  // its task is cancelled before its first turn
  });
  ASSERT_TRUE(until([&] { return tasks_.empty(); }));
  EXPECT_FALSE(store_.is_claimed(id));
  EXPECT_TRUE(upstream_.seen.empty());
  EXPECT_EQ(test::run(io_, store_.claim({"r", now_, 24h, 1, 1}))->events.size(), 1U);
  test::on_loop(io_, [&] { deliverer_->deliver(due); });
  EXPECT_FALSE(store_.is_claimed(id));
}

TEST_F(DelivererTest, loses_no_settlement_when_it_is_cancelled) {
  store_.hold_settlements = true;
  start();
  const auto [id, waited] = deliver(new_event("/a"));
  ASSERT_TRUE(until([w = waited] { return w->has_value(); }));
  test::on_loop(io_, [&] { tasks_.cancel(); });
  ASSERT_TRUE(until([&] { return tasks_.empty(); }));
  store_.hold_settlements = false;
  EXPECT_TRUE(test::run(io_, store_.claim({"r", now_, 24h, 1, 1}))->events.empty());
  EXPECT_EQ(store_.event(id).state, State::done);
}

TEST_F(DelivererTest, loses_no_settlement_when_it_is_cancelled_before_that_is_on_its_way) {
  upstream_.dress = [this](http::Response&) { tasks_.cancel(); };
  start();
  const EventId id = append(new_event("/a"));
  wake();
  ASSERT_TRUE(until([&] { return tasks_.empty(); }));
  EXPECT_EQ(upstream_.cancelled, 0U);
  EXPECT_EQ(store_.event(id).state, State::done);
}

}  // namespace
}  // namespace rockdove::inbox
