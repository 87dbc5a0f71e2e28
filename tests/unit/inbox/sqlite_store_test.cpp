// The operations of the embedded store, one by one.
#include "unit/inbox/store_fixture.hpp"

namespace rockdove::inbox {
namespace {

using SqliteStore = StoreFixture;

TEST_F(SqliteStore, keeps_every_byte_of_a_request_over_a_restart) {
  NewEvent event = new_event("hook", std::string("a\0b\xff\xfe", 5));
  event.request.target = std::string("/\xc3\x28?") + std::string(1000, 'q');
  event.request.fields.add("X-Twice", "1");
  event.request.fields.add("x-twice", "");
  event.request.fields.add("X-Bytes", std::string("\x80\x00\xff", 3));
  event.request.peer = "192.0.2.1";
  event.request.tls = true;
  event.request.upstream = "bot";
  event.request.host = "example.org";
  const NewEvent sent = event;
  const EventId id = append(std::move(event)).id;
  open();
  const auto detail = run(io_, store_->look_up(id));
  ASSERT_TRUE(detail);
  const StoredRequest& got = detail->request;
  EXPECT_EQ(got.body, sent.request.body);
  EXPECT_EQ(got.target, sent.request.target);
  EXPECT_EQ(detail->event.target, sent.request.target.substr(0, 256)) << "lists show the beginning";
  EXPECT_EQ(got.peer + got.upstream + got.host, "192.0.2.1botexample.org");
  EXPECT_TRUE(got.tls && got.has_body);
  ASSERT_EQ(got.fields.size(), sent.request.fields.size());
  for (std::size_t i = 0; i < got.fields.size(); ++i) {
    EXPECT_EQ(got.fields.at(i).name, sent.request.fields.at(i).name);
    EXPECT_EQ(got.fields.at(i).value, sent.request.fields.at(i).value);
  }
}

TEST_F(SqliteStore, ids_rise_even_when_the_clock_jumps_back_and_the_newest_are_gone) {
  const EventId first = append("a", start_ms).id;
  EXPECT_GE(first, first_id_at(wall_time(start_ms)));
  const EventId second = append("b", start_ms - 3'600'000).id;
  EXPECT_EQ(second, first + 1);
  ASSERT_EQ(*run(io_, store_->purge(Filter{})), 2u);
  open();
  EXPECT_GT(append("c", start_ms - 7'200'000).id, second);
}

TEST_F(SqliteStore, a_duplicate_is_not_stored_until_its_window_ends) {
  NewEvent event = new_event("hook", "body");
  event.dedupe_key = "k";
  event.dedupe_until = wall_time(start_ms + 1000);
  const Appended first = append(event);
  EXPECT_FALSE(first.duplicate);
  settle(claim().events.at(0).event.id, Verdict::done);
  open();
  event.received_at = wall_time(start_ms + 999);
  event.claim = true;
  const Appended second = append(event);
  EXPECT_TRUE(second.duplicate);
  EXPECT_EQ(second.id, first.id);
  EXPECT_EQ(second.state, State::done);
  EXPECT_FALSE(second.claimed);
  event.route = "other";
  EXPECT_FALSE(append(event).duplicate) << "another route";
  event.route = "hook";
  event.received_at = wall_time(start_ms + 1000);
  EXPECT_FALSE(append(event).duplicate) << "the window has ended";
}

TEST_F(SqliteStore, duplicates_in_one_commit_are_stored_once) {
  int duplicates = 0, stored = 0;
  const auto one = [](Store& store, int& twice, int& once) -> Awaitable<void> {
    NewEvent event = new_event("hook", "body");
    event.dedupe_key = "k";
    event.dedupe_until = wall_time(start_ms + 1000);
    const auto appended = co_await store.append(std::move(event));
    ++(appended->duplicate ? twice : once);
  };
  for (int i = 0; i < 10; ++i)
    net::asio::co_spawn(io_, one(*store_, duplicates, stored),
                        [](std::exception_ptr error) { EXPECT_FALSE(error); });
  while (duplicates + stored < 10) ASSERT_TRUE(run(io_, store_->set_paused("other", "")));
  EXPECT_EQ(stored, 1);
  EXPECT_EQ(claim().events.size(), 1u);
}

TEST_F(SqliteStore, claims_what_is_due_within_its_limits_and_says_when_to_come_back) {
  const EventId future = append("future", start_ms).id;
  claim(start_ms + 1);
  append("early", start_ms + 10);
  const EventId late = append("late", start_ms + 20).id;
  Settlement later = settlement(future, Verdict::retry);
  later.due_at = wall_time(start_ms + 5000);
  run(io_, store_->settle(later));
  Claimed claimed = claim(start_ms + 100, 1);
  ASSERT_EQ(claimed.events.size(), 1u);
  EXPECT_EQ(claimed.events[0].request.body, "early") << "the oldest due first";
  EXPECT_EQ(claimed.next_due, wall_time(start_ms + 20));
  claimed = claim(start_ms + 100);
  ASSERT_EQ(claimed.events.size(), 1u);
  EXPECT_EQ(claimed.events[0].event.id, late);
  EXPECT_EQ(claimed.next_due, wall_time(start_ms + 5000));
  claimed = claim(start_ms + 100);
  EXPECT_TRUE(claimed.events.empty());
  EXPECT_EQ(claimed.next_due, wall_time(start_ms + 5000));
}

TEST_F(SqliteStore, a_claim_takes_the_first_event_whatever_its_size_and_others_while_they_fit) {
  for (int i = 0; i < 3; ++i) append(std::string(10'000, 'x'), start_ms + i);
  EXPECT_EQ(claim(start_ms + 100, 10, 1).events.size(), 1u);
  const Claimed claimed = claim(start_ms + 100, 10, 15'000);
  EXPECT_EQ(claimed.events.size(), 1u);
  EXPECT_EQ(claimed.next_due, wall_time(start_ms + 2));
  EXPECT_EQ(claim(start_ms + 100, 10, 15'000).events.size(), 1u);
}

TEST_F(SqliteStore, an_event_appended_with_a_claim_is_not_given_to_others_until_released) {
  NewEvent event = new_event("hook", "body");
  event.claim = true;
  const Appended appended = append(event);
  EXPECT_TRUE(appended.claimed);
  EXPECT_TRUE(claim().events.empty());
  settle(appended.id, Verdict::release);
  const Claimed claimed = claim();
  ASSERT_EQ(claimed.events.size(), 1u);
  EXPECT_EQ(claimed.events[0].event.attempts, 0) << "a release is no attempt";
}

TEST_F(SqliteStore, claims_end_with_the_process) {
  append("body");
  ASSERT_EQ(claim().events.size(), 1u);
  open();
  EXPECT_EQ(claim().events.size(), 1u);
}

TEST_F(SqliteStore, a_retry_waits_until_it_is_due_and_counts_its_attempts) {
  const EventId id = append("body").id;
  claim();
  settle(id, Verdict::retry, start_ms + 10);
  EXPECT_TRUE(claim(start_ms + 60'009).events.empty());
  const Claimed claimed = claim(start_ms + 60'010);
  ASSERT_EQ(claimed.events.size(), 1u);
  EXPECT_EQ(claimed.events[0].event.attempts, 1);
  EXPECT_EQ(claimed.events[0].event.first_attempt_at, wall_time(start_ms + 9));
  settle(id, Verdict::done, start_ms + 70'000);
  const auto detail = run(io_, store_->look_up(id));
  ASSERT_EQ(detail->attempts.size(), 2u);
  EXPECT_EQ(detail->attempts[1].number, 2);
  EXPECT_EQ(detail->event.first_attempt_at, wall_time(start_ms + 9));
  EXPECT_EQ(run(io_, store_->last_answer(id))->status, 200);
}

TEST_F(SqliteStore, only_the_head_of_an_order_is_waiting_and_the_next_follows_however_it_ends) {
  std::vector<EventId> ids;
  for (int i = 0; i < 4; ++i) {
    NewEvent event = new_event("hook", std::to_string(i));
    event.ordered = true;
    event.order_key = "key";
    event.claim = true;
    const Appended appended = append(event);
    EXPECT_EQ(appended.state, i == 0 ? State::waiting : State::queued);
    EXPECT_EQ(appended.claimed, i == 0);
    ids.push_back(appended.id);
  }
  settle(ids[0], Verdict::retry);
  EXPECT_TRUE(claim(start_ms + 20).events.empty()) << "those behind wait for the retry";
  ASSERT_EQ(claim().events.size(), 1u);
  settle(ids[0], Verdict::done);
  EXPECT_EQ(claim_bodies(), std::vector<std::string>{"1"});
  settle(ids[1], Verdict::dead);
  Filter second;
  second.from = ids[2];
  second.until = ids[2] + 1;
  EXPECT_EQ(*run(io_, store_->purge(second)), 1u);
  EXPECT_EQ(claim_bodies(), std::vector<std::string>{"3"});
}

TEST_F(SqliteStore, a_replay_makes_ended_events_due_again_outside_of_their_order) {
  const EventId done = append("done").id, dead = append("dead").id, held = append("held").id;
  claim();
  settle(done, Verdict::done);
  settle(dead, Verdict::dead);
  EXPECT_EQ(*run(io_, store_->replay({done, dead, held, 42}, wall_time(start_ms + 100))), 2u);
  const Claimed claimed = claim(start_ms + 100);
  ASSERT_EQ(claimed.events.size(), 2u);
  for (const DueEvent& due : claimed.events) {
    EXPECT_TRUE(due.event.replay);
    EXPECT_EQ(due.event.attempts, 1);
    EXPECT_EQ(due.event.first_attempt_at, WallTime{});
    EXPECT_TRUE(due.event.reason.empty());
  }
}

TEST_F(SqliteStore, a_purge_leaves_claimed_events_alone) {
  const EventId first = append("one").id;
  ASSERT_EQ(claim().events.size(), 1u);
  append("two");
  EXPECT_EQ(*run(io_, store_->purge(Filter{})), 1u);
  EXPECT_EQ(*run(io_, store_->purge(Filter{})), 0u);
  EXPECT_EQ(state_of(first), State::waiting);
}

TEST_F(SqliteStore, a_search_gives_a_cursor_when_its_time_is_over) {
  SqliteOptions options = files_.options();
  options.page_time = 0ms;
  open(options);
  for (int i = 0; i < 5; ++i) append("body " + std::to_string(i));
  PageRequest request;
  request.filter.text = "body 1";
  std::vector<std::string> found;
  int pages = 0;
  do {
    const auto page = run(io_, store_->list(request));
    ASSERT_TRUE(page);
    for (const Event& event : page->events)
      found.push_back(run(io_, store_->look_up(event.id))->request.body);
    request.cursor = page->next;
    ++pages;
  } while (request.cursor != 0 && pages < 100);
  EXPECT_EQ(found, std::vector<std::string>{"body 1"});
  EXPECT_GT(pages, 3);
}

TEST_F(SqliteStore, tells_the_oldest_event_of_each_route_that_has_not_ended) {
  using Oldest = std::vector<std::pair<std::string, std::int64_t>>;
  const auto backlogs = [this] {
    Oldest found;
    const auto told = run(io_, store_->backlogs());
    for (const Backlog& each : *told)
      found.emplace_back(each.route, each.oldest.time_since_epoch().count() - start_ms);
    return found;
  };
  EXPECT_EQ(backlogs(), Oldest{});
  std::vector<EventId> hooks;
  for (const int at : {1, 2, 3}) hooks.push_back(append("body", start_ms + at).id);
  for (const int at : {4, 5}) {
    NewEvent event = new_event("line", "body", start_ms + at);
    event.ordered = true;
    append(std::move(event));
  }
  append(new_event("zoo", "body", start_ms + 6));
  EXPECT_EQ(backlogs(), (Oldest{{"hook", 1}, {"line", 4}, {"zoo", 6}}));
  claim();
  settle(hooks[0], Verdict::done);
  settle(hooks[1], Verdict::retry);
  EXPECT_EQ(backlogs(), (Oldest{{"hook", 2}, {"line", 4}, {"zoo", 6}})) << "put off, older than what is due";
  claim();
  settle(hooks[1], Verdict::done);
  settle(hooks[2], Verdict::retry);
  EXPECT_EQ(backlogs(), (Oldest{{"hook", 3}, {"line", 4}, {"zoo", 6}})) << "all of them are put off";
  claim();
  settle(hooks[2], Verdict::dead);
  EXPECT_EQ(backlogs(), (Oldest{{"line", 4}, {"zoo", 6}}));
}

TEST_F(SqliteStore, ends_while_calls_are_under_way) {
  int finished = 0;
  const auto one = [](Store& store, int& count) -> Awaitable<void> {
    NewEvent event = new_event("hook", "body");
    co_await store.append(std::move(event));
    ++count;
  };
  const auto counted = [](std::exception_ptr error) { EXPECT_FALSE(error); };
  for (int i = 0; i < 20; ++i) net::asio::co_spawn(io_, one(*store_, finished), counted);
  io_.restart();
  io_.poll();
  store_.reset();
  io_.run();
  EXPECT_EQ(finished, 20);
  open();
  EXPECT_EQ(claim().events.size(), 20u);
}

}  // namespace
}  // namespace rockdove::inbox
