#include "inbox/capture.hpp"

#include "unit/inbox/capture_scene.hpp"

namespace rockdove::inbox {
namespace {

TEST_F(CaptureTest, takes_what_changes_something_on_routes_that_store) {
  const auto takes = [&](const char* method, Mode mode, std::string upgrade = {}) {
    http::Request request = test::request_of(method, "/");
    request.upgrade = std::move(upgrade);
    return Capture::takes(request, route(mode));
  };
  for (const char* method : {"POST", "PUT", "PATCH", "DELETE", "post", "X"}) {
    EXPECT_TRUE(takes(method, Mode::inbox)) << method;
    EXPECT_TRUE(takes(method, Mode::automatic)) << method;
    EXPECT_FALSE(takes(method, Mode::live)) << method;
  }
  for (const char* method : {"GET", "HEAD", "OPTIONS", "TRACE", "CONNECT"})
    EXPECT_FALSE(takes(method, Mode::inbox)) << method;
  EXPECT_FALSE(takes("POST", Mode::inbox, "websocket"));
}

TEST_F(CaptureTest, inbox_acks_before_the_upstream_answers_and_keeps_the_whole_request) {
  gate_open = false;
  EXPECT_EQ(send(post("hello", "1"), route(Mode::inbox)), "202 kept");
  const EventId id = only_id();
  EXPECT_EQ(fields.get("rockdove-event-id"), format_event_id(id));
  EXPECT_EQ(fields.get("content-type"), "application/json");
  EXPECT_EQ(store.event(id).state, State::waiting);
  const auto detail = run(io, store.look_up(id));
  const StoredRequest& stored = detail->request;
  EXPECT_EQ(stored.method + " " + stored.target + " " + stored.body, "POST /hook?a=%20 hello");
  EXPECT_EQ(stored.fields.get("X-Id"), "1");
  EXPECT_EQ(stored.peer, "192.0.2.1");
  EXPECT_EQ(stored.request_id, "r1");
  EXPECT_EQ(detail->event.tunnel, "bot");
  gate_open = true;
  EXPECT_TRUE(wait_for(State::done));
  EXPECT_EQ(seen, std::vector<std::string>{"hello"});
}

TEST_F(CaptureTest, an_ack_without_body_or_type_has_none) {
  ack_ = {204, "", ""};
  EXPECT_EQ(send(post("x"), route(Mode::inbox)), "204 ");
  EXPECT_EQ(fields.size(), 1U);
  ack_ = {200, "", "x"};
  EXPECT_EQ(send(post("x"), route(Mode::inbox)), "200 x");
  EXPECT_FALSE(fields.contains("content-type"));
}

TEST_F(CaptureTest, a_streamed_body_is_stored_whole_and_one_over_the_limit_is_not) {
  RouteOptions options = route(Mode::inbox);
  options.body_bytes = 10;
  for (const auto& [rest, expected] :
       {std::pair{"6789!", "202 kept"}, {"6789!?", "body_too_large"}, {"", "202 kept"}}) {
    const auto feed = std::make_shared<test::Feed>(io);
    feed->add("34");
    feed->add("5");
    if (*rest) feed->add(rest);
    feed->end();
    http::Request request = post("12");
    request.body = std::make_unique<test::FeedBody>(feed);
    EXPECT_EQ(send(std::move(request), options), expected) << rest;
  }
  EXPECT_EQ(store.size(), 2U);
  EXPECT_TRUE(run_until(io, [&] { return seen.size() == 2; }));
  EXPECT_EQ(seen[0] + seen[1], "123456789!12345");
}

TEST_F(CaptureTest, a_body_announced_too_large_is_refused_unread) {
  RouteOptions options = route(Mode::inbox);
  options.body_bytes = 10;
  const auto feed = std::make_shared<test::Feed>(io);  // nothing ever comes
  http::Request request = post("");
  request.fields.add("Content-Length", "11");
  request.body = std::make_unique<test::FeedBody>(feed);
  EXPECT_EQ(send(std::move(request), options), "body_too_large");
}

TEST_F(CaptureTest, a_body_that_breaks_is_not_stored) {
  const auto feed = std::make_shared<test::Feed>(io);
  feed->add("half");
  feed->end(Error::truncated);
  http::Request request = post("");
  request.body = std::make_unique<test::FeedBody>(feed);
  EXPECT_EQ(send(std::move(request), route(Mode::inbox)), "truncated");
  EXPECT_EQ(store.size(), 0U);
  EXPECT_EQ(capture->counters().refused, 1U);
}

TEST_F(CaptureTest, memory_is_bounded_over_all_requests_and_comes_back_from_cancelled_ones) {
  Capture::Options options;
  options.memory = 10;
  start(options);
  const auto feed = std::make_shared<test::Feed>(io);
  feed->add("1234567");
  http::Request slow = post("");
  slow.body = std::make_unique<test::FeedBody>(feed);
  std::string outcome;
  auto task = send_beside(std::move(slow), route(Mode::inbox), outcome);
  ASSERT_TRUE(run_until(io, [&] { return feed->taken == 7; }));
  EXPECT_EQ(send(post("1234"), route(Mode::inbox)), "queue_full");
  EXPECT_EQ(send(post("123"), route(Mode::inbox)), "202 kept");
  test::on_loop(io, [&] { task.cancel(); });
  ASSERT_TRUE(run_until(io, [&] { return feed->dropped; }));
  EXPECT_EQ(send(post("1234567890"), route(Mode::inbox)), "202 kept");
  EXPECT_EQ(send(post("12345678901"), route(Mode::inbox)), "queue_full");
}

TEST_F(CaptureTest, memory_stays_taken_while_the_store_still_has_the_request) {
  Capture::Options options;
  options.memory = 10;
  options.commit_limit = 10ms;
  start(options);
  store.hold_appends = true;
  EXPECT_EQ(send(post("1234567"), route(Mode::inbox)), "unavailable");
  EXPECT_EQ(send(post("1234"), route(Mode::inbox)), "queue_full");
  store.hold_appends = false;
  run(io, capture->join());
  EXPECT_EQ(send(post("1234567890"), route(Mode::inbox)), "202 kept");
}

TEST_F(CaptureTest, strangers_that_send_slowly_leave_room_for_a_small_body_and_half_for_what_needs_no_proof) {
  Capture::Options options;
  options.memory = 8000;
  start(options);
  std::vector<std::shared_ptr<test::Feed>> feeds;
  std::vector<http::Request> slow(18);
  std::vector<std::string> outcomes(slow.size());
  for (std::size_t i = 0; i < slow.size(); ++i) {
    feeds.push_back(std::make_shared<test::Feed>(io));
    for (int piece = 0; piece < 50; ++piece) feeds[i]->add(std::string(20, 'x'));  // and no end
    slow[i] = post("");
    slow[i].body = std::make_unique<test::FeedBody>(feeds[i]);
    group.spawn(read_beside(slow[i], outcomes[i]));
  }
  test::run_for(io, 20ms);
  const auto small = [this] {
    http::Request request = post(std::string(40, 's'));
    const auto held = run(io, capture->read_unproven(request, 1000));
    return held ? "read" : std::string(error_name(held.error()));
  };
  EXPECT_EQ(small(), "read");
  EXPECT_GT(std::count(outcomes.begin(), outcomes.end(), "queue_full"), 10) << "there was no room for them";
  EXPECT_EQ(send(post(std::string(4000, 'p')), route(Mode::inbox)), "202 kept");
  for (const auto& feed : feeds) feed->end(Error::truncated);
  ASSERT_TRUE(run_until(io, [&] { return std::count(outcomes.begin(), outcomes.end(), "") == 0; }));
  EXPECT_TRUE(capture->hold(8000)) << "all of it is back";
}

TEST_F(CaptureTest,
       a_body_to_be_proven_that_can_never_have_room_is_too_large_and_a_proven_one_counts_no_more) {
  Capture::Options options;
  options.memory = 1000;
  start(options);
  http::Request large = post(std::string(251, 'x')), first = post(std::string(250, 'x')), second = post("");
  large.fields.add("Content-Length", "251");
  EXPECT_EQ(run(io, capture->read_unproven(large, 1000)).error(), Error::body_too_large);
  const auto held = run(io, capture->read_unproven(first, 1000));
  ASSERT_TRUE(held);
  second.content = first.content;
  EXPECT_EQ(run(io, capture->read_unproven(second, 1000)).error(), Error::queue_full);
  (*held)->note_proof();
  EXPECT_TRUE(run(io, capture->read_unproven(second, 1000)));
}

TEST_F(CaptureTest, by_mode_inbox_a_slow_disk_is_given_no_more_than_the_routes_deadline) {
  store.hold_appends = true;
  const auto began = net::Clock::now();
  EXPECT_EQ(send(post("x"), route(Mode::inbox, 40ms)), "unavailable");
  EXPECT_LT(net::Clock::now() - began, 1s);
}

TEST_F(CaptureTest, without_memory_for_a_copy_an_automatic_event_is_delivered_out_of_the_store) {
  Capture::Options options;
  options.memory = 10;
  start(options);
  EXPECT_EQ(send(post("1234567"), route(Mode::automatic)), "200 own");
  EXPECT_GE(store.claims, 1U);
  EXPECT_EQ(seen, std::vector<std::string>{"1234567"});
}

TEST_F(CaptureTest, automatic_passes_the_upstreams_final_answer_on) {
  for (const int each : {200, 201, 404, 422, 410}) {
    status = each;
    EXPECT_EQ(send(post("x"), route(Mode::automatic)), std::to_string(each) + " own");
    EXPECT_EQ(fields.get("x-own"), "1");
    EXPECT_EQ(fields.get("content-length"), "3");
    EXPECT_FALSE(fields.contains("connection"));
  }
  EXPECT_EQ(capture->counters().answered, 5U);
  EXPECT_TRUE(run_until(io, [&] { return store.claimed_count() == 0; }));
}

TEST_F(CaptureTest, automatic_frames_the_upstreams_answer_anew) {
  is_chunked = true;
  EXPECT_EQ(send(post("x"), route(Mode::automatic)), "200 own");
  EXPECT_EQ(fields.get("content-length"), "3");
  status = 204;
  EXPECT_EQ(send(post("x"), route(Mode::automatic)), "204 ");
  EXPECT_FALSE(fields.contains("content-length"));
}

TEST_F(CaptureTest, automatic_acks_when_the_attempt_fails) {
  for (const int each : {500, 503, 429}) {
    status = each;
    EXPECT_EQ(send(post("x"), route(Mode::automatic)), "202 kept") << each;
  }
  error = Error::no_agent;
  EXPECT_EQ(send(post("x"), route(Mode::automatic)), "202 kept");
  EXPECT_EQ(capture->counters().acked, 4U);
}

TEST_F(CaptureTest, automatic_acks_what_is_too_long_to_be_whole) {
  start({}, 2);
  EXPECT_EQ(send(post("x"), route(Mode::automatic)), "202 kept");
  EXPECT_TRUE(wait_for(State::done));
}

TEST_F(CaptureTest, automatic_acks_at_the_deadline_and_the_late_answer_ends_the_event) {
  gate_open = false;
  const auto began = net::Clock::now();
  EXPECT_EQ(send(post("x", "1"), route(Mode::automatic, 50ms)), "202 kept");
  EXPECT_GE(net::Clock::now() - began, 50ms);
  EXPECT_EQ(state(), State::waiting);
  gate_open = true;
  EXPECT_TRUE(wait_for(State::done));
  EXPECT_EQ(seen.size(), 1U);
  EXPECT_EQ(send(post("x", "1"), route(Mode::automatic)), "200 own") << "a duplicate gets the late answer";
  EXPECT_EQ(fields.get("content-type"), "a/b");
  EXPECT_EQ(fields.get("rockdove-event-id"), format_event_id(only_id()));
}

TEST_F(CaptureTest, the_deadline_counts_from_the_end_of_the_body) {
  const auto feed = std::make_shared<test::Feed>(io);
  http::Request request = post("");
  request.body = std::make_unique<test::FeedBody>(feed);
  std::string outcome;
  send_beside(std::move(request), route(Mode::automatic, 40ms), outcome);
  test::run_for(io, 50ms);
  EXPECT_EQ(outcome, "");
  feed->add("late");
  feed->end();
  EXPECT_TRUE(run_until(io, [&] { return !outcome.empty(); }));
  EXPECT_EQ(outcome, "200 own");
}

TEST_F(CaptureTest, a_store_that_refuses_is_unavailable) {
  store.fail_with = Error::unavailable;
  EXPECT_EQ(send(post("x"), route(Mode::inbox)), "unavailable");
  EXPECT_EQ(send(post("x"), route(Mode::automatic)), "unavailable");
  EXPECT_EQ(capture->counters().refused, 2U);
  EXPECT_EQ(capture->counters().stored, 0U);
}

TEST_F(CaptureTest, an_append_that_is_late_is_unavailable_and_its_event_is_delivered_all_the_same) {
  Capture::Options options;
  options.commit_limit = 40ms;
  start(options);
  for (const Mode mode : {Mode::inbox, Mode::automatic}) {
    store.hold_appends = true;
    const std::size_t before = seen.size();
    EXPECT_EQ(send(post("x"), route(mode, 40ms)), "unavailable");
    if (mode == Mode::automatic) { EXPECT_EQ(seen.size(), before) << "its claim is the caller's still"; }
    store.hold_appends = false;
    EXPECT_TRUE(run_until(io, [&] { return seen.size() == before + 1; }));
    EXPECT_TRUE(run_until(io, [&] { return store.claimed_count() == 0; }));
  }
}

TEST_F(CaptureTest, a_caller_that_leaves_takes_nothing_along) {
  // While its request is being stored.
  store.hold_appends = true;
  std::string outcome;
  auto task = send_beside(post("one"), route(Mode::automatic), outcome);
  ASSERT_TRUE(run_until(io, [&] { return store.size() == 1; }));
  test::on_loop(io, [&] { task.cancel(); });
  store.hold_appends = false;
  EXPECT_TRUE(run_until(io, [&] { return seen.size() == 1; }));
  // While it waits for the answer.
  gate_open = false;
  task = send_beside(post("two"), route(Mode::automatic), outcome);
  ASSERT_TRUE(run_until(io, [&] { return seen.size() == 2; }));
  test::on_loop(io, [&] { task.cancel(); });
  gate_open = true;
  EXPECT_TRUE(run_until(io, [&] { return store.claimed_count() == 0; }));
  test::run_for(io, 5ms);
  EXPECT_EQ(seen, (std::vector<std::string>{"one", "two"})) << "once each";
  EXPECT_EQ(outcome, "");
  for (const Tally& tally : store.tallies()) EXPECT_EQ(tally.state, State::done);
}

TEST_F(CaptureTest, an_event_behind_others_is_acked_at_once) {
  gate_open = false;
  RouteOptions options = route(Mode::automatic);
  options.order = Order::fifo;
  std::string first;
  send_beside(post("1"), options, first);
  ASSERT_TRUE(run_until(io, [&] { return seen.size() == 1; }));
  EXPECT_EQ(send(post("2"), options), "202 kept");
  gate_open = true;
  EXPECT_TRUE(run_until(io, [&] { return seen.size() == 2; }));
  EXPECT_TRUE(run_until(io, [&] { return first == "200 own"; }));
}

TEST_F(CaptureTest, order_is_by_key_and_requests_without_one_have_none) {
  status = 503;
  RouteOptions options = route(Mode::inbox);
  options.order = Order::key;
  options.order_key = {KeyRule::From::json, "/room"};
  options.dedupe.clear();
  for (const char* each : {R"({"room":"a"})", R"({"room":"a"})", R"({"room":"b"})", "{}", "{}"})
    EXPECT_EQ(send(post(each), options), "202 kept");
  std::vector<std::pair<bool, std::string>> orders;
  std::size_t queued = 0;
  PageRequest request;
  request.oldest_first = true;
  const auto page = run(io, store.list(request));
  for (const Event& event : page->events) {
    orders.emplace_back(event.ordered, event.order_key);
    queued += event.state == State::queued;
  }
  const std::vector<std::pair<bool, std::string>> expected{
      {true, "a"}, {true, "a"}, {true, "b"}, {false, ""}, {false, ""}};
  EXPECT_EQ(orders, expected);
  EXPECT_EQ(queued, 1U);
}

}  // namespace
}  // namespace rockdove::inbox
